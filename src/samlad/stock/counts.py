"""Counting what is really there: open a count, enter what is found shelf by shelf, close it."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from samlad.access import audit
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.stock import counts_store, service, store
from samlad.stock.events import StockCounted, moved_lines
from samlad.stock.model import Cause, Count, CountStatus
from samlad.stock.permissions import ADJUST
from samlad.stock.store import MoveLine


async def open_count(tx: Tx, location: UUID, *, note: str = "") -> Count:
    """Begin a count of a location. Selling goes on meanwhile. Raises NotFound."""
    tx.actor.require(ADJUST, location=location)
    place = await store.location(tx, location)
    return await counts_store.insert(tx, new_id(), place.id, note)


async def enter(tx: Tx, count_id: UUID, lines: Sequence[tuple[UUID, int]]) -> Count:
    """Enter (variant, units found) each; what the books say at this moment is kept beside it.

    A variant that is entered again replaces its line.

    Raises:
        Conflict: the count is closed.
        InvalidInput: an unknown variant, or one twice.
    """
    count = await counts_store.get(tx, count_id)
    tx.actor.require(ADJUST, location=count.location)
    if len({variant for variant, _ in lines}) < len(lines):
        raise InvalidInput.at("lines", "a variant is there twice")
    try:
        entered = await counts_store.enter(tx, count_id, lines)
    except asyncpg.ForeignKeyViolationError as error:
        raise InvalidInput.at("lines", "there is no such variant") from error
    if lines and not entered:
        raise Conflict("This count is closed.")
    return await counts_store.get(tx, count_id)


async def close(tx: Tx, count_id: UUID) -> Count:
    """Book the difference of each line: counted minus what the books said when it was counted.

    Sales since then stay sales. Where fewer units remain than are held, holds are dropped and `StockLost` says whose.

    Raises:
        Conflict: the count is closed.
    """
    count = await counts_store.end(tx, count_id, CountStatus.CLOSED)
    if count is None:
        await counts_store.get(tx, count_id)
        raise Conflict("This count is closed.")
    tx.actor.require(ADJUST, location=count.location)
    differences = [
        MoveLine(count.location, line.variant, line.counted - line.expected) for line in count.lines
    ]
    moved = await service.move(tx, differences, cause=Cause.COUNT, reference=count.id, may_drop=True)
    log.append(
        tx,
        StockCounted(
            count=count.id, location=count.location, counted=len(count.lines), lines=moved_lines(moved)
        ),
        subject=count.id,
    )
    audit.record(tx, "stock.counted", "location", count.location, after={"count": count.id, "lines": moved})
    return count


async def cancel(tx: Tx, count_id: UUID) -> Count:
    """End a count without booking anything. Raises Conflict if it is closed."""
    count = await counts_store.end(tx, count_id, CountStatus.CANCELLED)
    if count is None:
        await counts_store.get(tx, count_id)
        raise Conflict("This count is closed.")
    tx.actor.require(ADJUST, location=count.location)
    return count
