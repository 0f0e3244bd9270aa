"""From where instead: units that a place cannot give are held at the next best place, or the customer is asked."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from samlad import channels, delivery, stock
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.orders import fulfilment_plan, fulfilment_rules
from samlad.orders import fulfilment_store as rows
from samlad.orders.fulfilment_events import FulfilmentNeedsCustomer
from samlad.orders.fulfilment_model import COLLECTED, FulfilmentState, Method, Part
from samlad.orders.fulfilment_ranking import Ranked, rank
from samlad.orders.fulfilment_rules import Units
from samlad.orders.model import OrderHead
from samlad.stock import HoldKind, HoldLine, SoldOut

REJECTED_HOURS = 24
"""A place that could not give a part of an order is not asked for it again for so long."""
_LOOKS = 2
"""Another look after a race for the last one is lost; then the customer is asked."""


async def reroute(
    tx: Tx, head: OrderHead, method: Method, units: Sequence[Units], *, came_from: UUID, note: str = ""
) -> list[Part]:
    """Find another place for units of a locked order, and hold them there.

    What is sent goes on at once from wherever it is, in several parcels if need be. Who wanted to come for it is
    asked first: the next store that has all of it keeps it for them until they answer. What nobody has is asked about
    as well (`FulfilmentNeedsCustomer`).
    """
    excluded = await rows.rejecting(tx, head.id, REJECTED_HOURS)
    picks, missing = await hold_elsewhere(tx, head, method, units, excluded)
    spread = fulfilment_rules.spread(units, picks)
    asks = method in COLLECTED
    channel, moment = await channels.cached(tx, head.channel), now()
    parts = [
        Part(
            id=new_id(),
            location=place,
            method=method,
            state=FulfilmentState.NEEDS_CUSTOMER if asks else FulfilmentState.OPEN,
            due_at=await fulfilment_plan.due_at(tx, place, channel, moment, head),
            lines=lines,
            came_from=came_from,
            note=note,
        )
        for place, lines in spread.items()
    ]
    if missing:
        nobody = Part(
            id=new_id(),
            location=None,
            method=method,
            state=FulfilmentState.NEEDS_CUSTOMER,
            due_at=moment,
            lines=missing,
            came_from=came_from,
            note=note,
        )
        parts.append(nobody)
    await fulfilment_plan.make(tx, head, parts)
    await fulfilment_plan.follow_slot(tx, head)
    for part in parts:
        if part.state is FulfilmentState.NEEDS_CUSTOMER:
            ask(tx, head, part.id, part.location, fulfilment_rules.sum_of(part.lines))
    return parts


def ask(tx: Tx, head: OrderHead, fulfilment: UUID, offered: UUID | None, units: int) -> None:
    """Tell that the customer is to choose."""
    fact = FulfilmentNeedsCustomer(number=head.number, fulfilment=fulfilment, offered=offered, units=units)
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)


async def hold_elsewhere(
    tx: Tx, head: OrderHead, method: Method, units: Sequence[Units], excluded: Collection[UUID]
) -> tuple[list[tuple[UUID, UUID, int]], list[Units]]:
    """Hold units for an order at other places than these: what is held (location, variant, quantity), what nobody has."""
    channel = await channels.cached(tx, head.channel)
    wanted = fulfilment_rules.by_variant(units)
    ranked = await rank(tx, head, channel, method, wanted, excluded)
    for _look in range(_LOOKS):
        promised = await stock.promises(tx, channel, list(wanted))
        picks, missing = _choose(wanted, promised, ranked, one_place=method in COLLECTED)
        if not picks:
            break
        lines = [HoldLine(variant=variant, quantity=q, location=place) for place, variant, q in picks]
        try:
            await stock.take(tx, lines, channel=channel, kind=HoldKind.ORDER, owner=head.id, expires_at=None)
        except SoldOut:
            continue
        given: dict[UUID, int] = {}
        for place, _variant, quantity in picks:
            given[place] = given.get(place, 0) + quantity
        await delivery.count_more(tx, head.id, given)
        return picks, _missing(units, missing)
    return [], list(units)


def _choose(
    wanted: Mapping[UUID, int], promised: Sequence[stock.Promise], ranked: Ranked, *, one_place: bool
) -> tuple[list[tuple[UUID, UUID, int]], dict[UUID, int]]:
    """What to take where: of the best places if they have all of it, else of all that may be asked."""
    free = {(level.location, level.variant): level.available for each in promised for level in each.locations}

    def there(places: Sequence[UUID]) -> list[tuple[UUID, UUID, int]]:
        return [(p, variant, free[p, variant]) for p in places for variant in wanted if (p, variant) in free]

    picks, missing = fulfilment_rules.choose(wanted, there(ranked.best), one_place=one_place)
    if missing and ranked.beyond:
        everywhere = there([*ranked.best, *ranked.beyond])
        picks, missing = fulfilment_rules.choose(wanted, everywhere, one_place=one_place)
    return picks, missing


def _missing(units: Sequence[Units], missing: dict[UUID, int]) -> list[Units]:
    """Which units are missing: of the last lines of a variant first."""
    left, found = dict(missing), []
    for position, variant, quantity in reversed(units):
        part = min(quantity, left.get(variant, 0))
        if part:
            found.append((position, variant, part))
            left[variant] -= part
    return list(reversed(found))
