"""One act on many orders, as a job: chosen rows, or everything under a filter.

What is chosen is written down at the start. Then each order is a transaction of its own, in which the act and the note of its
outcome are one: whatever is killed, no order has it half or twice, and the job goes on with those that have no outcome. What an
order refuses stays as it was, with the reason beside it; it does not hold up the others.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.access import identity
from samlad.kernel import cards, jobs, log
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, job
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, Problem
from samlad.orders import bulk_store, changes, fulfilment_assign, tagging, tagging_store
from samlad.orders.bulk_store import Bulk
from samlad.orders.events import BulkBegun, BulkEnded
from samlad.orders.lists import LISTING
from samlad.orders.model import CancelInput, FulfilInput
from samlad.orders.permissions import CHANGE, READ
from samlad.orders.tagging import OrderTag

JOB = "orders.bulk"
MOST_ORDERS = 10_000
_AT_ONCE = 50
"""Orders that the job looks up in one go; each is still a transaction of its own."""


class BulkInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An act on many orders: those of ``orders``, or all under ``filters`` (as the list of orders has them).

    ``tags`` are for tag and untag, ``reason`` for cancel, ``location`` for assign.
    """

    act: Literal["tag", "untag", "fulfil", "cancel", "assign"]
    orders: Annotated[list[UUID], Meta(max_length=MOST_ORDERS)] | None = None
    filters: (
        Annotated[
            dict[str, Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")]], Meta(max_length=30)
        ]
        | None
    ) = None
    tags: Annotated[list[OrderTag], Meta(max_length=20)] = []
    reason: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""
    location: UUID | None = None


async def begin(tx: Tx, data: BulkInput, *, bulk: UUID | None = None, of: UUID | None = None) -> Bulk:
    """Write down what is chosen, and let the job begin after the commit. With an id that is known: that act. ``of`` is an act on tags
    that it takes back: of each order only those that the act has changed.

    Raises:
        InvalidInput: both orders and filters or neither, more than 10,000 orders, what the act needs is missing.
        Conflict: nothing is chosen.
    """
    tx.actor.require(CHANGE)
    cards.refuse(data.reason, "reason")
    fresh = bulk or new_id()
    rows = await chosen(tx, data.orders, data.filters)
    if not rows:
        raise Conflict("None of these orders is there any more, or none fits the filters.")
    arguments = _arguments(data) | ({} if of is None else {"of": str(of)})
    actor = msgspec.to_builtins(tx.actor)
    if await bulk_store.insert(tx, fresh, data.act, arguments, tx.actor.id, actor, rows):
        log.append(tx, BulkBegun(act=data.act, total=len(rows)), subject=fresh)
        await jobs.defer(tx, JOB, {"bulk": fresh}, lock=f"orders.bulk:{fresh}")
    return await get(tx, tx.actor, fresh)


async def chosen(tx: Tx, rows: Sequence[UUID] | None, under: Mapping[str, str] | None) -> list[UUID]:
    """These orders, or all under some filters, each once; of staff who are bound to locations only theirs.

    Raises:
        InvalidInput: both or neither, a filter that is none, more than 10,000 orders.
    """
    if (rows is None) == (under is None):
        raise InvalidInput.at("orders", "either these orders or filters")
    places = tx.actor.bound_to
    if rows is not None:
        return await bulk_store.known(tx, rows, places)
    filters = dict(under or {}) | (
        {} if places is None else {"location": ",".join(map(str, places)) or str(new_id())}
    )
    found = await LISTING.keys(tx, ListQuery(filters=filters), most=MOST_ORDERS + 1)
    if len(found) > MOST_ORDERS:
        raise InvalidInput.at("filters", f"more than {MOST_ORDERS:,} orders fit; narrow the filters")
    return found


def _arguments(data: BulkInput) -> dict[str, Any]:
    if data.act in ("tag", "untag"):
        if not data.tags:
            raise InvalidInput.at("tags", "name at least one tag")
        return {"tags": tagging.words_of(data.tags)}
    if data.act == "assign":
        if data.location is None:
            raise InvalidInput.at("location", "name the location")
        return {"location": str(data.location)}
    return {"reason": data.reason.strip()} if data.act == "cancel" else {}


async def get(reader: Reader, actor: Actor, bulk: UUID) -> Bulk:
    """How far an act is. Its own staff see it, and who may change orders anywhere.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    actor.require(READ)
    found = await bulk_store.get(reader, bulk)
    if found is None or (actor.locations is not None and found.staff != actor.id):
        raise NotFound("There is no such bulk act.")
    return found


async def stop(tx: Tx, bulk: UUID) -> Bulk:
    """Leave the orders that have no outcome yet as they are. Stopped twice, or done, it stays so.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    tx.actor.require(CHANGE)
    await get(tx, tx.actor, bulk)
    if await bulk_store.end(tx, bulk, "stopped"):
        await _tell_end(tx, bulk, stopped=True)
    return await get(tx, tx.actor, bulk)


async def _tell_end(tx: Tx, bulk: UUID, *, stopped: bool = False) -> None:
    found = await bulk_store.get(tx, bulk)
    assert found is not None
    fact = BulkEnded(act=found.act, done=found.done, refused=found.refused, stopped=stopped)
    log.append(tx, fact, subject=bulk)


# -- the job -----------------------------------------------------------------------------------------------------------


@job(JOB)
async def run_job(ctx: JobContext, bulk: UUID) -> None:
    """Go through what has no outcome yet."""
    await run(ctx.database, bulk)


async def run(database: Database, bulk: UUID) -> None:
    """Give every order of an act its outcome. Several may do it at once; again it goes on where it was."""
    found = await bulk_store.get(database, bulk)
    if found is None or found.state != "running":
        return
    actor = await identity.who_asked(database, await bulk_store.actor_of(database, bulk))
    context = Context(actor=actor)
    while waiting := await bulk_store.next_rows(database, bulk, _AT_ONCE):
        taken = 0
        for order in waiting:
            taken += await _one(database, context, found, order)
        if not taken:
            break  # another process has these

    async def ending(tx: Tx) -> None:
        if await bulk_store.end(tx, bulk, "done"):
            await _tell_end(tx, bulk)

    await database.transaction(ending, context)


async def _one(database: Database, context: Context, bulk: Bulk, order: UUID) -> bool:
    """Give one order its outcome; whether it was this process that did."""

    async def work(tx: Tx) -> bool:
        if not await bulk_store.claim(tx, bulk.id, order):
            return False
        changed = await _ACTS[bulk.act](tx, order, bulk.arguments)
        await bulk_store.mark(tx, bulk.id, order, "done", changed=changed)
        return True

    async def refused(tx: Tx, reason: str) -> None:
        await bulk_store.mark(tx, bulk.id, order, "refused", reason)

    try:
        return await database.transaction(work, context)
    except Problem as problem:
        reason = problem.detail or problem.title
        await database.transaction(lambda tx: refused(tx, reason), context)
        return True


async def _tag(tx: Tx, order: UUID, arguments: dict[str, Any]) -> list[str]:
    had, tags = await tagging_store.tags_of(tx, order), await _tags(tx, order, arguments)
    await tagging.tag(tx, order, tags)
    return [tag for tag in tags if tag not in had]


async def _untag(tx: Tx, order: UUID, arguments: dict[str, Any]) -> list[str]:
    had, tags = await tagging_store.tags_of(tx, order), await _tags(tx, order, arguments)
    await tagging.untag(tx, order, tags)
    return [tag for tag in tags if tag in had]


async def _tags(tx: Tx, order: UUID, arguments: dict[str, Any]) -> list[str]:
    """The tags that are meant; of an act that takes another back, those that this has changed of an order."""
    changed = await bulk_store.changed(tx, UUID(arguments["of"]), order) if "of" in arguments else None
    return list(arguments["tags"] if changed is None else changed)


async def _fulfil(tx: Tx, order: UUID, _arguments: dict[str, Any]) -> None:
    await changes.fulfil(tx, order, FulfilInput())


async def _cancel(tx: Tx, order: UUID, arguments: dict[str, Any]) -> None:
    await changes.cancel(tx, order, CancelInput(reason=arguments["reason"]))


async def _assign(tx: Tx, order: UUID, arguments: dict[str, Any]) -> None:
    await fulfilment_assign.assign_order(tx, order, UUID(arguments["location"]))


_ACTS: dict[str, Callable[[Tx, UUID, dict[str, Any]], Awaitable[list[str] | None]]] = {
    "tag": _tag,
    "untag": _untag,
    "fulfil": _fulfil,
    "cancel": _cancel,
    "assign": _assign,
}
