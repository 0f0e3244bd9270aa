"""When it does not go as planned: a place cannot give it, the customer chooses, goods come after all, nobody comes."""

import functools
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from samlad import channels, delivery, stock
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.log import Event
from samlad.orders import changes, fulfilment_plan, fulfilment_routing, store
from samlad.orders import fulfilment_events as facts
from samlad.orders import fulfilment_lots as lots
from samlad.orders import fulfilment_rules as rules
from samlad.orders import fulfilment_store as rows
from samlad.orders import rules as order_rules
from samlad.orders.fulfilment_access import again, enter
from samlad.orders.fulfilment_model import (
    COLLECTED,
    UNENDED,
    WORK,
    AnswerInput,
    Choice,
    Fulfilment,
    FulfilmentState,
    Part,
    RejectInput,
    RejectReason,
)
from samlad.orders.fulfilment_rules import Units
from samlad.orders.model import CancelInput, LineKind, OrderHead, OrderLine, WrongState
from samlad.stock import Cause, HoldLine

S = FulfilmentState
RETRY_BATCH = 50
_GONE = {RejectReason.NOT_FOUND: Cause.CORRECTION, RejectReason.DAMAGED: Cause.DAMAGE}
"""Reasons for which the units are booked out of the place's stock. For others they are on sale there again."""


