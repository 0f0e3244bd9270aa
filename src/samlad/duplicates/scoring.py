"""Scoring in process: whose card is new or another is compared with whoever has a key in common, in milliseconds."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

from samlad.duplicates import deciding, pair_store, rules, store
from samlad.duplicates.cards import Raw, card_of
from samlad.duplicates.pair_store import Found
from samlad.duplicates.store import Card
from samlad.kernel.database import Reader, Tx

Two = tuple[Card, Card]


async def refresh(tx: Tx, customers: Collection[UUID]) -> None:
    """Bring cards of customers up to date, and with those that differ the pairs that they are in."""
    raw = await store.raw_of(tx, customers)
    await store.hold_pools(tx, {each.pool for each in raw})
    await store.drop_cards(tx, customers)
    await rescore(tx, await keep(tx, raw))


async def keep(tx: Tx, raw: Sequence[Raw]) -> set[UUID]:
    """Write cards; the customers whose card is another than before."""
    records = {each.id: card_of(each) for each in raw}
    return await store.put_cards(
        tx, {customer: (record, rules.keys_of(record)) for customer, record in records.items()}
    )


async def rescore(tx: Tx, customers: Collection[UUID]) -> None:
    """Compare customers with all who may be the same: keep pairs that are probable, forget those that are not."""
    if not customers:
        return
    mine = {card.customer: card for card in await store.cards_of(tx, customers)}
    twos: dict[tuple[UUID, UUID], Two] = {}
    for asked, other in await store.alike(tx, list(mine)):
        one = mine[asked]
        two = (one, other) if one.customer < other.customer else (other, one)
        twos[two[0].customer, two[1].customer] = two
    found = await probable(tx, list(twos.values()))
    await pair_store.drop_others(tx, customers, [(each.left, each.right) for each in found])
    await pair_store.put(tx, found)
    await deciding.merge_sure(tx, found)


async def probable(reader: Reader, twos: Sequence[Two]) -> list[Found]:
    """Those of some pairs that are so probable that somebody should look, by the model and settings of their pool."""
    by_pool: dict[UUID, list[Two]] = defaultdict(list)
    for two in twos:
        by_pool[two[0].pool].append(two)
    models = await store.models_of(reader, by_pool)
    settings = await store.settings_of(reader, by_pool)
    found = []
    for pool, some in by_pool.items():
        trained, least = models[pool], settings[pool].suggest_from
        fields = rules.frequent_fields(trained.model)
        records = {card.customer: card.record() for two in some for card in two}
        shares = await store.frequencies(reader, trained.id, fields, records.values())
        for one, other in some:
            score = rules.score(trained.model, shares, records[one.customer], records[other.customer])
            if score.probability >= least:
                found.append(Found(one.customer, other.customer, score, trained.version))
    return found
