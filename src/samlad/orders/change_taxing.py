"""How goods that come into an order by a change are taxed: each by its own class, where it goes, as a cart would be. Only reads."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from samlad import tax
from samlad.carts import Address, Delivery
from samlad.carts.taxing import Basis, Going, basis_of, buyer_of
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.kernel.database import Database, Tx
from samlad.kernel.money import share
from samlad.orders.change_model import AddAction, ChangeInput, ExchangeAction, QuantityAction
from samlad.orders.change_rules import gone
from samlad.orders.model import LineKind, OrderHead, OrderLine
from samlad.tax import Buyer, Treatment

_BUSINESS = {Treatment.INTRA_EU, Treatment.REVERSE_CHARGE}
_CONSUMER = {Treatment.OSS, Treatment.IOSS, Treatment.REGISTERED, Treatment.ORIGIN}


def where_to(head: OrderHead, data: ChangeInput) -> tuple[Delivery | None, UUID | None, Address | None]:
    """How goods go that are given instead in a sale of their own: handed over here, else sent or picked up as the first were."""
    if data.hand_over:
        return Delivery.CARRY_OUT, data.location, head.address
    if head.delivery is Delivery.CARRY_OUT:
        if head.address:
            return Delivery.SHIP, None, head.address
        return Delivery.PICKUP, head.location, None
    return head.delivery, head.location, head.address


async def of_added(
    reader: Database | Tx,
    head: OrderHead,
    lines: Sequence[OrderLine],
    data: ChangeInput,
    channel: Channel,
    sellables: Mapping[UUID, Sellable],
) -> Basis:
    """By what goods are taxed that come into the order itself: they go where its others go, in the same parcel."""
    known = {line.position: line for line in lines}
    units = [(a.variant, a.quantity) for a in data.actions if isinstance(a, AddAction)]
    for action in data.actions:
        line = known.get(action.position) if isinstance(action, QuantityAction) else None
        if isinstance(action, QuantityAction) and line is not None and line.variant is not None:
            units.append((line.variant, max(0, action.quantity - (line.quantity - gone(line)))))
    going = Going(
        delivery=head.delivery,
        location=head.location,
        address=head.address,
        buyer=await _buyer(reader, head, lines, channel),
        units=units,
        worth=sum(_worth(line) for line in lines),
    )
    return await basis_of(reader, going, channel, sellables)


async def of_given(
    reader: Database | Tx,
    head: OrderHead,
    lines: Sequence[OrderLine],
    data: ChangeInput,
    channel: Channel,
    sellables: Mapping[UUID, Sellable],
) -> Basis:
    """By what goods are taxed that are given instead of what comes back."""
    delivery, location, address = where_to(head, data)
    going = Going(
        delivery=delivery,
        location=location,
        address=address,
        buyer=await _buyer(reader, head, lines, channel),
        units=[(a.variant, a.quantity) for a in data.actions if isinstance(a, ExchangeAction) and a.variant],
    )
    return await basis_of(reader, going, channel, sellables)


def _worth(line: OrderLine) -> int:
    if line.kind is not LineKind.ITEM:
        return 0
    return share(line.total - line.tax, line.quantity - gone(line), line.quantity)


async def _buyer(
    reader: Database | Tx, head: OrderHead, lines: Sequence[OrderLine], channel: Channel
) -> Buyer:
    """A business or a consumer: as the order was taxed, whatever the register says since; else as it says now."""
    treatments = {line.tax_treatment for line in lines}
    if head.vat_number is None or treatments & _CONSUMER:
        return tax.CONSUMER
    if treatments & _BUSINESS:
        return Buyer(number_country=tax.country_of_number(head.vat_number))
    return await buyer_of(reader, head.vat_number, channel)
