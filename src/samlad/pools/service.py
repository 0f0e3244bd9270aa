"""The verbs of pools: let a channel join, let it leave. Both begin a durable piece of work (`samlad.pools.moving`)."""

from uuid import UUID

import msgspec

from samlad import channels
from samlad.access import audit
from samlad.channels import Resource
from samlad.channels.pooling import MoveKind
from samlad.channels.store import lock_tree, new_pool
from samlad.kernel import jobs, log
from samlad.kernel.database import Tx
from samlad.kernel.problems import Conflict
from samlad.pools import moving, store
from samlad.pools.events import PoolMoveBegun
from samlad.pools.model import MoveRow
from samlad.pools.permissions import MOVE
from samlad.pools.planning import plan


async def join(
    tx: Tx, channel_id: UUID, resource: Resource, *, to: str | None = None, keeps_own: bool = False
) -> MoveRow:
    """Let a channel join the pool of others. The work begins when this has committed.

    ``keeps_own``: where both have a price or a text for the same goods, the channel keeps its own.

    Raises:
        NotFound, InvalidInput: as `plan`.
        Conflict: something stands in the way (``findings`` says what), the channel shares with others already, or another
            move of it is under way.
    """
    return await _begin(tx, channel_id, resource, MoveKind.JOIN, to, keeps_own=keeps_own)


async def leave(tx: Tx, channel_id: UUID, resource: Resource, *, keeps_own: bool = False) -> MoveRow:
    """Let a channel leave the pool that it shares, back into its own with everything that has happened since.

    ``keeps_own``: of prices and collections, its shoppers go on with what they see, as copies that are its own.

    Raises:
        NotFound: there is no such channel.
        Conflict: as `join`; also it is alone already.
    """
    return await _begin(tx, channel_id, resource, MoveKind.LEAVE, None, keeps_own=keeps_own)


async def _begin(
    tx: Tx, channel_id: UUID, resource: Resource, kind: MoveKind, to: str | None, *, keeps_own: bool = False
) -> MoveRow:
    tx.actor.require(MOVE)
    await lock_tree(tx)  # two channels that join each other at once would end in each other's old pools
    channel = await channels.get(tx, channel_id)
    planned = await plan(tx, channel, resource, to, keeps_own=keeps_own)
    if planned.kind is not kind:
        raise Conflict(
            f"“{channel.code}” shares its {resource} with others already."
            if kind is MoveKind.JOIN
            else f"“{channel.code}” has its {resource} for itself."
        )
    if not planned.is_ready:
        raise Conflict(
            "Something stands in the way; see the plan.", findings=msgspec.to_builtins(planned.blocking())
        )
    if busy := [each for each in await store.running(tx) if planned.shared in (each.home, each.shared)]:
        raise Conflict("Another channel is on its way into or out of that pool.", move=str(busy[0].id))
    home = planned.home or await new_pool(tx, resource, channel.name)
    made = await store.insert(
        tx,
        channel=channel.id,
        resource=resource,
        kind=kind,
        home=home,
        shared=planned.shared,
        joined=planned.joined,
        expected=planned.rows,
        keeps_own=keeps_own,
    )
    if made is None:
        (under_way,) = await store.running(tx, channel.id)
        raise Conflict("The channel is on its way already.", move=str(under_way.id))
    await jobs.defer(tx, moving.JOB, {"move": made}, lock=f"pools.move {made}")
    fact = PoolMoveBegun(move=made, resource=resource, kind=kind, home=home, shared=planned.shared)
    log.append(tx, fact, subject=made, channel=channel.id)
    audit.record(
        tx,
        f"pools.{kind}",
        "channel",
        channel.id,
        after={"resource": str(resource), "with": planned.to, "keeps_own": keeps_own},
    )
    row = await store.get(tx, made)
    assert row is not None
    return row
