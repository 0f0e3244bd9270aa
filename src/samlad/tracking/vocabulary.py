"""Segment's names of ecommerce events and what this program calls the same, both ways. Pure, and all in this one place.

Ours are the events of the log, whose amounts are minor units of a currency; Segment's have decimal numbers of the
currency itself (Segment's ecommerce spec, v2). `MEANINGS` is the whole table.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from samlad.kernel.money import exponent


class Meaning(msgspec.Struct, frozen=True):
    """What an event means: its name at Segment, its type here, and which of two directions where one type has both."""

    name: str
    type: str
    sign: int = 0


MEANINGS = (
    Meaning("Product Added", "cart.line_changed", 1),
    Meaning("Product Removed", "cart.line_changed", -1),
    Meaning("Checkout Started", "cart.checkout_started"),
    Meaning("Order Completed", "order.placed"),
    Meaning("Order Cancelled", "order.cancelled"),
    Meaning("Order Refunded", "order.returned"),
)

AMOUNTS = {"total": "total", "tax": "tax", "refunded": "refunded"}
"""Our amounts (minor units) to Segment's properties of an order (decimal)."""

LARGEST_AMOUNT = 10**15

_BY_NAME = {meaning.name: meaning for meaning in MEANINGS}


class Told(msgspec.Struct, frozen=True):
    """An event in Segment's words."""

    name: str
    properties: dict[str, Any]


class Ours(msgspec.Struct, frozen=True):
    """An event in our words: the type that the log has, and the fields of its payload that could be told."""

    type: str
    payload: dict[str, Any]


def to_segment(
    kind: str, payload: dict[str, Any], *, currency: str, subject: str | None = None
) -> Told | None:
    """An event of the log in Segment's words; None for types that Segment has no name for.

    ``subject`` is the cart's id for what happens to carts; ``currency`` counts where the payload names none.
    """
    currency = payload.get("currency") or currency
    if kind == "cart.line_changed":
        return _line_to_segment(payload, currency, subject)
    meaning = next((each for each in MEANINGS if each.type == kind), None)
    if meaning is None:
        return None
    properties: dict[str, Any] = {"currency": currency}
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
        properties["products"] = [_product_of(line, currency) for line in payload["lines"]]
    return Told(meaning.name, properties)


def from_segment(name: str, properties: dict[str, Any], *, currency: str) -> Ours | None:
    """An event in our words; None for names that mean nothing here. What cannot be read of it is left out."""
    meaning = _BY_NAME.get(name)
    if meaning is None:
        return None
    given = properties.get("currency")
    currency = given if isinstance(given, str) and len(given) == 3 and given.isupper() else currency
    if meaning.sign:
        return _line_from_segment(meaning, properties, currency)
    payload: dict[str, Any] = {"currency": currency}
    if isinstance(properties.get("order_id"), str | int):
        payload["number"] = str(properties["order_id"])
    sign = -1 if meaning.type == "order.returned" else 1
    for own, told in AMOUNTS.items():
        amount = _minor(properties.get(told), currency)
        if amount is not None:
            payload[own] = amount if own == "refunded" else sign * amount
    products = properties.get("products")
    if isinstance(products, list):
        payload["lines"] = [_line_of(each, currency, sign) for each in products if isinstance(each, dict)]
    return Ours(meaning.type, payload)


def _line_to_segment(payload: dict[str, Any], currency: str, subject: str | None) -> Told | None:
    difference = payload["quantity"] - payload["quantity_before"]
    if not difference:
        return None
    name = "Product Added" if difference > 0 else "Product Removed"
    return Told(
        name,
        {
            "cart_id": subject,
            "product_id": str(payload["variant"]),
            "quantity": abs(difference),
            "price": decimal(payload["unit_price"], currency),
            "currency": currency,
        },
    )


def _line_from_segment(meaning: Meaning, properties: dict[str, Any], currency: str) -> Ours:
    quantity = _whole(properties.get("quantity")) or 1
    payload: dict[str, Any] = {"currency": currency}
    if isinstance(properties.get("product_id"), str | int):
        payload["variant"] = str(properties["product_id"])
    if isinstance(properties.get("sku"), str):
        payload["sku"] = properties["sku"]
    price = _minor(properties.get("price"), currency)
    if price is not None:
        payload["unit_price"] = price
    return Ours(meaning.type, payload | {"quantity_change": meaning.sign * quantity})


def _product_of(line: dict[str, Any], currency: str) -> dict[str, Any]:
    quantity = abs(line["quantity"])
    product = {
        "product_id": str(line["variant"]),
        "sku": line.get("sku"),
        "quantity": quantity,
        # Of one piece, as the buyer pays it: a part of a minor unit is possible, and told.
        "price": _number(Decimal(abs(line["total"])).scaleb(-exponent(currency)) / (quantity or 1)),
    }
    return {name: value for name, value in product.items() if value is not None}


def _line_of(product: dict[str, Any], currency: str, sign: int) -> dict[str, Any]:
    quantity = _whole(product.get("quantity")) or 1
    line: dict[str, Any] = {"quantity": sign * quantity}
    if isinstance(product.get("product_id"), str | int):
        line["variant"] = str(product["product_id"])
    if isinstance(product.get("sku"), str):
        line["sku"] = product["sku"]
    total = _minor(product.get("price"), currency, times=quantity)
    if total is not None:
        line["total"] = sign * total
    return line


def decimal(amount: int, currency: str) -> int | float:
    """Minor units as Segment writes amounts: 1999, EUR to 19.99."""
    return _number(Decimal(amount).scaleb(-exponent(currency)))


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def _minor(value: object, currency: str, *, times: int = 1) -> int | None:
    """Minor units of a decimal number or text, rounded; None if it is none, or beyond all reason."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = (Decimal(str(value)) * times).scaleb(exponent(currency))
        if not amount.is_finite() or abs(amount) > LARGEST_AMOUNT:
            return None
        return int(amount.quantize(Decimal(1)))
    except (InvalidOperation, ValueError):
        return None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(Decimal(str(value)))
    except (InvalidOperation, ValueError, OverflowError):
        return None
    return number if 0 < number <= LARGEST_AMOUNT else None
