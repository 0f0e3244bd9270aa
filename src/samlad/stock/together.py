"""Holds that many want at once, taken together: what keeps a variant fast that everybody wants.

A level's row stays locked until its transaction has reached the disk, so that one after the other caps the sales of
a hot variant at a few hundred a second. Where several transactions of this process want the same variant, the holds
of the later ones are therefore taken by one short transaction for all who wait, each with its own verdict, while
their own transactions stay open; each then makes its hold its own without touching the level.

Such a hold belongs to nobody's order yet. It has an owner of its own, an expiry, and the id of the transaction that will
claim it: once that has ended without, because it was rolled back or its process killed, whoever is short of the
variant frees it.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import structlog

from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Busy, OutcomeUnknown, Problem
from samlad.stock import holds, store
from samlad.stock.model import Hold, HoldKind, HoldLine
from samlad.stock.problems import SoldOut

HOT = 2
"""So many others that want the same variant make it hot."""
LARGEST_GROUP = 64
UNCLAIMED_SECONDS = 60
"""How long a hold waits for the transaction that wanted it; longer than a statement may take."""

logger = structlog.get_logger("samlad.stock")


class Waiting(msgspec.Struct, frozen=True, eq=False):
    """Somebody who waits for a hold: what they want, and where they hear about it."""

    take: store.Take
    claimant: str
    context: Context
    verdict: "asyncio.Future[list[Hold]]"


class Together:
    """The holds of one process that are taken together. One for each database handle (`Database.companion`)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wanted: Counter[UUID] = Counter()
        self._alone: set[Tx] = set()
        self._waiting: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None

    def is_hot(self, lines: Sequence[HoldLine]) -> bool:
        """Whether enough others of this process want one of the variants just now."""
        return any(self._wanted[line.variant] >= HOT for line in lines)

    def enter(self, tx: Tx, lines: Sequence[HoldLine]) -> None:
        """Count a transaction among those that want these variants, until it ends."""
        variants = {line.variant for line in lines}
        self._wanted.update(variants)

        def leave() -> None:
            for variant in variants:
                self._wanted[variant] -= 1
                if not self._wanted[variant]:
                    del self._wanted[variant]

        tx.at_end(leave)

    def leave_alone(self, tx: Tx) -> None:
        """A transaction has freed what it will take: nobody else sees that, and whoever wants its level waits for it."""
        self._alone.add(tx)
        tx.at_end(lambda: self._alone.discard(tx))

    def is_alone(self, tx: Tx) -> bool:
        """Whether a transaction must take for itself."""
        return tx in self._alone

    async def take(self, take: store.Take, claimant: str, context: Context) -> list[Hold]:
        """Take a hold with whoever else waits. Raises `SoldOut` like `holds.take`."""
        waiting = Waiting(take, claimant, context, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="holds-together")
        return await waiting.verdict

    async def _work(self) -> None:
        group: list[Waiting] = []
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:LARGEST_GROUP], self._waiting[LARGEST_GROUP:]
                await self._serve([each for each in group if not each.verdict.done()])
        finally:
            self._task = None
            _fail([*group, *self._waiting], Busy("The process is ending."))

    async def _serve(self, group: list[Waiting]) -> None:
        """One transaction for the group; if it fails, one for each, so that nobody fails for another's reason."""
        if not group:
            return
        try:
            beside = await self._database.beside()
            outcomes = await beside.transaction(lambda tx: _take_each(tx, group))
        except OutcomeUnknown:  # what may have been taken is nobody's: their own transactions end without it
            _fail(group, Busy("The connection broke while goods were being held."))
            return
        except Exception as error:  # noqa: BLE001 - goes to those who wait
            if len(group) == 1 or isinstance(error, Busy):
                _fail(group, error)
                return
            for each in group:
                await self._serve([each])
            return
        for each, outcome in zip(group, outcomes, strict=True):
            if each.verdict.done():  # its request was given up
                self.give_back(each.take.owner)
            elif outcome.short:
                each.verdict.set_exception(SoldOut(outcome.short))
            else:
                each.verdict.set_result(outcome.held)

    def give_back(self, owner: UUID) -> None:
        """Give back a hold that nobody made their own, soon. If that fails it expires."""

        async def work() -> None:
            try:
                beside = await self._database.beside()
                await beside.transaction(lambda tx: holds.release(tx, owner, HoldKind.CHECKOUT))
            except Problem as error:
                logger.info("an unclaimed hold is left to expire", error=str(error))

        self._database.in_background(work())


def _fail(group: Sequence[Waiting], error: Exception) -> None:
    for each in group:
        if not each.verdict.done():
            each.verdict.set_exception(error)


async def _take_each(tx: Tx, group: Sequence[Waiting]) -> list[store.TakeOutcome]:
    outcomes = await store.take_each(tx, [each.take for each in group], [each.claimant for each in group])
    for each, outcome in zip(group, outcomes, strict=True):
        tx.context = each.context  # whose hold it is says who acted
        holds.tell(tx, each.take, outcome)
    return outcomes


async def take(
    tx: Tx,
    lines: Sequence[HoldLine],
    *,
    channel: Channel,
    kind: HoldKind,
    owner: UUID,
    expires_at: datetime | None = None,
) -> list[Hold]:
    """As `holds.take`; where many want the same at this moment, together with them.

    Raises:
        SoldOut: with what there is. Nothing was held.
        InvalidInput: a quantity below 1.
    """
    if not lines:
        return []
    if tx.is_shared:  # those who want the same are in this transaction
        return await holds.take(tx, lines, channel=channel, kind=kind, owner=owner, expires_at=expires_at)
    group = tx.database.companion(Together)
    is_hot = group.is_hot(lines)
    group.enter(tx, lines)
    if not is_hot or group.is_alone(tx):
        return await holds.take(tx, lines, channel=channel, kind=kind, owner=owner, expires_at=expires_at)
    unclaimed, until = new_id(), now() + timedelta(seconds=UNCLAIMED_SECONDS)
    wanted = holds.to_take(lines, channel=channel, kind=HoldKind.CHECKOUT, owner=unclaimed, expires_at=until)
    try:
        await group.take(wanted, await store.transaction_id(tx), tx.context)
    except (
        Busy
    ):  # somebody has the level for longer than a group may wait: this transaction may wait as long as any
        return await holds.take(tx, lines, channel=channel, kind=kind, owner=owner, expires_at=expires_at)
    tx.at_rollback(lambda: group.give_back(unclaimed))
    held = await holds.convert(tx, unclaimed, to_kind=kind, to_owner=owner, expires_at=expires_at)
    if sum(hold.quantity for hold in held) == sum(line.quantity for line in lines):
        return held
    if held:  # it took so long that some of it has expired
        rest = [HoldLine(hold.variant, hold.quantity, hold.location) for hold in held]
        await holds.release(tx, owner, lines=rest)
    return await holds.take(tx, lines, channel=channel, kind=kind, owner=owner, expires_at=expires_at)
