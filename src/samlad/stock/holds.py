"""Holds and what becomes of them: the verbs of every sale. Each is one statement; the functions are in ``sql/``.

These verbs ask for no permission: they are parts of the verbs of carts, orders and tills, which do.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.stock import store
from samlad.stock.events import (
    Line,
    StockConverted,
    StockHeld,
    StockMoved,
    StockReleased,
    moved_lines,
    released_lines,
)
from samlad.stock.model import LARGEST, Cause, Hold, HoldKind, HoldLine, Moved
from samlad.stock.problems import NotHeld, NotInStock, ShortLine, SoldOut

SWEEP_BATCH = 1000
CLAIM_SECONDS = 600
"""So long it is known which transaction a hold was taken for; the hold itself has expired before."""


async def take(
    tx: Tx,
    lines: Sequence[HoldLine],
    *,
    channel: Channel,
    kind: HoldKind,
    owner: UUID,
    expires_at: datetime | None = None,
    keep_back: bool = True,
) -> list[Hold]:
    """Hold units for an owner, all of them or none.

    A line with a location is held there. Others go where the routing finds them: the channel's own store first, then
    the active locations of its stock pool by priority, one location for all lines if there is one that has them; the
    channel's buffer is kept back. What a location keeps back, and whether it serves the channel, holds for both, except
    for lines that name the channel's own store. Holds that have expired make room.

    Without ``keep_back`` no buffer holds, and lines may name a location that does not serve the channel: staff fetch
    the goods of an order that stands already.

    Raises:
        SoldOut: with what there is. Nothing was held.
        InvalidInput: a quantity below 1.
    """
    if not lines:
        return []
    wanted = to_take(
        lines, channel=channel, kind=kind, owner=owner, expires_at=expires_at, keep_back=keep_back
    )
    outcome = await tx.with_others(_take_each, wanted, writes=True)
    tell(tx, wanted, outcome)
    if outcome.short:
        raise SoldOut(outcome.short)
    return outcome.held


async def _take_each(tx: Tx, wanted: Sequence[store.Take]) -> list[store.TakeOutcome | BaseException]:
    return [
        SoldOut(each.short) if each.short and not each.expired else each
        for each in await store.take_each(tx, wanted)
    ]


async def gone(reader: Reader, variants: Sequence[UUID], *, channel: Channel) -> list[UUID]:
    """Of which variants nothing at all is left for a channel, a set when that is so of a part: a look before anything is
    priced or locked, after which taking decides. One statement."""
    return await store.gone(reader, variants, channel.pools[Resource.STOCK])


async def short(reader: Reader, lines: Sequence[HoldLine], *, channel: Channel) -> list[ShortLine]:
    """Of which lines there is not enough, as `take` would say it now; nothing is locked or held."""
    pool = channel.pools[Resource.STOCK]
    return await store.short(reader, lines, channel.id, pool, channel.setting("buffer"))


async def planned(
    reader: Reader, lines: Sequence[HoldLine], *, channel: Channel
) -> dict[tuple[UUID, UUID], int]:
    """Where `take` would hold lines now: units by (location, variant); nothing is locked or held."""
    pool = channel.pools[Resource.STOCK]
    return await store.plan(reader, lines, channel.id, pool, channel.setting("buffer"))


def to_take(
    lines: Sequence[HoldLine],
    *,
    channel: Channel,
    kind: HoldKind,
    owner: UUID,
    expires_at: datetime | None,
    keep_back: bool = True,
) -> store.Take:
    """What `take` asks of the database. Raises `InvalidInput` for a quantity below 1."""
    _check(lines)
    return store.Take(
        lines=lines,
        channel=channel.id,
        pool=channel.pools[Resource.STOCK],
        buffer=channel.setting("buffer") if keep_back else None,
        kind=kind,
        owner=owner,
        expires_at=expires_at,
    )


def tell(tx: Tx, wanted: store.Take, outcome: store.TakeOutcome) -> None:
    """Append what a take did: what had expired is free, what was wanted is held."""
    if outcome.expired:
        log.append(tx, StockReleased(reason="expired", lines=released_lines(outcome.expired)))
    if outcome.short:
        return
    fact = StockHeld(
        kind=wanted.kind,
        owner=wanted.owner,
        expires_at=wanted.expires_at,
        lines=[Line(h.location, h.variant, h.quantity) for h in outcome.held],
    )
    log.append(tx, fact, subject=wanted.owner, channel=wanted.channel)


async def release(
    tx: Tx, owner: UUID, kind: HoldKind | None = None, *, lines: Sequence[HoldLine] | None = None
) -> list[Hold]:
    """Give back what is held for an owner: everything (perhaps of one kind; perhaps nothing), or these lines.

    Raises:
        NotHeld: with ``lines``, when less is held than they say.
    """
    if lines is not None:
        _check(lines)
    released = await store.release(tx, owner, kind, lines)
    _check_complete(released, lines)
    if released:
        log.append(tx, StockReleased(reason="released", lines=released_lines(released)), subject=owner)
    return released


async def convert(
    tx: Tx, owner: UUID, *, to_kind: HoldKind, to_owner: UUID, expires_at: datetime | None = None
) -> list[Hold]:
    """Pass on everything that is held for an owner: a checkout's hold becomes the order's.

    Answers what was really held: an expired hold may be gone, so compare with what was expected.
    """
    wanted = store.Conversion(owner, to_kind, to_owner, expires_at)
    holds = await tx.with_others(store.convert_each, wanted, writes=True)
    if holds:
        units = sum(hold.quantity for hold in holds)
        log.append(
            tx,
            StockConverted(owner=owner, to_owner=to_owner, to_kind=to_kind, units=units),
            subject=to_owner,
        )
    return holds


async def ship(
    tx: Tx,
    owner: UUID,
    *,
    cause: Cause = Cause.SALE,
    reference: UUID | None = None,
    lines: Sequence[HoldLine] | None = None,
) -> list[Moved]:
    """Held units leave their locations: the holds end and the ledger says so. ``reference`` defaults to the owner.

    Of goods that are kept by lot those lots leave that ``lines`` name, and else those whose turn it is at the location;
    never what has expired or is recalled. The answer says which.

    Raises:
        NotHeld: nothing is held for the owner, or less than ``lines`` say.
        NotInStock: a backorder whose units have not come yet, or a lot that is not here any more.
    """
    if lines is not None:
        _check(lines)
    event = new_id()
    try:
        moved = await store.ship(tx, owner, lines, cause=cause, reference=reference or owner, event=event)
    except asyncpg.CheckViolationError as error:
        raise NotInStock("Units on backorder have not come yet, or may not be sold any more.") from error
    except asyncpg.PostgresError as error:
        if error.sqlstate != "SLOTX":
            raise
        raise NotInStock(f"Another lot must leave: {error.args[0]}.") from error
    if not moved:
        raise NotHeld("Nothing is held for this owner.")
    if lines is not None and -sum(m.quantity for m in moved) != sum(line.quantity for line in lines):
        raise NotHeld("Less is held for this owner than is to be shipped.")
    log.append(
        tx,
        StockMoved(cause=cause, reference=reference or owner, lines=moved_lines(moved)),
        subject=reference or owner,
        event_id=event,
    )
    return moved


async def sweep(database: Database) -> int:
    """Release every expired hold, in batches of a transaction each; how many."""
    total = 0
    while True:
        count = await database.transaction(_sweep_batch)
        total += count
        if count < SWEEP_BATCH:
            return total


async def _sweep_batch(tx: Tx) -> int:
    await store.forget_claims(tx, CLAIM_SECONDS)
    expired = await store.sweep(tx, SWEEP_BATCH)
    if expired:
        log.append(tx, StockReleased(reason="expired", lines=released_lines(expired)))
    return len(expired)


def _check(lines: Sequence[HoldLine]) -> None:
    for index, line in enumerate(lines):
        if not 1 <= line.quantity <= LARGEST:
            raise InvalidInput.at(f"lines/{index}/quantity", f"between 1 and {LARGEST}")
    if sum(line.quantity for line in lines) > LARGEST:
        raise InvalidInput.at("lines", f"more than {LARGEST} units in all")


def _check_complete(holds: list[Hold], lines: Sequence[HoldLine] | None) -> None:
    if lines is not None and sum(h.quantity for h in holds) != sum(line.quantity for line in lines):
        raise NotHeld("Less is held for this owner than is to be released.")
