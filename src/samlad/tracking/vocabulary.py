"""Segment's names of events of ecommerce and e-mail, and what this program calls the same. Pure, and all in this one place.

What happens here is told in Segment's words, so that it is kept beside what clients tell of, under one name: whoever counts *Product
Viewed* counts both. The other way only one name changes something: who unsubscribed has said no (`resolving`).

Ours are the events of the log, whose amounts are minor units of a currency; Segment's have decimal numbers of the
currency itself (Segment's ecommerce spec, v2). `MEANINGS` is the whole table.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from samlad.catalog import Measure
from samlad.catalog.measures import UNITS
from samlad.kernel.money import exponent

UNSUBSCRIBED = "Unsubscribed"
"""From a server it is an answer: a no."""
NO_MEASURES: Mapping[str, Measure] = {}
_LISTS = {"cart": "cart_id", "wish": "wishlist_id"}
"""What a cart's id is called, by the kind of cart."""


class Meaning(msgspec.Struct, frozen=True):
    """What an event means: its name at Segment, its type here, and which of two directions where one type has both.

    ``cart``: of which kind the cart is; of lists of what is saved for later and of quotes Segment has no name.
    """

    name: str
    type: str
    sign: int = 0
    cart: str = "cart"


MEANINGS = (
    Meaning("Product Added", "cart.line_changed", 1),
    Meaning("Product Removed", "cart.line_changed", -1),
    Meaning("Product Added to Wishlist", "cart.line_changed", 1, "wish"),
    Meaning("Product Removed from Wishlist", "cart.line_changed", -1, "wish"),
    Meaning("Checkout Started", "cart.checkout_started"),
    Meaning("Order Completed", "order.placed"),
    Meaning("Order Cancelled", "order.cancelled"),
    Meaning("Order Refunded", "order.returned"),
    Meaning("Order Updated", "order.changed"),
    Meaning("Product Reviewed", "review.written"),
    Meaning("Checkout Step Completed", "cart.details_set"),
    Meaning("Payment Info Entered", "payment.authorized"),
    Meaning("Promotion Viewed", "promotion.granted"),
    Meaning("Promotion Clicked", "promotion.granted"),
    Meaning("Coupon Applied", "promotion.granted"),
    Meaning("Cart Shared", "cart.offered"),
    Meaning(UNSUBSCRIBED, "consent.recorded"),
    Meaning("Email Bounced", "mail.bounced"),
)

BY_PAGES = frozenset(
    {
        "Product Viewed",
        "Product List Viewed",
        "Product List Filtered",
        "Cart Viewed",
        "Checkout Step Viewed",
        "Email Opened",
        "Email Link Clicked",
    }
)
"""Names that our own pages and mails tell as they happen: nobody writes them to the log."""

AS_THEY_COME = {
    "Products Searched": "what is searched for is counted, and not kept with who did",
    "Product Clicked": "the page of the product tells that it is viewed",
    "Coupon Entered": "a code that fits is told as Coupon Applied, one that does not leaves nothing behind",
    "Coupon Denied": "a refusal leaves nothing behind",
    "Coupon Removed": "the reduction is gone with it: the order tells which ones it had",
    "Wishlist Product Added to Cart": "it is told as Product Added",
    "Product Shared": "the shop does not learn of it",
    "Email Delivered": "the mail server tells that it took a mail, not that it arrived",
    "Email Marked as Spam": "the mail server does not tell",
}
"""The other names of Segment's specs of ecommerce (v2) and of e-mail, and why nothing of ours is called so. From clients they are taken, kept and
counted as any event; they mean nothing to carts and orders."""

AMOUNTS = {"total": "total", "tax": "tax", "refunded": "refunded"}
"""Our amounts (minor units) to Segment's properties of an order (decimal)."""


class Told(msgspec.Struct, frozen=True):
    """An event in Segment's words."""

    name: str
    properties: dict[str, Any]


def to_segment(
    kind: str,
    payload: dict[str, Any],
    *,
    currency: str,
    subject: str | None = None,
    measured: Mapping[str, Measure] = NO_MEASURES,
) -> Told | None:
    """An event of the log in Segment's words; None for types that Segment has no name for.

    ``measured`` are the variants that are sold by weight, length or volume: of them the log counts grams, and others are
    told kilograms (``unit``) at the price of one, so that quantity times price is what was paid.

    ``subject`` is the cart's id for what happens to carts; ``currency`` counts where the payload names none.
    """
    currency = payload.get("currency") or currency
    if kind == "cart.line_changed":
        return _line_to_segment(payload, currency, subject, measured)
    meaning = next((each for each in MEANINGS if each.type == kind), None)
    if meaning is None:
        return None
    if kind == "review.written":
        return Told(meaning.name, {"product_id": str(payload["product"]), "rating": payload["stars"]})
    if kind in _PLAIN:
        return _plain_to_segment(kind, meaning.name, payload, currency, subject)
    properties: dict[str, Any] = {"currency": currency}
    if kind == "order.changed":  # its amounts are those of the change, Segment's those of the order
        payload = {name: payload[name] for name in ("number", "refunded") if name in payload}
    if kind == "cart.checkout_started":
        properties["cart_id"] = subject
    if "number" in payload:
        properties["order_id"] = payload["number"]
    for own, name in AMOUNTS.items():
        if payload.get(own) is not None:
            properties[name] = decimal(abs(payload[own]), currency)
    if kind == "order.placed":
        properties["revenue"] = decimal(sum(line["total"] for line in payload["lines"]), currency)
    if "lines" in payload:
        properties["products"] = [_product_of(line, currency, measured) for line in payload["lines"]]
    return Told(meaning.name, properties)


