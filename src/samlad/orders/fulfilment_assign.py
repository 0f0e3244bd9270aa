"""Another location gives what an order waits for: its goods are held there, and given back where they were."""

from uuid import UUID

from samlad import channels, delivery, stock
from samlad.access import audit
from samlad.channels import Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.problems import InvalidInput
from samlad.orders import fulfilment_plan, fulfilment_rules, fulfilment_store
from samlad.orders.fulfilment_access import enter
from samlad.orders.fulfilment_model import Fulfilment, Method, Part
from samlad.orders.fulfilment_model import FulfilmentState as S
from samlad.orders.model import WrongState
from samlad.orders.permissions import CHANGE
from samlad.stock import HoldKind, HoldLine, Location


async def assign_order(tx: Tx, order: UUID, location: UUID) -> int:
    """Let a location give all parts of an order that nobody works on yet; how many parts went there.

    Raises:
        WrongState: no part of it is open, or all are there already.
        SoldOut: the location has not all of it. InvalidInput: a location of another pool.
    """
    tx.actor.require(CHANGE)
    found = await fulfilment_store.of_order(tx, order)
    moved = [part for part in found if part.state is S.OPEN and part.location != location]
    if not moved:
        raise WrongState(
            "No part of it is open elsewhere.", state=", ".join(sorted({p.state for p in found}))
        )
    for part in moved:
        await assign(tx, part.id, location)
    return len(moved)


async def assign(tx: Tx, fulfilment_id: UUID, location: UUID, *, version: int | None = None) -> Fulfilment:
    """Let another location give a part of an order that nobody works on yet.

    Raises:
        WrongState: somebody works on it, or it has left. Outdated: not the version that was seen.
        SoldOut: the location has not all of it. InvalidInput: a location of another pool.
    """
    found, head, _lines = await enter(tx, fulfilment_id, (S.OPEN,), version=version)
    tx.actor.require(CHANGE, location=location)
    if found.location == location:
        return found
    if found.method not in (Method.SHIP, Method.SAME_DAY):
        raise WrongState("The customer comes to this location for it.", state=found.state)
    channel = await channels.cached(tx, head.channel)
    place = await _place(tx, channel.pools[Resource.STOCK], location)
    units = fulfilment_rules.by_variant(fulfilment_rules.units_of(found.lines))
    there = [HoldLine(variant=variant, quantity=q, location=place.id) for variant, q in units.items()]
    await stock.take(tx, there, channel=channel, kind=HoldKind.ORDER, owner=head.id, expires_at=None)
    here = [HoldLine(variant=variant, quantity=q, location=found.location) for variant, q in units.items()]
    await stock.release(tx, head.id, lines=here)
    count = fulfilment_rules.sum_of(fulfilment_rules.units_of(found.lines))
    await delivery.count_more(tx, head.id, {place.id: count})
    if found.location is not None:
        await delivery.count_less(tx, head.id, found.location, count)
    due = await fulfilment_plan.due_at(tx, place.id, channel, now(), head)
    await fulfilment_store.update(tx, found.id, {"location": place.id, "due_at": due})
    part = Part(
        id=found.id,
        location=place.id,
        method=found.method,
        state=S.OPEN,
        due_at=due,
        lines=fulfilment_rules.units_of(found.lines),
        came_from=found.came_from,
    )
    fulfilment_plan.tell_opened(tx, head, [part])
    await fulfilment_plan.follow_slot(tx, head)
    before, after = {"location": str(found.location)}, {"location": str(place.id)}
    audit.record(tx, "fulfilment.assigned", "fulfilment", found.id, before=before, after=after)
    again = await fulfilment_store.of_order(tx, head.id)
    return next(part for part in again if part.id == fulfilment_id)


async def _place(tx: Tx, pool: UUID, location: UUID) -> Location:
    for place in await stock.locations(tx, pool):
        if place.id == location:
            return place
    raise InvalidInput.at("location", "is not a location from which this channel sells")
