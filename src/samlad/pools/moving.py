"""Moves as they are done: one transaction a turn, so that a process that is killed leaves a whole number of them.

The first turn switches the channel to its new pool, with those rows that nobody may look for in vain; then the rest
follows. What each turn moved is in the journal, and how far it came with the move, in the same transaction: the next
process goes on from there.
"""

from collections.abc import Callable
from uuid import UUID

import structlog

from samlad.channels import cache
from samlad.channels.pooling import Move, Step
from samlad.channels.store import lock_tree, switch
from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.jobs import JobContext, Retry, job
from samlad.kernel.problems import Conflict
from samlad.pools import registry, store
from samlad.pools.events import PoolMoved, PoolSwitched
from samlad.pools.model import MoveRow

JOB = "pools.move"
ROWS = 2000
"""Of one turn: a fraction of a second."""

logger = structlog.get_logger("samlad.pools")


@job(JOB, retry=Retry(attempts=10_000, first_seconds=1, longest_seconds=60))
async def move(ctx: JobContext, move: UUID) -> None:
    """Do what is left of a move."""
    await carry_on(ctx.database, move)


async def carry_on(
    database: Database, move: UUID, progress: Callable[[int], None] = lambda _rows: None
) -> None:
    """Do what is left of a move. Several at once take turns; of one that is over there is nothing left.

    ``progress`` is told how many rows were carried over so far.
    """
    try:
        while (rows := await database.transaction(lambda tx: _turn(tx, move))) is not None:
            progress(rows)
    except Exception as error:
        logger.warning("a move between pools failed; it is tried again", move=str(move), error=str(error))
        text = f"{type(error).__name__}: {error}"
        await database.transaction(lambda tx: store.fail(tx, move, text))
        raise


async def _turn(tx: Tx, move_id: UUID) -> int | None:
    """One turn; the rows carried over so far, None when there was nothing left."""
    found = await store.lock(tx, move_id)
    if found is None or found[0].status == "done":
        return None
    row, cursor = found
    later = [step for step in registry.steps(row.resource) if not step.with_switch]
    if row.step == 0:
        rows = await _switch(tx, row)
        await store.advance(tx, row.id, step=1, cursor=None, rows=rows)
    elif row.step <= len(later):
        turn = await later[row.step - 1].run(tx, row.move(), cursor, ROWS)
        is_over, rows = turn.cursor is None, turn.rows
        await store.advance(tx, row.id, step=row.step + is_over, cursor=turn.cursor, rows=rows)
    else:
        await store.finish(tx, row.id)
        old, new = _ways(row)
        fact = PoolMoved(move=row.id, resource=row.resource, kind=row.kind, old=old, new=new, rows=row.rows)
        log.append(tx, fact, subject=row.id, channel=row.channel)
        return None
    return row.rows + rows


async def _switch(tx: Tx, row: MoveRow) -> int:
    """The channel uses the other pool from this commit on."""
    move = row.move()
    old, new = _ways(row)
    await lock_tree(tx)
    if not await switch(tx, row.channel, row.resource, old, new):
        raise Conflict("The channel does not use the pool any more that it was to leave.")
    rows = 0
    for step in registry.steps_of_switch(row.resource):
        rows += await _whole(tx, move, step)
    fact = PoolSwitched(move=row.id, resource=row.resource, kind=row.kind, old=old, new=new)
    log.append(tx, fact, subject=row.id, channel=row.channel)
    tx.after_commit(cache.forget)
    return rows


def _ways(row: MoveRow) -> tuple[UUID, UUID]:
    """Where the channel comes from and where it goes; of a move that has begun both are there."""
    move = row.move()
    assert move.old is not None
    assert move.new is not None
    return move.old, move.new


async def _whole(tx: Tx, move: Move, step: Step) -> int:
    rows, cursor = 0, None
    while True:
        turn = await step.run(tx, move, cursor, ROWS)
        rows += turn.rows
        if turn.cursor is None:
            return rows
        cursor = turn.cursor
