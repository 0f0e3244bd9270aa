"""The training of a pool, in the background: a job that may die anywhere and goes on from what it has kept.

Cards that are missing are made, a model is learnt from all of them and kept, and then everybody is compared with it. One
training of a pool at a time; clerks go on deciding meanwhile.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import structlog

from samlad.access import audit
from samlad.duplicates import deciding, pair_store, scoring, store, training
from samlad.duplicates.events import ModelTrained, PoolScored
from samlad.duplicates.model import PoolSettings, Progress, SettingsInput, TrainedModel, TrainInput
from samlad.duplicates.permissions import RULES
from samlad.kernel import clock, jobs, log
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.jobs import JobContext, Retry, job
from samlad.kernel.problems import Conflict, InvalidInput, Outdated

JOB = "duplicates.train"
LEAST_PEOPLE = 500
"""Of fewer there is nothing to learn: they are compared by the model that is there."""
STRIDE = 1_000

logger = structlog.get_logger("samlad.duplicates")


async def ask(tx: Tx, given: TrainInput) -> Progress:
    """Have a pool trained.

    Raises:
        NotFound: there is no such channel.
        Conflict: a training waits or is under way.
    """
    tx.actor.require(RULES)
    pool = await deciding.pool_of(tx, given.channel)
    if not await order(tx, pool):
        raise Conflict("A training of this pool waits or is under way.")
    audit.record(tx, "duplicates.training-asked", "pool", pool)
    run = await store.run_of(tx, pool)
    assert run is not None
    return run


async def order(tx: Tx, pool: UUID, model: UUID | None = None) -> bool:
    """Have a pool trained, or with a ``model`` only compared; False if that waits or is under way already."""
    if not await store.ask(tx, pool, model):
        return False
    name = f"{JOB} {pool}"
    await jobs.defer(tx, JOB, {"pool": pool}, lock=name, queueing_lock=name)
    return True


@job(JOB, retry=Retry(attempts=5, first_seconds=10, longest_seconds=600))
async def train(ctx: JobContext, pool: UUID) -> None:
    """Do what is left of a training."""
    await carry_on(ctx.database, pool)


async def carry_on(database: Database, pool: UUID) -> None:
    """Do what is left of a training; of one that is over there is nothing left."""
    run = await store.run_of(database, pool)
    if run is None or run.state == "done":
        return
    try:
        await _catch_up(database, pool)
        with TemporaryDirectory(prefix="samlad-duplicates-") as folder:  # nobody else can read it
            await _train(database, pool, Path(folder), is_learnt=run.model is not None)
    except Exception as error:
        logger.warning("a training failed", pool=str(pool), error=str(error))
        text = f"{type(error).__name__}: {error}"[:2000]
        await database.transaction(lambda tx: store.set_run(tx, pool, state="failed", problem=text))
        raise


async def _catch_up(database: Database, pool: UUID) -> None:
    """Make the cards that are missing. Nobody is compared yet: that comes for all at once."""
    after: UUID | None = None

    async def stride(tx: Tx) -> UUID | None:
        raw = await store.without_card(tx, pool, after, STRIDE)
        await scoring.keep(tx, raw)
        return raw[-1].id if len(raw) == STRIDE else None

    while (after := await database.transaction(stride)) is not None:
        pass


async def _train(database: Database, pool: UUID, folder: Path, *, is_learnt: bool) -> None:
    state = "scoring" if is_learnt else "training"
    await database.transaction(lambda tx: store.set_run(tx, pool, state=state, problem=None))
    file = folder / "people.csv"
    file.touch(mode=0o600)
    people = await _write(database, pool, file)
    base = await asyncio.to_thread(training.open_people, folder)
    try:
        await asyncio.to_thread(training.load_people, base, file)
        file.unlink()
        if not is_learnt and people >= LEAST_PEOPLE:
            learnt = await asyncio.to_thread(training.learn, base)
            await database.transaction(lambda tx: _keep(tx, pool, learnt))
        used = (await store.models_of(database, [pool]))[pool]
        least = (await store.settings_of(database, [pool]))[pool].suggest_from
        await database.transaction(lambda tx: store.set_run(tx, pool, state="scoring", people=people))
        began = clock.now()
        pairs = training.predict(base, used.model, training.SHAPE, least)
        while (few := await asyncio.to_thread(next, pairs, None)) is not None:
            await _put_all(database, pool, few)
    finally:
        base.close()
    await database.transaction(lambda tx: _end(tx, pool, used, began))


async def _put_all(database: Database, pool: UUID, pairs: Sequence[tuple[str, str, float]]) -> None:
    for place in range(0, len(pairs), STRIDE):
        ids = [(UUID(one), UUID(other)) for one, other, _ in pairs[place : place + STRIDE]]
        await database.transaction(lambda tx, ids=ids: _put(tx, pool, ids))  # type: ignore[misc]


async def _write(database: Database, pool: UUID, file: Path) -> int:
    """Everybody's card into a file; how many."""
    count, after = 0, None
    while True:
        cards = await store.cards_after(database, pool, after, STRIDE * 10)
        people = [(str(card.customer), card.record()) for card in cards]
        count += training.write_people(file, training.SHAPE.fields, people)
        if len(cards) < STRIDE * 10:
            return count
        after = cards[-1].customer


