"""Orders: placed, paid, handed over, cancelled, taken back. The public face; `docs/concepts/orders.md` explains."""

from samlad.orders import rest_due, sold_cards  # noqa: F401 - they register themselves
from samlad.orders.buyer_cancel import can_cancel as can_cancel_as_buyer
from samlad.orders.buyer_cancel import cancel as cancel_as_buyer
from samlad.orders.change_apply import apply as apply_change
from samlad.orders.change_apply import preview as preview_change
from samlad.orders.change_model import Changed, ChangeInput
from samlad.orders.changes import cancel, capture, fulfil, pay, take_back
from samlad.orders.crowd import Question, turn
from samlad.orders.gift_card_sale import GiftCardSale
from samlad.orders.gift_card_sale import order_of as order_of_gift_card
from samlad.orders.gift_card_sale import sell as sell_gift_card
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
    SetOf,
    SoldWithReturn,
    TotalChanged,
    WrongState,
)
from samlad.orders.order_page import HistoryEntry, OrderPage, given_back, page, read
from samlad.orders.permissions import CHANGE, IMPORT, OVERRIDE, PLACE, READ
from samlad.orders.pieces import serials_of
from samlad.orders.placement import Placements, place
from samlad.orders.sets import as_sold, parts_of_sets
from samlad.orders.store import at_places, by_number, number_of
from samlad.orders.tip_rules import offered as tips_offered
from samlad.orders.tip_store import add_paid as add_tips_paid
from samlad.orders.tip_store import kept as tip_kept
from samlad.orders.tip_store import lock_owed as lock_tips_owed
from samlad.orders.tip_store import of_order as tip_of
from samlad.orders.tips import ClerkTips
from samlad.orders.tips import by_clerk as tips_by_clerk
from samlad.orders.tips import give_back as give_tip_back
from samlad.orders.unknown_goods import name_goods
from samlad.orders.wording import spoken

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
    "ClerkTips",
    "FulfilInput",
    "GiftCardSale",
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
    "Placements",
    "Question",
    "ReturnInput",
    "SetOf",
    "SoldWithReturn",
    "TotalChanged",
    "WrongState",
    "add_tips_paid",
    "apply_change",
    "as_sold",
    "at_places",
    "by_day",
    "by_hour",
    "by_number",
    "can_cancel_as_buyer",
    "cancel",
    "cancel_as_buyer",
    "capture",
    "days_with_trade",
    "fulfil",
    "give_tip_back",
    "given_back",
    "imported",
    "lock_tips_owed",
    "name_goods",
    "number_of",
    "order_of_gift_card",
    "page",
    "parts_of_sets",
    "pay",
    "place",
    "preview_change",
    "read",
    "record_happened",
    "sell_gift_card",
    "serials_of",
    "sold_most",
    "spoken",
    "take_back",
    "tip_kept",
    "tip_of",
    "tips_by_clerk",
    "tips_offered",
    "turn",
]
