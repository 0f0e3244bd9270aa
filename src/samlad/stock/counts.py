"""Counting what is really there: open a count, enter what is found shelf by shelf, close it.

A count that differs by more than its location lets one person book waits for somebody else's approval.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from samlad.access import audit
from samlad.catalog import Tracking
from samlad.kernel import log
from samlad.kernel.context import Actor
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.stock import counts_store, lots_store, places, rules, service
from samlad.stock.events import CountSubmitted, StockCounted, moved_lines
from samlad.stock.model import Cause, Count, CountStatus
from samlad.stock.permissions import ADJUST, APPROVE
from samlad.stock.problems import LotNeeded
from samlad.stock.store import MoveLine


async def open_count(
    tx: Tx,
    location: UUID,
    *,
    note: str = "",
    is_blind: bool = False,
    count_id: UUID | None = None,
    at: datetime | None = None,
) -> Count:
    """Begin a count of a location. Selling goes on meanwhile.

    While a blind count is open, nobody is shown what the books say. On a phone without network it was begun ``at`` an earlier moment,
    under an id of its own.

    Raises:
        NotFound: no such location. Conflict: a count of this id was begun already.
    """
    tx.actor.require(ADJUST, location=location)
    place = await places.location(tx, location)
    begun = await counts_store.insert(tx, count_id or new_id(), place.id, note, is_blind, at)
    if begun is None:
        raise Conflict("This count was begun already.")
    return begun


async def enter(
    tx: Tx,
    count_id: UUID,
    lines: Sequence[tuple[UUID, int]],
    *,
    adds_up: bool = False,
    lots: Sequence[UUID | None] = (),
    at: datetime | None = None,
    found_by: UUID | None = None,
) -> Count:
    """Enter (variant, units found) each; what the books say at this moment is kept beside it.

    What was found ``at`` an earlier moment, on a phone without network, is compared with the books of then: what was sold
    since is no difference. ``found_by``: the member of staff who counted, if somebody else sends it in; neither of both may
    approve.

    A variant that is entered again replaces its line or, if it ``adds_up``, is so many more: scanned once again. What is
    kept by lot is counted by lot (``lots``); lots that nobody enters stay as they are.

    Raises:
        Conflict: the count is not open.
        InvalidInput: an unknown variant, or one twice.
        LotNeeded: it is kept by lot, and the line has none.
    """
    count = await counts_store.lock_to_enter(tx, count_id)
    tx.actor.require(ADJUST, location=count.location)
    entries = [
        (v, lot, units) for (v, units), lot in zip(lines, service.lots_beside(lots, lines), strict=True)
    ]
    if len({(variant, lot) for variant, lot, _ in entries}) < len(entries):
        raise InvalidInput.at("lines", "a variant is there twice")
    tracking = await lots_store.tracking_of(tx, [variant for variant, lot, _ in entries if lot is None])
    if any(how is not Tracking.NONE for how in tracking.values()):
        raise LotNeeded
    try:
        with service.moving():
            entered = await counts_store.enter(
                tx, count_id, entries, adds_up=adds_up, at=at, found_by=found_by
            )
    except asyncpg.ForeignKeyViolationError as error:
        raise InvalidInput.at("lines", "there is no such variant") from error
    if lines and not entered:
        raise Conflict("This count is not open.")
    return await counts_store.get(tx, count_id)


async def close(tx: Tx, count_id: UUID) -> Count:
    """Book the difference of each line: counted minus what the books said when it was counted.

    Sales since then stay sales, and what another count has booked since is booked once. Where fewer units remain than are held, holds are dropped and `StockLost` says whose.
    If it differs by more than the location lets one person book, nothing is booked: it is submitted for approval.

    Raises:
        Conflict: the count is not open.
    """
    count = await _lock_to_book(tx, count_id, CountStatus.OPEN)
    tx.actor.require(ADJUST, location=count.location)
    place = await places.location(tx, count.location)
    if rules.needs_approval(place, count.lines, await counts_store.unit_costs(tx, count_id)):
        values = {"status": CountStatus.SUBMITTED, "submitted_by": tx.actor.label}
        submitted = await counts_store.update(tx, count_id, values)
        log.append(tx, CountSubmitted(count=count_id, location=count.location), subject=count_id)
        return submitted
    return await _book(tx, await counts_store.update(tx, count_id, {"status": CountStatus.CLOSED}, ends=True))


async def approve(tx: Tx, count_id: UUID) -> Count:
    """Book a submitted count; somebody else than those who counted and submitted it.

    Raises:
        Conflict: it is not submitted, or the actor had a hand in it.
    """
    count = await _lock_to_book(tx, count_id, CountStatus.SUBMITTED)
    tx.actor.require(APPROVE, location=count.location)
    if await has_counted(tx, tx.actor, count):
        raise Conflict("Somebody who has not counted must approve this count.")
    values = {"status": CountStatus.CLOSED, "approved_by": tx.actor.label}
    return await _book(tx, await counts_store.update(tx, count_id, values, ends=True))


async def has_counted(reader: Reader, actor: Actor, count: Count) -> bool:
    """Whether somebody entered a line of a count or submitted it, so that somebody else has to approve it."""
    return actor.label in {count.submitted_by} | await counts_store.counters(reader, count.id)


async def as_seen(reader: Reader, actor: Actor, count: Count) -> Count:
    """A count as somebody may see it: who counts blind is not told what the books say before it is booked."""
    counted = count.is_blind and await has_counted(reader, actor, count)
    return rules.as_counter_sees(count, counted=counted)


async def reopen(tx: Tx, count_id: UUID) -> Count:
    """Count once more what was submitted: lines can be entered again. Raises Conflict if it is not submitted."""
    count = await _lock(tx, count_id, CountStatus.SUBMITTED)
    tx.actor.require(ADJUST, location=count.location)
    return await counts_store.update(tx, count_id, {"status": CountStatus.OPEN, "submitted_by": None})


async def cancel(tx: Tx, count_id: UUID) -> Count:
    """End a count without booking anything. Raises Conflict if it has ended."""
    count = await _lock(tx, count_id, CountStatus.OPEN, CountStatus.SUBMITTED)
    tx.actor.require(ADJUST, location=count.location)
    return await counts_store.update(tx, count_id, {"status": CountStatus.CANCELLED}, ends=True)


async def _lock(tx: Tx, count_id: UUID, *wanted: CountStatus) -> Count:
    count = await counts_store.lock(tx, count_id)
    if count.status not in wanted:
        raise Conflict(f"This count is {count.status}.")
    return count


async def _lock_to_book(tx: Tx, count_id: UUID, *wanted: CountStatus) -> Count:
    count = await _lock(tx, count_id, *wanted)
    await counts_store.give_way(tx, count_id)
    return await counts_store.get(tx, count.id)


async def _book(tx: Tx, count: Count) -> Count:
    differences = [
        MoveLine(count.location, line.variant, line.counted - (line.expected or 0), lot=line.lot)
        for line in count.lines
    ]
    moved = await service.move(tx, differences, cause=Cause.COUNT, reference=count.id, may_drop=True)
    await counts_store.tell_others(tx, count.id, moved)
    log.append(
        tx,
        StockCounted(
            count=count.id, location=count.location, counted=len(count.lines), lines=moved_lines(moved)
        ),
        subject=count.id,
    )
    after = {"count": count.id, "lines": moved, "submitted_by": count.submitted_by}
    audit.record(tx, "stock.counted", "location", count.location, after=after)
    return count
