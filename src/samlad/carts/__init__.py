"""Carts: what somebody means to buy. The public face; `docs/concepts/carts.md` explains."""

from samlad.carts.cart_view import view
from samlad.carts.closing import buyer_of, close, use_promotions
from samlad.carts.codes import add_code, follow_link, remove_code
from samlad.carts.delivery_options import DeliveryOption
from samlad.carts.delivery_options import options as delivery_ways
from samlad.carts.model import (
    Address,
    Cart,
    CartClosed,
    CartInput,
    CartLine,
    CartStatus,
    CartView,
    Delivery,
    DetailsInput,
    LineAmounts,
    LineInput,
    LineView,
    NewCart,
    NotSellable,
    PriceChanged,
    PriceStep,
    Totals,
)
from samlad.carts.permissions import WRITE
from samlad.carts.rules import amounts, shipping_rate, totals
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

__all__ = [
    "WRITE",
    "Address",
    "Cart",
    "CartClosed",
    "CartInput",
    "CartLine",
    "CartStatus",
    "CartView",
    "Delivery",
    "DeliveryOption",
    "DetailsInput",
    "LineAmounts",
    "LineInput",
    "LineView",
    "NewCart",
    "NotSellable",
    "PriceChanged",
    "PriceStep",
    "Totals",
    "accept_prices",
    "add_code",
    "add_line",
    "amounts",
    "buyer_of",
    "change_line",
    "checkout",
    "close",
    "create",
    "delivery_ways",
    "follow_link",
    "remove_code",
    "remove_line",
    "reopen",
    "set_details",
    "shipping_rate",
    "sweep",
    "totals",
    "use_promotions",
    "view",
]
