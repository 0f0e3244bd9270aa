"""What people decide of pairs, and the queue in which they are shown: one pair each, and nobody the same.

A decision is one of identity's (`samlad.identity`), so that it stands in the history of the person and can be taken back
there as well as here.
"""

from collections.abc import Sequence
from uuid import UUID

from samlad import channels, identity
from samlad.channels import Resource
from samlad.duplicates import pair_store, rules, store
from samlad.duplicates.events import PairDecided
from samlad.duplicates.model import NextInput, Pair, PoolSettings
from samlad.duplicates.pair_store import Found
from samlad.duplicates.permissions import DECIDE, SEE_CUSTOMERS
from samlad.identity import ApartInput, Decision, MergeInput
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import Conflict, NotFound

SAME = "They are one person: probable duplicates."
NOT_SAME = "They are not one person: probable duplicates."
SURE = "Merged without asking: {probability:.4%} probable, {strong} strong fields agree."
UNDONE = "Taken back: probable duplicates."


async def pool_of(reader: Reader, channel: UUID) -> UUID:
    """The pool of customers that a channel uses.

    Raises:
        NotFound: there is no such channel.
    """
    found = await channels.get(reader, channel)
    return found.pools[Resource.CUSTOMERS]


async def next_pair(tx: Tx, wanted: NextInput) -> Pair | None:
    """The surest pair that waits and that nobody else looks at; None: nothing waits. Asked twice it is the same one."""
    tx.actor.require(DECIDE)
    tx.actor.require(SEE_CUSTOMERS)
    pool = None if wanted.channel is None else await pool_of(tx, wanted.channel)
    return await pair_store.take(tx, tx.actor.label, pool, wanted)


async def merge(tx: Tx, pair: UUID, reason: str = SAME) -> Pair:
    """They are one person.

    Raises:
        NotFound: there is no such pair.
        Conflict: it is decided already, somebody else looks at it, or they have become one by themselves.
    """
    tx.actor.require(DECIDE)
    held = await _decide(tx, pair, "merged")
    return await _noted(tx, held, await _merge(tx, held.left, held.right, reason))


async def _merge(tx: Tx, left: UUID, right: UUID, reason: str) -> Decision:
    return await identity.merge(tx, MergeInput(profiles=[left, right], reason=reason))


async def keep_apart(tx: Tx, pair: UUID, reason: str = NOT_SAME) -> Pair:
    """They are not one person, and never become one by what is seen.

    Raises:
        NotFound: there is no such pair.
        Conflict: it is decided already, or somebody else looks at it.
    """
    tx.actor.require(DECIDE)
    held = await _decide(tx, pair, "apart")
    given = ApartInput(profiles=[held.left, held.right], reason=reason)
    return await _noted(tx, held, await identity.keep_apart(tx, given))


async def skip(tx: Tx, pair: UUID) -> Pair:
    """Not now: others are shown it, the one who skipped it is not until they ask for what they skipped.

    Raises:
        NotFound: there is no such pair.
        Conflict: it does not wait, or somebody else looks at it.
    """
    tx.actor.require(DECIDE)
    return await _there(tx, pair, await pair_store.skip(tx, pair, tx.actor.label))


async def unskip(tx: Tx, pair: UUID | None = None) -> int:
    """Show the actor again what they skipped: one pair, or all; how many."""
    tx.actor.require(DECIDE)
    return len(await pair_store.unskip(tx, tx.actor.label, pair))


async def undo(tx: Tx, pair: UUID) -> Pair:
    """Take back what was decided of a pair: it waits again, for who took it back first.

    Raises:
        NotFound: there is no such pair.
        Conflict: nothing was decided of it, or that was taken back already.
    """
    tx.actor.require(DECIDE)
    held = await pair_store.get(tx, pair)
    if held is None:
        raise NotFound("There is no such pair.")
    if held.decision is None:
        raise Conflict("Nothing was decided of this pair.", pair=str(pair))
    await identity.undo(tx, held.decision, UNDONE)
    after = await pair_store.reopen(tx, pair, tx.actor.label, held.decision)
    if after is None:
        raise Conflict("It was taken back already.", pair=str(pair))
    _tell(tx, after)
    return after


async def _decide(tx: Tx, pair: UUID, status: str) -> Pair:
    return await _there(tx, pair, await pair_store.decide(tx, pair, tx.actor.label, status))


async def _there(tx: Tx, pair: UUID, done: Pair | None) -> Pair:
    if done is not None:
        return done
    found = await pair_store.get(tx, pair)
    if found is None:
        raise NotFound("There is no such pair.")
    if found.status != "open":
        raise Conflict("It is decided already.", status=found.status)
    raise Conflict("Somebody else looks at this pair.", held_by=found.held_by)


async def _noted(tx: Tx, pair: Pair, decision: Decision) -> Pair:
    await pair_store.set_decision(tx, pair.id, decision.id)
    after = await pair_store.get(tx, pair.id)
    assert after is not None
    _tell(tx, after)
    return after


def _tell(tx: Tx, pair: Pair) -> None:
    fact = PairDecided(left=pair.left, right=pair.right, verdict=pair.status, is_automatic=pair.is_automatic)
    log.append(tx, fact, subject=pair.id)


# -- without asking ----------------------------------------------------------------------------------------------------


async def merge_sure(tx: Tx, found: Sequence[Found]) -> int:
    """Merge those of some pairs that need nobody's eyes, where a pool wants that; how many.

    Two who have different numbers, logins or loyalty cards are never among them.
    """
    cards = {card.customer: card for card in await store.cards_of(tx, {each.left for each in found})}
    settings = await store.settings_of(tx, {card.pool for card in cards.values()})
    sure = [each for each in found if _is_sure(settings[cards[each.left].pool], each)]
    if not sure:
        return 0
    numbers = await pair_store.numbers_of(tx, {each for two in sure for each in (two.left, two.right)})
    merged = 0
    for each in sure:
        if not rules.contradict(numbers[each.left], numbers[each.right]):
            merged += await _merge_one(tx, each)
    return merged


def _is_sure(settings: PoolSettings, found: Found) -> bool:
    return rules.is_automatic(settings, found.score)


async def _merge_one(tx: Tx, found: Found) -> bool:
    """Merge two, unless somebody looks at them or has decided, or an earlier merge has made them one."""
    if await identity.are_one(tx, found.left, found.right):
        return False
    pair = await pair_store.between(tx, found.left, found.right)
    if pair is None or pair.status != "open":
        return False
    held = await pair_store.decide(tx, pair.id, tx.actor.label, "merged", is_automatic=True)
    if held is None:
        return False
    reason = SURE.format(probability=found.score.probability, strong=rules.strong(found.score.evidence))
    await _noted(tx, held, await _merge(tx, held.left, held.right, reason))
    return True