async def reject(
    tx: Tx,
    fulfilment_id: UUID,
    data: RejectInput,
    *,
    version: int | None = None,
    at: datetime | None = None,
) -> list[Fulfilment]:
    """A place cannot give this, or some of it. Its hold ends and the next best place gets the work at once.

    ``at``: when that was found, if a phone without network tells it later. Returns what became of it: the rejected part, what the place still gives, and the new ones.

    Raises:
        WrongState: it has left already. InvalidInput: more than there is of a line.
    """
    cards.refuse(data.note, "note")
    found, head, lines = await enter(tx, fulfilment_id, WORK, version=version)
    left = {line.position: line.quantity for line in found.lines}
    if data.lines is None:
        chosen = left
    else:
        of_order = [line for line in lines if line.position in left]
        chosen = {line.position: q for line, q in order_rules.select(of_order, data.lines, left)}
    out, _rest = rules.take_from(rules.units_of(found.lines), chosen)
    if not out:
        raise WrongState("Nothing of it was chosen.", state=found.state)
    rejected = await _part_with(tx, head, found, out, reason=data.reason, note=data.note)
    await give_up(tx, head, found, out, data.reason, at=None if at is None else max(at, found.opened_at))
    fact = facts.FulfilmentRejected(
        number=head.number,
        fulfilment=rejected,
        location=_at(found),
        reason=data.reason,
        note=data.note,
        units=rules.sum_of(out),
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    made = await fulfilment_routing.reroute(tx, head, found.method, out, came_from=rejected)
    shown = dict.fromkeys([rejected, found.id, *(part.id for part in made)])
    return [await again(tx, one) for one in shown]


async def _part_with(
    tx: Tx, head: OrderHead, found: Fulfilment, out: Sequence[Units], *, reason: str, note: str
) -> UUID:
    """End a fulfilment as rejected, or the part of it that is; the id of what is rejected."""
    if rules.sum_of(out) == sum(line.quantity for line in found.lines):
        values = {"state": S.REJECTED, "reason": reason, "note": note, "code": None}
        await rows.update(tx, found.id, values)
        return found.id
    part = Part(
        id=new_id(),
        location=found.location,
        method=found.method,
        state=S.REJECTED,
        due_at=found.due_at,
        lines=list(out),
        came_from=found.came_from,
        reason=reason,
        note=note,
    )
    await rows.make(tx, head.id, [part])
    await rows.take_off(tx, found.id, [(position, quantity) for position, _v, quantity in out])
    await rows.note_picked(tx, found.id)
    return part.id


async def give_up(
    tx: Tx,
    head: OrderHead,
    found: Fulfilment,
    out: Sequence[Units],
    reason: RejectReason,
    *,
    at: datetime | None = None,
) -> None:
    """End what is held at the place; what is not there, or broken, is booked out, of the lot that it is of."""
    place, units = _at(found), rules.by_variant(out)
    lines = [HoldLine(variant=variant, quantity=q, location=place) for variant, q in units.items()]
    await stock.release(tx, head.id, lines=lines)
    await delivery.count_less(tx, head.id, place, rules.sum_of(out))
    if reason in _GONE:
        gone = await lots.of_units(tx, found, place, out)
        await stock.write_off(
            tx,
            [(place, variant, quantity) for variant, _lot, quantity in gone],
            cause=_GONE[reason],
            reason=f"{reason} for {head.number}",
            reference=found.id,
            lots=[lot for _variant, lot, _quantity in gone],
            at=at,
        )


async def answer(tx: Tx, fulfilment_id: UUID, data: AnswerInput, *, by_customer: bool = False) -> Fulfilment:
    """The customer chose: the store that has it, to wait, or the money back. Said by staff, or ``by_customer``: by
    whoever has shown the order's link to the face that asks.

    Raises:
        WrongState: it was answered already, or no store has it.
    """
    found, head, lines = await enter(
        tx, fulfilment_id, (S.NEEDS_CUSTOMER, S.WAITING), by_customer=by_customer
    )
    if data.choice is Choice.OTHER_STORE:
        await _go_on_at(tx, head, found)
    elif data.choice is Choice.WAIT:
        if found.location is not None:
            await give_up(tx, head, found, rules.units_of(found.lines), RejectReason.OTHER)
        await rows.update(tx, found.id, {"state": S.WAITING, "location": None})
    else:
        await _refund(tx, head, lines, found, "not available")
    fact = facts.FulfilmentAnswered(number=head.number, fulfilment=found.id, choice=data.choice)
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await again(tx, found.id)


async def _go_on_at(tx: Tx, head: OrderHead, found: Fulfilment) -> None:
    """The store that was offered has the work now. An order all of which is there is an order of that store."""
    if found.location is None:
        raise WrongState("No store has it.", state=found.state)
    channel = await channels.cached(tx, head.channel)
    due = await fulfilment_plan.due_at(tx, found.location, channel, now(), head)
    await rows.update(tx, found.id, {"state": S.OPEN, "due_at": due})
    part = Part(
        id=found.id,
        location=found.location,
        method=found.method,
        state=S.OPEN,
        due_at=due,
        lines=rules.units_of(found.lines),
        came_from=found.came_from,
    )
    fulfilment_plan.tell_opened(tx, head, [part])
    elsewhere = [
        one.id
        for one in await rows.of_order(tx, head.id)
        if one.id != found.id
        and one.location != found.location
        and one.state not in (S.REJECTED, S.CANCELLED)
    ]
    if head.location is not None and not elsewhere:
        await store.update(tx, head.id, {"location": found.location})


async def _refund(tx: Tx, head: OrderHead, lines: list[OrderLine], found: Fulfilment, reason: str) -> None:
    """Call off a fulfilment's units. The last of an order of which nothing has left or was called off cancels it."""
    units = rules.units_of(found.lines)
    of_order = {line.position: line for line in lines}
    bought = sum(line.quantity for line in lines if line.kind is LineKind.ITEM)
    if bought == rules.sum_of(units):
        await changes.cancel_locked(tx, head, lines, CancelInput(reason=reason))
        return
    if found.location is not None:
        await give_up(tx, head, found, units, RejectReason.OTHER)
    await rows.update(tx, found.id, {"state": S.CANCELLED, "reason": reason, "code": None})
    chosen = [(of_order[position], quantity) for position, _variant, quantity in units]
    await changes.call_off(tx, head, lines, chosen, reason)


async def put_back(tx: Tx, fulfilment_id: UUID) -> Fulfilment:
    """Nobody came for it within its time: it is on the shelf and on sale again, and the money goes back.

    Raises:
        WrongState: it does not wait for a customer, or still may.
    """
    found, head, lines = await enter(tx, fulfilment_id, (S.READY,))
    if found.pick_up_by is None or found.pick_up_by > now():
        raise WrongState("The customer still has time to come.", state=found.state)
    await _refund(tx, head, lines, found, "not picked up")
    fact = facts.FulfilmentUncollected(
        number=head.number,
        fulfilment=found.id,
        location=_at(found),
        units=sum(line.quantity for line in found.lines),
    )
    log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
    return await again(tx, found.id)


async def retry_waiting(database: Database) -> int:
    """Look again for what customers wait for, the longest first, a transaction each; how many go on."""
    count = 0
    for fulfilment in await rows.waiting(database, RETRY_BATCH):
        count += await database.transaction(functools.partial(_retry, fulfilment=fulfilment))
    return count


async def _retry(tx: Tx, fulfilment: UUID) -> int:
    try:
        found, head, _lines = await enter(tx, fulfilment, (S.WAITING,))
    except WrongState:  # somebody answered meanwhile
        return 0
    units = rules.units_of(found.lines)
    excluded = await rows.rejecting(tx, head.id, fulfilment_routing.REJECTED_HOURS)
    picks, missing = await fulfilment_routing.hold_elsewhere(tx, head, found.method, units, excluded)
    if not picks:
        return 0
    taken = rules.spread(units, picks)
    channel, moment = await channels.cached(tx, head.channel), now()
    parts = []
    for place, lines in taken.items():
        asks = found.method in COLLECTED and place != head.location
        part = Part(
            id=new_id(),
            location=place,
            method=found.method,
            state=S.NEEDS_CUSTOMER if asks else S.OPEN,
            due_at=await fulfilment_plan.due_at(tx, place, channel, moment, head),
            lines=lines,
            came_from=found.id,
        )
        parts.append(part)
        if asks:
            fulfilment_routing.ask(tx, head, part.id, place, rules.sum_of(lines))
    if missing:
        gone, _rest = rules.take_from(units, _counts(units, missing))
        await rows.take_off(tx, found.id, [(position, q) for position, _v, q in gone])
    else:
        await rows.update(tx, found.id, {"state": S.CANCELLED, "reason": "found"})
    await fulfilment_plan.make(tx, head, parts)
    await fulfilment_plan.follow_slot(tx, head)
    return 1


def _counts(units: Sequence[Units], missing: Sequence[Units]) -> dict[int, int]:
    """How many of each line were found: all but what is missing."""
    lacking = {position: quantity for position, _variant, quantity in missing}
    return {position: quantity - lacking.get(position, 0) for position, _variant, quantity in units}


async def on_stock_lost(tx: Tx, event: Event) -> None:
    """A count or a correction found less than was held for orders: these orders go on from another place.

    The holds are gone already. Seen twice it does nothing the second time: it looks at what is held now.
    """
    lost: dict[UUID, set[tuple[UUID, UUID]]] = {}
    for line in event.payload["lines"]:
        if line["kind"] == "order":
            level = (UUID(line["location"]), UUID(line["variant"]))
            lost.setdefault(UUID(line["owner"]), set()).add(level)
    for order in sorted(lost):
        await make_up(tx, order, lost[order])


async def make_up(tx: Tx, order: UUID, levels: set[tuple[UUID, UUID]]) -> None:
    """Let an order go on from elsewhere of which less is held at levels (location, variant) than is to be given there."""
    locked = await store.lock(tx, order)
    if locked is None:
        return
    head, _lines = locked
    known = [one for one in await rows.lock(tx, order) if one.state in UNENDED and one.location is not None]
    held: dict[tuple[UUID, UUID], int] = {}
    for hold in await stock.holds_of(tx, order):
        held[hold.location, hold.variant] = held.get((hold.location, hold.variant), 0) + hold.quantity
    for found in known:
        for line in found.lines:
            level = (_at(found), line.variant)
            held[level] = held.get(level, 0) - line.quantity
    short = {level: -count for level, count in held.items() if count < 0 and level in levels}
    for found in sorted(known, key=lambda one: UNENDED.index(one.state)):  # the least ready lose first
        chosen: dict[int, int] = {}
        for line in found.lines:
            level = (_at(found), line.variant)
            part = min(line.quantity, short.get(level, 0))
            if part:
                chosen[line.position] = part
                short[level] -= part
        out, _rest = rules.take_from(rules.units_of(found.lines), chosen)
        if out:
            rejected = await _part_with(tx, head, found, out, reason=RejectReason.LOST, note="")
            await delivery.count_less(tx, head.id, _at(found), rules.sum_of(out))
            fact = facts.FulfilmentRejected(
                number=head.number,
                fulfilment=rejected,
                location=_at(found),
                reason=RejectReason.LOST,
                note="",
                units=rules.sum_of(out),
            )
            log.append(tx, fact, subject=head.id, channel=head.channel, profile=head.customer)
            await fulfilment_routing.reroute(tx, head, found.method, out, came_from=rejected)


def _at(fulfilment: Fulfilment) -> UUID:
    assert fulfilment.location is not None
    return fulfilment.location
