"""One act on all rows of a list that a filter found, as a job: products put away, customers tagged. (Orders have `samlad.orders.bulk`.)

What is chosen is written down at the start. Then each row is a transaction of its own, in which the act and the note of its
outcome are one: whatever is killed, no row has it half or twice. What a row was before stands beside it, so that all of it is
taken back by an act of the same kind.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad.access import bulk_store, identity
from samlad.access.bulk_store import BulkAct, BulkRow
from samlad.kernel import jobs
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, job
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem

JOB = "access.bulk"
MOST = 100_000
_AT_ONCE = 50
"""Rows that the job looks up in one go; each is still a transaction of its own."""

Arguments = dict[str, Any]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of act: what it needs, and what it does to one row.

    ``act`` says in a word what the row was before (None: it is so already); ``back`` makes it that again, unless somebody has
    changed it since.
    """

    name: str
    needs: str
    act: Callable[[Tx, UUID, Arguments], Awaitable[str | None]]
    back: Callable[[Tx, UUID, str, Arguments], Awaitable[None]]


_KINDS: dict[str, Kind] = {}


def declare(kind: Kind) -> Kind:
    """Let acts of a kind be begun; at import, so that the worker knows it, too."""
    _KINDS[kind.name] = kind
    return kind


async def begin(tx: Tx, kind: str, rows: Sequence[UUID], arguments: Arguments) -> UUID:
    """Write down what is chosen, and let the job begin after the commit.

    Raises:
        Conflict: nothing is chosen. InvalidInput: more than 100,000 rows.
    """
    tx.actor.require(_KINDS[kind].needs)
    if not rows:
        raise Conflict("None of these is there any more, or none fits the filters.")
    if len(rows) > MOST:
        raise InvalidInput.at("filters", f"more than {MOST:,} fit; narrow the filters")
    made = new_id()
    actor = msgspec.to_builtins(tx.actor)
    await bulk_store.insert(tx, made, kind, arguments, tx.actor.id, actor, rows)
    await jobs.defer(tx, JOB, {"bulk": made}, lock=f"{JOB}:{made}")
    return made


async def take_back(tx: Tx, bulk: UUID) -> UUID:
    """Begin the act that makes the rows what they were, of those that another one has changed.

    Raises:
        NotFound: there is none, or it is somebody else's. Conflict: it is still under way, is such an act itself, or changed nothing.
    """
    found = await get(tx, tx.actor, bulk)
    if found.is_back or found.state == "running" or not found.changed:
        raise Conflict("There is nothing to take back.")
    made = new_id()
    await bulk_store.insert_back(tx, made, bulk, tx.actor.id, msgspec.to_builtins(tx.actor))
    await jobs.defer(tx, JOB, {"bulk": made}, lock=f"{JOB}:{made}")
    return made


async def get(reader: Reader, actor: Actor, bulk: UUID) -> BulkAct:
    """How far an act is. Its own staff see it, and who may do such acts anywhere.

    Raises:
        NotFound: there is none, or it is somebody else's. Forbidden.
    """
    found = await bulk_store.get(reader, bulk)
    if found is None or found.kind not in _KINDS:
        raise NotFound("There is no such bulk act.")
    actor.require(_KINDS[found.kind].needs)
    if actor.locations is not None and found.staff != actor.id:
        raise NotFound("There is no such bulk act.")
    return found


async def refused(reader: Reader, bulk: UUID, most: int) -> list[BulkRow]:
    """The rows of an act that stayed as they were, with why."""
    return await bulk_store.refused(reader, bulk, most)


async def stop(tx: Tx, bulk: UUID) -> None:
    """Leave the rows that have no outcome yet as they are. Stopped twice, or done, it stays so.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    await get(tx, tx.actor, bulk)
    await bulk_store.end(tx, bulk, "stopped")


@job(JOB)
async def run_job(ctx: JobContext, bulk: UUID) -> None:
    """Go through what has no outcome yet."""
    await run(ctx.database, bulk)


async def run(database: Database, bulk: UUID) -> None:
    """Give every row of an act its outcome. Several may do it at once; again it goes on where it was."""
    found = await bulk_store.get(database, bulk)
    if found is None or found.state != "running":
        return
    context = Context(actor=await identity.who_asked(database, await bulk_store.actor_of(database, bulk)))
    while waiting := await bulk_store.next_rows(database, bulk, _AT_ONCE):
        taken = 0
        for row in waiting:
            taken += await _one(database, context, found, row)
        if not taken:
            break  # another process has these
    await database.transaction(lambda tx: bulk_store.end(tx, bulk, "done"), context)


async def _one(database: Database, context: Context, bulk: BulkAct, row: BulkRow) -> bool:
    """Give one row its outcome; whether it was this process that did."""
    kind = _KINDS[bulk.kind]

    async def work(tx: Tx) -> bool:
        if not await bulk_store.claim(tx, bulk.id, row.position):
            return False
        if bulk.is_back:
            await kind.back(tx, row.subject, row.before or "", bulk.arguments)
            before = row.before
        else:
            before = await kind.act(tx, row.subject, bulk.arguments)
        await bulk_store.mark(tx, bulk.id, row.position, "done", before=before)
        return True

    try:
        return await database.transaction(work, context)
    except Problem as problem:
        reason = problem.detail or " ".join(error.message for error in problem.errors) or problem.title

    async def refuse(tx: Tx) -> None:
        await bulk_store.mark(tx, bulk.id, row.position, "refused", before=row.before, reason=reason)

    await database.transaction(refuse, context)
    return True
