"""Leases: the part of a store's stock that a till may sell without asking, a hold with an end of its own.

While it lasts nobody else sells those units, so that what the till sells from it without network was not sold twice. What it
sells beyond it is sold all the same (`samlad.tills.journal`).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from samlad import orders, stock
from samlad.kernel.clock import now
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import Forbidden
from samlad.stock import Hold, HoldKind
from samlad.tills import store
from samlad.tills.desk import Desk, desk_of
from samlad.tills.model import Lease, Leased, LeaseInput, LeaseOf

LOOK_BACK = timedelta(days=28)
MOST_VARIANTS = 500
"""So many of what a store sold most are leased when nobody says what."""


async def take(tx: Tx, data: LeaseInput) -> Lease:
    """Lease units for a till, of each as many as are free at its store; beside what it has leased before.

    Without lines: of what the store has sold most lately, the channel's ``till_lease_percent`` of what lies there, rounded down: a single
    piece is nobody's before somebody has it in hand.

    Raises:
        Forbidden, NotFound: not this store.
    """
    desk = await desk_of(tx, tx.actor, data.channel)
    if data.lines is not None and tx.actor.kind == "kiosk":
        raise Forbidden("A kiosk leases what its store sells most, and nothing that it names.")
    await store.note_device(tx, data.till, desk.channel.id, desk.location.id)
    until = _until(desk)
    await stock.prolong(tx, data.till, expires_at=until)
    if data.lines is None:
        wanted = await _usual(tx, desk, data.till)
    else:
        wanted = [(line.variant, line.units) for line in data.lines]
    units: dict[UUID, int] = defaultdict(int)
    parts = await stock.parts_of(tx, [variant for variant, _ in wanted])  # of sets those are what is leased
    for variant, count in wanted:
        for part, each in parts.get(variant, {variant: 1}).items():
            units[part] += count * each
    await stock.lease(
        tx,
        desk.location.id,
        sorted(units.items()),
        channel=desk.channel,
        owner=data.till,
        expires_at=until,
    )
    return await of_till(tx, data.till)


async def renew(tx: Tx, data: LeaseOf) -> Lease:
    """Let a till's lease last anew for the channel's ``till_lease_seconds``. What had expired may be gone: the answer says what
    there is."""
    desk = await desk_of(tx, tx.actor, data.channel)
    await store.note_device(tx, data.till, desk.channel.id, desk.location.id)
    await stock.prolong(tx, data.till, expires_at=_until(desk))
    return await of_till(tx, data.till)


async def give_back(tx: Tx, data: LeaseOf) -> Lease:
    """Everything that a till has leased is on sale again; nothing if it has none."""
    await desk_of(tx, tx.actor, data.channel)
    await stock.release(tx, data.till, HoldKind.LEASE)
    return Lease(till=data.till, lines=[], expires_at=None)


async def of_till(reader: Reader, till: UUID) -> Lease:
    """What a till has leased now."""
    holds = [hold for hold in await stock.holds_of(reader, till) if hold.kind is HoldKind.LEASE]
    return Lease(till=till, lines=_lines(holds), expires_at=await stock.lease_ends(reader, till))


def _lines(holds: Sequence[Hold]) -> list[Leased]:
    units: dict[UUID, int] = defaultdict(int)
    for hold in holds:
        units[hold.variant] += hold.quantity
    return [Leased(variant=variant, units=count) for variant, count in sorted(units.items())]


def _until(desk: Desk) -> datetime:
    return now() + timedelta(seconds=desk.channel.setting("till_lease_seconds"))


async def _usual(tx: Tx, desk: Desk, till: UUID) -> list[tuple[UUID, int]]:
    """What is missing of the usual part, as (variant, units)."""
    sold = await orders.sold_most(tx, desk.channel.id, now() - LOOK_BACK, MOST_VARIANTS)
    free = await stock.atp(tx, desk.channel, sold, carry_out=True)
    mine = {line.variant: line.units for line in (await of_till(tx, till)).lines}
    percent = desk.channel.setting("till_lease_percent")
    wanted = {variant: free[variant] * percent // 100 - mine.get(variant, 0) for variant in sold}
    return [(variant, units) for variant, units in wanted.items() if units > 0]
