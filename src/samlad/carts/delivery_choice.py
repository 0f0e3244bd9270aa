"""How the goods of a cart get to the customer: the delivery method that was chosen, or that holds without a choice."""

from typing import Any

import msgspec

from samlad import delivery
from samlad.carts import rules
from samlad.carts.model import Cart, Delivery
from samlad.channels import Channel
from samlad.delivery import COLLECTED, SENT, Destination, Method, MethodKind
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import InvalidInput

_BY_DELIVERY = {
    Delivery.SHIP: SENT | {MethodKind.DIGITAL},
    Delivery.PICKUP: COLLECTED,
    Delivery.CARRY_OUT: frozenset({MethodKind.CARRY_OUT}),
}
_FIRST_CHOICE = {**_BY_DELIVERY, Delivery.SHIP: frozenset({MethodKind.SHIP})}
"""What is chosen for those who only say how: nobody is promised today, or a parcel without goods, unasked."""


async def with_method(reader: Database | Tx, cart: Cart) -> Cart:
    """The cart with the method that it names. Nothing is asked for a cart that names none."""
    if cart.delivery_method is None:
        return cart
    found = (await delivery.current(reader)).by_id.get(cart.delivery_method)
    return msgspec.structs.replace(cart, method=found)


async def choose(tx: Tx, cart: Cart, channel: Channel, wanted: dict[str, Any]) -> tuple[Cart, dict[str, Any]]:
    """The cart with its new method, and what is wanted of it as columns: the method by its id, and the delivery that it is.

    Raises:
        InvalidInput: the channel has no such method, or it is for another kind of delivery.
    """
    if not {"delivery", "delivery_method"} & wanted.keys():
        return cart, wanted
    methods = await delivery.methods_of(tx, channel)
    code, way = wanted.get("delivery_method"), wanted.get("delivery")
    if code is not None:
        method = next((method for method in methods if method.code == code), None)
        if method is None:
            offered = ", ".join(method.code for method in methods) or "none"
            raise InvalidInput.at("delivery_method", f"{channel.code} has no “{code}”; it has: {offered}")
        if way is not None and method.kind not in _BY_DELIVERY[way]:
            raise InvalidInput.at("delivery_method", f"“{code}” is {method.kind}, not {way}")
        chosen: Method | None = method
        way = way_of(method)
    else:
        way = wanted.get("delivery", cart.delivery)
        address = wanted.get("address", cart.address)
        chosen = _default(cart, methods, way, rules.destination(address, channel.country))
    columns = {**wanted, "delivery": way, "delivery_method": None if chosen is None else chosen.id}
    return msgspec.structs.replace(cart, method=chosen), columns


def _default(cart: Cart, methods: list[Method], way: Delivery | None, to: Destination) -> Method | None:
    """The method for a way of delivery: the one that was chosen if it is such a one, else the first that fits."""
    if way is None:
        return None
    if cart.method is not None and cart.method.kind in _BY_DELIVERY[way] and cart.method in methods:
        return cart.method
    fitting = [method for method in methods if method.kind in _FIRST_CHOICE[way]]
    return next(iter([*delivery.reaching(fitting, to), *fitting]), None)


def way_of(method: Method) -> Delivery:
    """How goods get to the customer with a method."""
    return next(way for way, kinds in _BY_DELIVERY.items() if method.kind in kinds)
