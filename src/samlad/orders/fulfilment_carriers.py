"""Carriers behind one small interface, and the one that always works: a label of our own on plain paper.

A carrier that has an API of its own is an object with these methods in `CARRIERS`. What goes over the network must
not be called inside a transaction; such a carrier books before and answers its number here.
"""

from typing import Protocol
from uuid import UUID

import msgspec

from samlad import stock
from samlad.carts import Address
from samlad.kernel.database import Reader
from samlad.kernel.problems import InvalidInput
from samlad.orders import fulfilment_rules
from samlad.orders.fulfilment_model import Fulfilment, Label
from samlad.orders.model import OrderHead


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What a carrier needs to know."""

    fulfilment: UUID
    order_number: str
    sender: list[str]
    recipient: Address
    phone: str | None
    units: int


class Carrier(Protocol):
    """Somebody who carries parcels."""

    @property
    def name(self) -> str:
        """Its name in addresses and in the database: lower-case letters, digits, hyphens."""
        ...

    def book(self, parcel: Parcel) -> str:
        """The number of a parcel; asked again for the same fulfilment, the same number."""
        ...

    def pdf(self, parcel: Parcel, number: str) -> bytes:
        """A label of 4 × 6 inches."""
        ...

    def zpl(self, parcel: Parcel, number: str) -> bytes:
        """The same label for a Zebra printer of 203 dots an inch."""
        ...

    def url(self, number: str) -> str | None:
        """Where the customer can follow the parcel, if the carrier has such a page."""
        ...


class Generic:
    """Any carrier that takes a parcel with an address: the number is ours."""

    name = "generic"

    def book(self, parcel: Parcel) -> str:
        """Made of the fulfilment's id, so that it is the same however often it is asked for."""
        return fulfilment_rules.tracking_number(parcel.fulfilment)

    def pdf(self, parcel: Parcel, number: str) -> bytes:
        """See `Carrier`."""
        from samlad.orders import fulfilment_labels  # late: drawing takes half a second to load

        return fulfilment_labels.pdf(_content(parcel, number))

    def zpl(self, parcel: Parcel, number: str) -> bytes:
        """See `Carrier`."""
        from samlad.orders import fulfilment_labels

        return fulfilment_labels.zpl(_content(parcel, number))

    def url(self, number: str) -> str | None:  # noqa: ARG002 - others need it
        """The order's own page shows what is known."""
        return None


def _content(parcel: Parcel, number: str) -> Label:
    to = parcel.recipient
    town = " ".join(part for part in (to.postal_code, to.city) if part)
    lines = [to.name, to.line1, to.line2, town, to.region, to.country]
    return Label(
        sender=parcel.sender,
        recipient=[line for line in lines if line],
        number=number,
        order_number=parcel.order_number,
        units=parcel.units,
    )


CARRIERS: dict[str, Carrier] = {carrier.name: carrier for carrier in (Generic(),)}
"""Every carrier by its name."""


def carrier(name: str) -> Carrier:
    """A carrier.

    Raises:
        InvalidInput: there is none of this name.
    """
    if name not in CARRIERS:
        raise InvalidInput.at("carrier", f"one of {', '.join(sorted(CARRIERS))}")
    return CARRIERS[name]


def link(name: str | None, number: str | None) -> str | None:
    """Where a parcel can be followed, if anywhere but here."""
    found = CARRIERS.get(name or "")
    return found.url(number) if found and number else None


async def parcel_of(reader: Reader, fulfilment: Fulfilment, head: OrderHead) -> Parcel:
    """What a carrier needs to know of a fulfilment.

    Raises:
        InvalidInput: the order has no address.
    """
    if head.address is None:
        raise InvalidInput.at("address", "the order has no address to send it to")
    assert fulfilment.location is not None
    place = await stock.location(reader, fulfilment.location)
    return Parcel(
        fulfilment=fulfilment.id,
        order_number=head.number,
        sender=[place.name, *address_lines(place.address)],
        recipient=head.address,
        phone=head.phone,
        units=sum(line.quantity for line in fulfilment.lines),
    )


def address_lines(address: dict[str, object]) -> list[str]:
    """A location's address as it is written on a letter."""
    street = str(address.get("lines") or address.get("line1") or address.get("street") or "")
    town = " ".join(str(address[key]) for key in ("postal_code", "city") if address.get(key))
    return [line for line in (*street.split("\n"), town, str(address.get("country") or "")) if line]