_PLAIN: dict[str, dict[str, str]] = {
    "cart.details_set": {},
    "payment.authorized": {"provider": "payment_method"},
    "promotion.granted": {"name": "name"},
    "cart.offered": {"until": "share_until"},
    "consent.recorded": {"purpose": "list_id"},
    "mail.bounced": {"kind": "email_kind", "status": "status"},
}
"""Types whose fields are properties under another name."""
_GRANTED = {"shown": "Promotion Viewed", "link": "Promotion Clicked", "code": "Coupon Applied"}
"""How somebody got a promotion (`promotions.GrantSource`), as Segment calls it; what staff gave has no name."""
_STEPS = (
    ("contact", ("email", "name", "phone")),
    ("delivery", ("address", "delivery", "delivery_method", "location")),
)
"""What buyers tell at the checkout, as steps: its page has both."""
EMAIL_LIST = "email_marketing"


def _plain_to_segment(
    kind: str, name: str, payload: dict[str, Any], currency: str, subject: str | None
) -> Told | None:
    properties = {told: payload[own] for own, told in _PLAIN[kind].items() if payload.get(own) is not None}
    if kind == "cart.details_set":
        return _details_to_segment(name, payload, subject)
    if kind == "consent.recorded" and (payload.get("purpose"), payload.get("answer")) != (
        EMAIL_LIST,
        "denied",
    ):
        return None  # only a no to mails has a name
    if kind == "promotion.granted":
        granted = _GRANTED.get(payload.get("source", ""))
        if granted is None:
            return None
        name, place = granted, "coupon_id" if granted == "Coupon Applied" else "promotion_id"
        properties[place] = subject
    if kind == "cart.offered":
        properties |= {"cart_id": subject, "share_via": "link"}
    if kind == "payment.authorized":
        properties["currency"] = currency
        if payload.get("amount") is not None:
            properties["value"] = decimal(payload["amount"], currency)
        if payload.get("cart") is not None:
            properties["checkout_id"] = str(payload["cart"])
    return Told(name, properties)


def _details_to_segment(name: str, payload: dict[str, Any], subject: str | None) -> Told | None:
    """Which step of the checkout was done; None for details that are no step of it."""
    told = set(payload.get("fields", ()))
    steps = [(number, step) for number, (step, fields) in enumerate(_STEPS, 1) if told & set(fields)]
    if not steps:
        return None
    number, step = steps[-1]
    return Told(name, {"checkout_id": subject, "step": number, "step_name": step})


def _line_to_segment(
    payload: dict[str, Any], currency: str, subject: str | None, measured: Mapping[str, Measure]
) -> Told | None:
    difference = payload["quantity"] - payload["quantity_before"]
    cart = payload.get("kind", "cart")
    meaning = next((each for each in MEANINGS if each.sign * difference > 0 and each.cart == cart), None)
    if meaning is None:
        return None
    return Told(
        meaning.name,
        {
            _LISTS[cart]: subject,
            "product_id": str(payload["variant"]),
            **_quantity(abs(difference), payload["variant"], measured),
            "price": decimal(payload["unit_price"], currency),
            "currency": currency,
        },
    )


def _quantity(counted: int, variant: object, measured: Mapping[str, Measure]) -> dict[str, Any]:
    """How much of a variant: pieces, or kilograms, metres or litres with their sign."""
    sold_by = measured.get(str(variant))
    if sold_by is None:
        return {"quantity": counted}
    return {"quantity": _number(Decimal(counted) / sold_by.per), "unit": UNITS[sold_by]}


def _product_of(line: dict[str, Any], currency: str, measured: Mapping[str, Measure]) -> dict[str, Any]:
    quantity = abs(line["quantity"])
    sold_by = measured.get(str(line["variant"]))
    of = Decimal(quantity or 1) / (sold_by.per if sold_by else 1)
    product = {
        "product_id": str(line["variant"]),
        "sku": line.get("sku"),
        **_quantity(quantity, line["variant"], measured),
        # Of one piece or kilogram, as the buyer pays it: a part of a minor unit is possible, and told.
        "price": _number(Decimal(abs(line["total"])).scaleb(-exponent(currency)) / of),
    }
    return {name: value for name, value in product.items() if value is not None}


def decimal(amount: int, currency: str) -> int | float:
    """Minor units as Segment writes amounts: 1999, EUR to 19.99."""
    return _number(Decimal(amount).scaleb(-exponent(currency)))


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)
