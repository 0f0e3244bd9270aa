"""What people decide: these are one person, these are not, this value is nobody's. Every decision can be taken back.

A decision is a pin that the rules look at; nothing is rewritten. So a merge that is taken back leaves what there would
be if it had never been, with everything that was seen meanwhile.
"""

from collections.abc import Collection, Sequence
from uuid import UUID

from samlad import customers
from samlad.access import audit
from samlad.identity import decision_store, store
from samlad.identity.model import Kind, PinKind
from samlad.identity.observing import observe
from samlad.identity.permissions import DECIDE
from samlad.identity.preparing import sighting_of_customer
from samlad.identity.projecting import Cause, project
from samlad.identity.store import Node
from samlad.identity.views import ApartInput, Decision, MergeInput, SplitInput
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound


async def merge(tx: Tx, given: MergeInput) -> Decision:
    """Profiles are one person, whatever the rules make of them.

    Raises:
        NotFound: one of them is not known.
        InvalidInput: they are of different pools, or one is nobody.
        Conflict: they are one already.
    """
    tx.actor.require(DECIDE)
    nodes = await _held(tx, given.profiles)
    profiles = sorted({node.profile for node in nodes})
    if len(profiles) < 2:
        raise Conflict("They are one person already.", profile=str(profiles[0]))
    return await _decide(tx, PinKind.SAME, profiles[:1], profiles[1:], given.reason)


async def split(tx: Tx, given: SplitInput) -> Decision:
    """Some of a profile's identifiers are somebody else's, from now on and whatever is seen.

    Raises:
        NotFound: there is no such profile.
        InvalidInput: an identifier is not of it, or none would be left.
    """
    tx.actor.require(DECIDE)
    [named] = await _held(tx, [given.profile])
    mine = await store.lock_nodes(
        tx, await decision_store.people_of(tx, named.profile), [named.profile, *given.identifiers]
    )
    mine = [node for node in mine if node.profile == named.profile]
    leaving = set(given.identifiers)
    if not leaving <= {node.id for node in mine}:
        raise InvalidInput.at("identifiers", "all must be identifiers of this profile")
    staying = [node for node in mine if node.id not in leaving]
    if not staying:
        raise InvalidInput.at("identifiers", "at least one must stay")
    if given.takes_along:
        staying = [node for node in staying if node.kind == Kind.CUSTOMER] or staying[:1]
    return await _decide(tx, PinKind.APART, sorted(leaving), [node.id for node in staying], given.reason)


async def keep_apart(tx: Tx, given: ApartInput) -> Decision:
    """Profiles are not one person, and never become one by what is seen: a cannot-link pin between their customers.

    Raises:
        NotFound: one of them is not known.
        InvalidInput: they are of different pools, one is nobody, or both are the same.
    """
    tx.actor.require(DECIDE)
    await _held(tx, given.profiles)
    one, other = given.profiles
    if one == other:
        raise InvalidInput.at("profiles", "must be two different ones")
    return await _decide(tx, PinKind.APART, [one], [other], given.reason)


async def block(tx: Tx, identifier: UUID, reason: str) -> Decision:
    """An identifier links nobody: the shop's own phone, a mailbox that many read."""
    tx.actor.require(DECIDE)
    return await _decide(tx, PinKind.BLOCK, [await _one(tx, identifier)], [], reason)


async def release(tx: Tx, identifier: UUID, reason: str) -> Decision:
    """An identifier may link though it is blocked, or was seen with too many."""
    tx.actor.require(DECIDE)
    return await _decide(tx, PinKind.RELEASE, [await _one(tx, identifier)], [], reason)


async def undo(tx: Tx, decision: UUID, reason: str) -> Decision:
    """Take a decision back: who is who becomes what it would be without it.

    Raises:
        NotFound: there is no such decision.
        Conflict: it was taken back already.
    """
    tx.actor.require(DECIDE)
    await decision_store.share_pool_of(tx, decision)
    done = await decision_store.retract(tx, decision, tx.actor.label, reason)
    if done is None:
        if await decision_store.get(tx, decision) is None:
            raise NotFound("There is no such decision.")
        raise Conflict("It was taken back already.")
    await _follow(tx, done)
    audit.record(
        tx, "identity.decision-undone", "decision", done.id, after={"kind": done.kind, "reason": reason}
    )
    return await _told(tx, done)


async def dismiss(tx: Tx, conflict: UUID) -> None:
    """Somebody has looked: there is nothing to do. It comes back if the reason becomes another.

    Raises:
        NotFound: there is no such conflict.
    """
    tx.actor.require(DECIDE)
    if not await decision_store.dismiss(tx, conflict):
        raise NotFound("There is no such conflict, or it is closed.")
    audit.record(tx, "identity.conflict-dismissed", "conflict", conflict)


async def _decide(
    tx: Tx, kind: PinKind, left: Sequence[UUID], right: Sequence[UUID], reason: str
) -> Decision:
    pools = await decision_store.pools_of(tx, [*left, *right])
    if len(pools) != 1:
        raise InvalidInput.at("profiles", "all must be of one pool of customers")
    made = await decision_store.add(tx, new_id(), pools[0], kind, left, right, reason)
    await _follow(tx, made)
    audit.record(
        tx,
        f"identity.{kind}",
        "profile",
        left[0],
        after={
            "left": [str(each) for each in left],
            "right": [str(each) for each in right],
            "reason": reason,
        },
    )
    return await _told(tx, made)


async def _follow(tx: Tx, decision: Decision) -> None:
    nodes = {*decision.left, *decision.right}
    reopened: Collection[UUID] = nodes if decision.kind in (PinKind.BLOCK, PinKind.RELEASE) else ()
    await project(tx, decision.pool, nodes, cause=Cause("decided", decision.id), reopened=reopened)


async def _told(tx: Tx, decision: Decision) -> Decision:
    return await decision_store.with_profiles(tx, decision)


async def _held(tx: Tx, ids: Sequence[UUID]) -> list[Node]:
    """The identifiers that these ids are of, held, with their profiles as they are then."""
    wanted = set(ids)
    await _meet(tx, wanted)
    await decision_store.share_pools_of(tx, wanted)
    nodes = await store.lock_nodes(tx, wanted, wanted)
    missing = wanted - {node.id for node in nodes}
    if missing:
        raise NotFound("There is no such profile.", profile=str(min(missing)))
    if any(node.kind == Kind.SIGHTING for node in nodes):
        raise InvalidInput.at("profiles", "a moment at a shared device is nobody by itself")
    return nodes


async def _meet(tx: Tx, ids: Collection[UUID]) -> None:
    """Customers of whom nothing was seen yet: they may have been added a moment ago."""
    there = await store.current(tx, ids)
    rows = [await customers.get(tx, each) for each in sorted(set(ids) - there.keys())]
    await observe(tx, [sighting_of_customer(row, row.created_at, str(row.id)) for row in rows if row])


async def _one(tx: Tx, identifier: UUID) -> UUID:
    [node] = await _held(tx, [identifier])
    if node.kind == Kind.CUSTOMER:
        raise InvalidInput.at("identifier", "a customer of ours is not a value that others could share")
    return node.id
