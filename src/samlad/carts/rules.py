"""Carts, decided without a database: what lines come to, and whether an address can be right."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from babel import Locale

from samlad import delivery
from samlad.carts.address_formats import address_format
from samlad.carts.model import Address, Cart, CartLine, Delivery, Totals
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.delivery import Destination, MethodKind
from samlad.kernel.problems import FieldError
from samlad.tax import Amounts


def totals(lines: Sequence[tuple[int, Amounts]], shipping: Amounts, *, reduced: int = 0) -> Totals:
    """Add up lines of (quantity, amounts) and shipping. Nothing is rounded here.

    Lines and shipping are what is paid for them; ``reduced`` is what promotions have taken off them before.
    """
    subtotal = sum(amount.total for _, amount in lines)
    return Totals(
        items=sum(quantity for quantity, _ in lines),
        subtotal=subtotal,
        shipping=shipping.total,
        shipping_tax=shipping.tax,
        tax=sum(amount.tax for _, amount in lines) + shipping.tax,
        total=subtotal + shipping.total,
        reduced=reduced,
    )


def prices_stand(cart: Cart, moment: datetime) -> bool:
    """Whether the prices of the lines are fixed now: the cart is (or was ordered) in a checkout that has not run out."""
    return cart.checkout_until is not None and moment < cart.checkout_until


def price_stands(line: CartLine, moment: datetime) -> bool:
    """Whether the price of a line is a quote's that has not run out."""
    return line.price_until is not None and moment < line.price_until


def moved_prices(lines: Sequence[CartLine], current: Mapping[UUID, int]) -> list[dict[str, object]]:
    """The lines whose price is another one than was last agreed to."""
    return [
        {"variant": str(line.variant), "before": line.unit_price, "now": current[line.variant]}
        for line in lines
        if line.unit_price != current[line.variant]
    ]


_COUNTRIES = frozenset(
    code for code in map(str, Locale("en").territories) if len(code) == 2 and code not in ("EU", "UN", "ZZ")
)


def address_errors(address: Address, field: str = "address") -> list[FieldError]:
    """What in an address cannot be right."""
    errors = []
    if address.country not in _COUNTRIES:
        errors.append(FieldError(f"{field}/country", f"“{address.country}” is no country"))
    known = address_format(address.country)
    code = (address.postal_code or "").strip()
    if not known.fits(code) if code else "postal_code" in known.needed:
        such = f", which is like {known.example}" if known.example else ""
        errors.append(
            FieldError(f"{field}/postal_code", f"“{code}” is no postal code of {address.country}{such}")
        )
    if "region" in known.needed and not (address.region or "").strip():
        errors.append(
            FieldError(f"{field}/region", f"addresses in {address.country} name the state or province")
        )
    empty = [name for name in ("name", "line1", "city") if not getattr(address, name).strip()]
    return errors + [FieldError(f"{field}/{name}", "is empty") for name in empty]


def tidy(address: Address) -> Address:
    """The address without surrounding blanks and with its postal code in capitals."""
    values = {name: (getattr(address, name) or "").strip() or None for name in Address.__struct_fields__}
    if values["postal_code"]:
        values["postal_code"] = values["postal_code"].upper()
    return msgspec.convert(values, Address)


def missing_details(cart: Cart) -> list[FieldError]:
    """What must still be said before the cart can be ordered."""
    errors = []
    if cart.delivery is None:
        errors.append(
            FieldError("delivery", "say how the goods get to the customer: ship, pickup or carry_out")
        )
    if cart.delivery is not Delivery.CARRY_OUT and cart.email is None and cart.customer is None:
        errors.append(FieldError("email", "is needed, so that we can tell what happens with the order"))
    is_digital = cart.method is not None and cart.method.kind is MethodKind.DIGITAL
    if cart.delivery is Delivery.SHIP and cart.address is None and not is_digital:
        errors.append(FieldError("address", "is needed to ship"))
    if cart.delivery in (Delivery.PICKUP, Delivery.CARRY_OUT) and cart.location is None:
        errors.append(FieldError("location", "say where the goods are handed over"))
    return errors + _method_errors(cart)


def _method_errors(cart: Cart) -> list[FieldError]:
    """What speaks against the chosen delivery method, as far as lines do not matter."""
    method = cart.method
    if method is None:
        return []
    if not method.is_active:
        return [FieldError("delivery_method", f"“{method.code}” is not offered any more; choose another one")]
    if method.kind is MethodKind.SAME_DAY and cart.location is None:
        return [FieldError("location", "say which store brings it: the location of the promise")]
    if cart.address is not None and not delivery.reaching([method], destination(cart.address)):
        where = f"{cart.address.postal_code or ''} {cart.address.country}".strip()
        return [FieldError("delivery_method", f"“{method.code}” does not go to {where}; choose another one")]
    return []


def load_errors(cart: Cart, weight: int, *, has_goods: bool) -> list[FieldError]:
    """What speaks against the chosen method because of what is in the cart: its weight (grams), and whether it is goods."""
    method = cart.method
    if method is None:
        return []
    if method.max_weight is not None and weight > method.max_weight:
        return [FieldError("delivery_method", f"“{method.code}” takes at most {method.max_weight} g")]
    if method.kind is MethodKind.DIGITAL and has_goods:
        return [
            FieldError("delivery_method", f"“{method.code}” is for what needs no parcel; choose another one")
        ]
    return []


def destination(address: Address | None, country: str | None = None) -> Destination:
    """Where an address is, for delivery; without one all that is known is the country."""
    if address is None:
        return Destination(country=country)
    return Destination(country=address.country, region=address.region, postal_code=address.postal_code)


def held_at(cart: Cart) -> UUID | None:
    """The one place that the goods come from, if there is one: of hand-over, or the store that brings them today."""
    is_tour = cart.method is not None and cart.method.kind is MethodKind.SAME_DAY
    return cart.location if cart.delivery in (Delivery.PICKUP, Delivery.CARRY_OUT) or is_tour else None


def shipping_price(cart: Cart, channel: Channel, *, goods: int = 0, weight: int = 0) -> int:
    """What delivery costs, minor units: by the rate of the chosen method, for goods of so much money and so many grams.

    Without a method it is the channel's flat rate (``shipping_flat``) if the goods are shipped, else nothing.
    """
    if cart.method is not None:
        return delivery.price(cart.method.rate, goods=goods, weight=weight)
    return int(channel.setting("shipping_flat")) if cart.delivery is Delivery.SHIP else 0


def weight_of(lines: Iterable[CartLine], sellables: Mapping[UUID, Sellable]) -> int:
    """What the lines weigh, grams; what has no weight in the catalogue weighs nothing."""
    return sum(
        line.quantity * (sellables[line.variant].weight or 0) for line in lines if line.variant in sellables
    )
