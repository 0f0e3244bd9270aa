"""Carts: what somebody means to buy. The public face; `docs/concepts/carts.md` explains."""

from samlad.carts.address_formats import AddressFormat, address_format
from samlad.carts.cart_view import ask_tax, view
from samlad.carts.closing import buyer_of, close, order_of, take_for, use_promotions
from samlad.carts.codes import add_code, follow_link, remove_code
from samlad.carts.delivery_options import DeliveryOption, chosen_promise, keep_promise
from samlad.carts.delivery_options import options as delivery_ways
from samlad.carts.discount_model import Discount, DiscountInput, DiscountKind, NeedsApproval
from samlad.carts.discounts import give as give_discount
from samlad.carts.discounts import take_back as take_discount_back
from samlad.carts.gone import WantedCart, gone_among
from samlad.carts.handover import (
    Offer,
    OfferGone,
    TakeOver,
    bring,
    count_try,
    devices,
    offer,
    remove_device,
    take_over,
    withdraw,
)
from samlad.carts.lists import (
    LISTING,
    CartRow,
    lists_beside,
    live_cart,
    make_current,
    parked_by_channel,
    put_for,
    save_line,
    wish,
    wish_for,
)
from samlad.carts.lot_model import ChooseLot, ChosenLot
from samlad.carts.lots import add_scanned
from samlad.carts.lots import choose as choose_lot
from samlad.carts.lots import leaving as leaving_lots
from samlad.carts.merging import Attached, attach, combine, undo
from samlad.carts.model import (
    OVER,
    Address,
    Cart,
    CartClosed,
    CartInput,
    CartKind,
    CartLine,
    CartStatus,
    Delivery,
    DetailsInput,
    LineChanged,
    LineInput,
    LineNews,
    NotSellable,
    PriceChanged,
    PriceStep,
    Totals,
)
from samlad.carts.parking import park, resume
from samlad.carts.permissions import QUOTE, WRITE
from samlad.carts.quotes import QuoteExpired, QuoteInput, QuoteLine, quote
from samlad.carts.quotes import accept as accept_quote
from samlad.carts.repeats import Repeat, RepeatLine, estimate, hand_to, repeat
from samlad.carts.rules import destination
from samlad.carts.service import (
    accept_prices,
    add_line,
    change_line,
    checkout,
    create,
    remove_line,
    reopen,
    set_details,
    sweep,
)
from samlad.carts.sharing_store import Device
from samlad.carts.view_model import CartView, LineView, NewCart
from samlad.carts.watching import topic_of

__all__ = [
    "LISTING",
    "OVER",
    "QUOTE",
    "WRITE",
    "Address",
    "AddressFormat",
    "Attached",
    "Cart",
    "CartClosed",
    "CartInput",
    "CartKind",
    "CartLine",
    "CartRow",
    "CartStatus",
    "CartView",
    "ChooseLot",
    "ChosenLot",
    "Delivery",
    "DeliveryOption",
    "DetailsInput",
    "Device",
    "Discount",
    "DiscountInput",
    "DiscountKind",
    "LineChanged",
    "LineInput",
    "LineNews",
    "LineView",
    "NeedsApproval",
    "NewCart",
    "NotSellable",
    "Offer",
    "OfferGone",
    "PriceChanged",
    "PriceStep",
    "QuoteExpired",
    "QuoteInput",
    "QuoteLine",
    "Repeat",
    "RepeatLine",
    "TakeOver",
    "Totals",
    "WantedCart",
    "accept_prices",
    "accept_quote",
    "add_code",
    "add_line",
    "add_scanned",
    "address_format",
    "ask_tax",
    "attach",
    "bring",
    "buyer_of",
    "change_line",
    "checkout",
    "choose_lot",
    "chosen_promise",
    "close",
    "combine",
    "count_try",
    "create",
    "delivery_ways",
    "destination",
    "devices",
    "estimate",
    "follow_link",
    "give_discount",
    "gone_among",
    "hand_to",
    "keep_promise",
    "leaving_lots",
    "lists_beside",
    "live_cart",
    "make_current",
    "offer",
    "order_of",
    "park",
    "parked_by_channel",
    "put_for",
    "quote",
    "remove_code",
    "remove_device",
    "remove_line",
    "reopen",
    "repeat",
    "resume",
    "save_line",
    "set_details",
    "sweep",
    "take_discount_back",
    "take_for",
    "take_over",
    "topic_of",
    "undo",
    "use_promotions",
    "view",
    "wish",
    "wish_for",
    "withdraw",
]