async def _keep(tx: Tx, pool: UUID, learnt: training.Learnt) -> None:
    """Keep a model, once: a training that was killed here and begins again finds it."""
    run = await store.lock_run(tx, pool)
    if run is None or run.model is not None:
        return
    made = await store.add_model(
        tx,
        pool,
        learnt.model,
        people=learnt.people,
        untrained=learnt.untrained,
        seconds=learnt.seconds,
    )
    assert made.id is not None
    await store.add_frequencies(tx, made.id, learnt.shares)
    await store.set_run(tx, pool, model=made.id)
    log.append(tx, ModelTrained(pool=pool, version=made.version, people=learnt.people), subject=made.id)


async def _put(tx: Tx, pool: UUID, ids: Sequence[tuple[UUID, UUID]]) -> None:
    """Keep pairs as they are now: cards may have changed, and people have become one, since they were compared."""
    await store.hold_pools(tx, [pool])
    cards = {card.customer: card for card in await store.cards_of(tx, {each for two in ids for each in two})}
    twos = [(cards[min(two)], cards[max(two)]) for two in ids if _may_be_one(cards, *two)]
    found = await scoring.probable(tx, twos)
    await pair_store.put(tx, found)
    await deciding.merge_sure(tx, found)


def _may_be_one(cards: Mapping[UUID, store.Card], left: UUID, right: UUID) -> bool:
    one, other = cards.get(left), cards.get(right)
    if one is None or other is None:
        return False
    return one.person != other.person and one.pool == other.pool


async def _end(tx: Tx, pool: UUID, used: TrainedModel, began: datetime) -> None:
    run = await store.lock_run(tx, pool)
    if run is None or run.state == "done":
        return
    await pair_store.drop_older(tx, pool, used.version, began)
    suggested = await pair_store.waiting(tx, pool)
    await store.set_run(tx, pool, state="done", suggested=suggested, ended_at=clock.now())
    log.append(tx, PoolScored(pool=pool, version=used.version, suggested=suggested), subject=pool)


# -- settings ----------------------------------------------------------------------------------------------------------


async def settings(reader: Reader, channel: UUID) -> PoolSettings:
    """How the pool of a channel's customers treats duplicates."""
    pool = await deciding.pool_of(reader, channel)
    return (await store.settings_of(reader, [pool]))[pool]


async def change_settings(tx: Tx, channel: UUID, given: SettingsInput, expected: int | None) -> PoolSettings:
    """Change how a pool treats duplicates. Pairs that are there are looked at again by the next comparison.

    Raises:
        NotFound: there is no such channel.
        InvalidInput: what is merged without asking would be less sure than what is shown.
        Outdated: the settings are not of the version ``expected`` any more.
    """
    tx.actor.require(RULES)
    before = await settings(tx, channel)
    if expected is not None and expected != before.version:
        raise Outdated("The settings were changed meanwhile.")
    wanted = PoolSettings(
        pool=before.pool,
        suggest_from=before.suggest_from if given.suggest_from is None else given.suggest_from,
        automatic=before.automatic if given.automatic is None else given.automatic,
        automatic_from=before.automatic_from if given.automatic_from is None else given.automatic_from,
    )
    if wanted.automatic_from < wanted.suggest_from:
        raise InvalidInput.at(
            "automatic_from", "must be at least suggest_from: what is merged was shown first"
        )
    after = await store.put_settings(tx, wanted, before.version)
    if after is None:
        raise Outdated("The settings were changed meanwhile.")
    audit.record(
        tx,
        "duplicates.settings-changed",
        "pool",
        before.pool,
        after={
            "suggest_from": after.suggest_from,
            "automatic": after.automatic,
            "automatic_from": after.automatic_from,
        },
    )
    return after
