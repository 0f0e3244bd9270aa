"""Orders: placed, paid, handed over, cancelled, taken back. The public face; `docs/concepts/orders.md` explains."""

from samlad.orders.change_apply import apply as apply_change
from samlad.orders.change_apply import preview as preview_change
from samlad.orders.change_model import Changed, ChangeInput
from samlad.orders.changes import cancel, capture, fulfil, pay, take_back
from samlad.orders.happened import record as record_happened
from samlad.orders.import_store import Imported, imported
from samlad.orders.lists import LISTING, by_day, by_hour, days_with_trade, sold_most
from samlad.orders.model import (
    AlreadyOrdered,
    CancelInput,
    ChannelSales,
    FulfilInput,
    LineKind,
    LineSelection,
    Order,
    OrderHead,
    OrderKind,
    OrderLine,
    OrderPayment,
    OrderRow,
    OrderStatus,
    PayInput,
    PlaceOrder,
    ReturnInput,
    TotalChanged,
    WrongState,
)
from samlad.orders.order_page import HistoryEntry, OrderPage, page, read
from samlad.orders.permissions import CHANGE, IMPORT, OVERRIDE, PLACE, READ
from samlad.orders.placement import place
from samlad.orders.store import by_number

__all__ = [
    "CHANGE",
    "IMPORT",
    "LISTING",
    "OVERRIDE",
    "PLACE",
    "READ",
    "AlreadyOrdered",
    "CancelInput",
    "ChangeInput",
    "Changed",
    "ChannelSales",
    "FulfilInput",
    "HistoryEntry",
    "Imported",
    "LineKind",
    "LineSelection",
    "Order",
    "OrderHead",
    "OrderKind",
    "OrderLine",
    "OrderPage",
    "OrderPayment",
    "OrderRow",
    "OrderStatus",
    "PayInput",
    "PlaceOrder",
    "ReturnInput",
    "TotalChanged",
    "WrongState",
    "apply_change",
    "by_day",
    "by_hour",
    "by_number",
    "cancel",
    "capture",
    "days_with_trade",
    "fulfil",
    "imported",
    "page",
    "pay",
    "place",
    "preview_change",
    "read",
    "record_happened",
    "sold_most",
    "take_back",
]
