"""Who is to give what of an order: fulfilments are made of its holds, one for each location.

They are made in the statement that writes the order: no moment in which goods are held for an order and nobody is to
bring them, and no statement more in the hot verb (docs/decisions/fulfilments-at-placing.md).
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from samlad import channels, delivery, stock
from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.orders import fulfilment_rules as rules
from samlad.orders import fulfilment_store as store
from samlad.orders.fulfilment_events import FulfilmentOpened
from samlad.orders.fulfilment_model import UNENDED, FulfilmentState, Method, Part
from samlad.orders.fulfilment_rules import Units
from samlad.orders.model import LineKind, OrderHead, OrderLine
from samlad.stock import Hold

_STANDS: dict[UUID, UUID | None] = {}
"""The channel that stands at each location. It never changes, so each process asks once."""
_MOST_KNOWN = 20_000


async def due_at(
    tx: Tx, location: UUID, channel: Channel, moment: datetime, head: OrderHead | None = None
) -> datetime:
    """When a location should have picked what comes at a moment: its own target and hours, else the order's channel's; of an order
    that is brought within a slot, before it packs it for that."""
    if head is not None and head.promise is not None:
        picked = await delivery.pick_by(tx, head.promise, head.delivery_method, location)
        if picked is not None:
            return max(moment, picked)
    if location not in _STANDS:
        if len(_STANDS) >= _MOST_KNOWN:
            _STANDS.clear()
        _STANDS[location] = (await stock.location(tx, location)).channel
    stands = _STANDS[location]
    if stands is None:  # a warehouse works at any time
        return rules.due(moment, channel.setting("pick_minutes"), None, channel.time_zone)
    store_channel = await channels.cached(tx, stands)
    minutes = store_channel.setting("pick_minutes")
    return rules.due(moment, minutes, store_channel.opening_hours, store_channel.time_zone)


def goods(lines: Sequence[OrderLine]) -> list[Units]:
    """What of an order's lines is still to go."""
    return [
        (line.position, line.variant, line.quantity - line.fulfilled - line.cancelled)
        for line in lines
        if line.kind is LineKind.ITEM and line.variant and line.quantity > line.fulfilled + line.cancelled
    ]


async def at_placing(
    tx: Tx,
    channel: Channel,
    method: Method,
    lines: Sequence[OrderLine],
    held: Sequence[Hold],
    *,
    digital: Collection[UUID] = (),
    head: OrderHead | None = None,
) -> list[Part]:
    """The fulfilments of an order that is being placed, one for each location and method.

    What is carried out has left at once; variants that are ``digital`` are no things to be picked.
    """
    moment = now()
    is_gone = method is Method.HAND_OVER
    places = [(hold.location, hold.variant, hold.quantity) for hold in held]
    things: list[Units] = []
    others: list[Units] = []
    for line in lines:
        if line.variant is not None:
            is_thing = is_gone or line.variant not in digital
            (things if is_thing else others).append((line.position, line.variant, line.quantity))
    return [
        Part(
            id=new_id(),
            location=location,
            method=how,
            state=FulfilmentState.DELIVERED if is_gone else FulfilmentState.OPEN,
            due_at=moment if is_gone else await due_at(tx, location, channel, moment, head),
            lines=units,
            left_at=moment if is_gone else None,
        )
        for how, wanted in ((method, things), (Method.DIGITAL, others))
        for location, units in rules.spread(wanted, places).items()
    ]


async def follow_slot(tx: Tx, head: OrderHead) -> None:
    """Let an order's slot count at the place that brings most of what is still to go. Nothing is asked for one without a slot."""
    if head.promise is None or head.promise.slot is None:
        return
    units: dict[UUID, int] = {}
    for part in await store.of_order(tx, head.id):
        if part.location is not None and part.state in UNENDED and part.method is Method.SAME_DAY:
            units[part.location] = units.get(part.location, 0) + sum(line.quantity for line in part.lines)
    if units:
        await delivery.move_slot(tx, head.id, max(sorted(units), key=lambda place: units[place]))


async def make(tx: Tx, head: OrderHead, parts: Sequence[Part]) -> None:
    """Make fulfilments of an order that there is, and tell of those that begin."""
    if parts:
        await store.make(tx, head.id, parts)
        tell_opened(tx, head, parts)


def tell_opened(tx: Tx, head: OrderHead, parts: Sequence[Part]) -> None:
    """Say which places have something to do now."""
    for part in parts:
        if part.location is None or part.state is not FulfilmentState.OPEN:
            continue
        fact = FulfilmentOpened(
            number=head.number,
            fulfilment=part.id,
            location=part.location,
            method=part.method,
            due_at=part.due_at,
            units=rules.sum_of(part.lines),
            came_from=part.came_from,
        )
        log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
