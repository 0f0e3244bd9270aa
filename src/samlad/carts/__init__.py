"""Carts: what somebody means to buy. The public face; `docs/concepts/carts.md` explains."""

from samlad.carts.cart_view import view
from samlad.carts.closing import close
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
    "Totals",
    "accept_prices",
    "add_line",
    "amounts",
    "change_line",
    "checkout",
    "close",
    "create",
    "delivery_ways",
    "remove_line",
    "reopen",
    "set_details",
    "shipping_rate",
    "sweep",
    "totals",
    "view",
]
