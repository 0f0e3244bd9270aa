"""SQL of the tables of probable duplicates: cards, models and settings. Pairs are in `pair_store`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad.duplicates.cards import Raw
from samlad.duplicates.comparing import DEFAULT, FIELDS, LARGEST_BLOCK
from samlad.duplicates.model import (
    Model,
    PoolSettings,
    Progress,
    Record,
    TrainedModel,
)
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id

_RAW = """SELECT c.id, c.pool, c.name, c.email, c.phone, c.country, o.address
          FROM customer c LEFT JOIN LATERAL (
              SELECT address FROM orders WHERE customer = c.id AND address IS NOT NULL AND kind = 'sale'
              ORDER BY placed_at DESC LIMIT 1) o ON true"""
_TOLD = "(c.name IS NOT NULL OR c.email IS NOT NULL OR c.phone IS NOT NULL)"


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """What is compared of a customer, and by what they are found."""

    customer: UUID
    pool: UUID
    person: UUID
    """The customer that stands for them."""
    keys: list[str]
    given: str | None
    family: str | None
    name: str | None
    email: str | None
    mailbox: str | None
    phone: str | None
    street: str | None
    postcode: str | None
    address: str | None

    def record(self) -> Record:
        """As rules look at it."""
        return {field: getattr(self, field) for field in FIELDS}


_CARD = f"""SELECT k.customer, c.pool, coalesce(c.survivor, c.id) AS person, k.keys, {", ".join(f"k.{f}" for f in FIELDS)}
            FROM duplicate_card k JOIN customer c ON c.id = k.customer"""


async def raw_of(reader: Reader, customers: Collection[UUID]) -> list[Raw]:
    """Customers as written, those of whom nothing is known left out."""
    return await reader.all(Raw, f"{_RAW} WHERE c.id = ANY($1) AND {_TOLD}", list(customers))


async def without_card(reader: Reader, pool: UUID, after: UUID | None, limit: int) -> list[Raw]:
    """Customers of a pool that have no card yet, in key order."""
    return await reader.all(
        Raw,
        f"""{_RAW} WHERE c.pool = $1 AND ($2::uuid IS NULL OR c.id > $2) AND {_TOLD}
                     AND NOT EXISTS (SELECT FROM duplicate_card k WHERE k.customer = c.id)
            ORDER BY c.id LIMIT $3""",
        pool,
        after,
        limit,
    )


async def put_cards(tx: Tx, cards: Mapping[UUID, tuple[Record, Sequence[str]]]) -> set[UUID]:
    """Keep cards, in key order; the customers whose card is another than before.

    Of who is being erased none is kept: their row has nothing any more, and is held until that is committed.
    """
    ordered = sorted(cards)
    columns: list[list[Any]] = [[cards[each][0].get(field) for each in ordered] for field in FIELDS]
    keys = ["\x1f".join(cards[each][1]) for each in ordered]
    rows = await tx.rows(
        f"""
        WITH given AS (
            SELECT t.* FROM unnest($1::uuid[], $2::text[], {", ".join(f"${n}::text[]" for n in range(3, 3 + len(FIELDS)))})
                            AS t (customer, joined, {", ".join(FIELDS)})
            JOIN customer c ON c.id = t.customer AND {_TOLD} ORDER BY t.customer FOR SHARE OF c
        )
        INSERT INTO duplicate_card AS k (customer, keys, {", ".join(FIELDS)})
        SELECT customer, CASE WHEN joined = '' THEN '{{}}' ELSE string_to_array(joined, chr(31)) END, {", ".join(FIELDS)}
        FROM given
        ON CONFLICT (customer) DO UPDATE
        SET keys = excluded.keys, {", ".join(f"{f} = excluded.{f}" for f in FIELDS)}
        WHERE (k.keys, {", ".join(f"k.{f}" for f in FIELDS)})
              IS DISTINCT FROM (excluded.keys, {", ".join(f"excluded.{f}" for f in FIELDS)})
        RETURNING customer
        """,
        ordered,
        keys,
        *columns,
    )
    return {row["customer"] for row in rows}


async def drop_cards(tx: Tx, customers: Collection[UUID]) -> None:
    """Forget cards of customers of whom nothing is known any more."""
    await tx.execute(
        f"""DELETE FROM duplicate_card k USING customer c
            WHERE k.customer = ANY($1) AND c.id = k.customer AND NOT {_TOLD}""",
        list(customers),
    )


async def cards_of(reader: Reader, customers: Collection[UUID]) -> list[Card]:
    """The cards of customers that have one."""
    return await reader.all(Card, f"{_CARD} WHERE k.customer = ANY($1) ORDER BY k.customer", list(customers))


async def cards_after(reader: Reader, pool: UUID, after: UUID | None, limit: int) -> list[Card]:
    """The cards of a pool in key order, a stride."""
    return await reader.all(
        Card,
        f"{_CARD} WHERE c.pool = $1 AND ($2::uuid IS NULL OR k.customer > $2) ORDER BY k.customer LIMIT $3",
        pool,
        after,
        limit,
    )


async def alike(reader: Reader, customers: Collection[UUID]) -> list[tuple[UUID, Card]]:
    """Who has a key in common with these customers and may be the same: not yet the same person, in the same pool.

    A key that more than `LARGEST_BLOCK` people have finds nobody.
    """
    rows = await reader.rows(
        f"""
        WITH asked AS (
            SELECT k.customer AS asked, c.pool AS in_pool, coalesce(c.survivor, c.id) AS asked_person, key
            FROM duplicate_card k JOIN customer c ON c.id = k.customer CROSS JOIN unnest(k.keys) AS key
            WHERE k.customer = ANY($1)
        ), blocks AS (
            SELECT a.asked, a.asked_person, f.*, count(*) OVER (PARTITION BY a.asked, a.key) AS people
            FROM asked a CROSS JOIN LATERAL (
                {_CARD} WHERE k.keys @> ARRAY[a.key] AND c.pool = a.in_pool LIMIT {LARGEST_BLOCK + 1}) AS f
        )
        SELECT DISTINCT ON (asked, customer) asked, customer, pool, person, keys, {", ".join(FIELDS)} FROM blocks
        WHERE people <= {LARGEST_BLOCK} AND customer <> asked AND person <> asked_person ORDER BY asked, customer
        """,
        list(customers),
    )
    found = []
    for row in rows:
        values = dict(row.items())
        found.append((values.pop("asked"), Card(**values)))
    return found


# -- models ------------------------------------------------------------------------------------------------------------

_MODEL = "id, pool, version, document AS model, people, untrained, seconds, trained_at"


def shipped(pool: UUID) -> TrainedModel:
    """The model that comes with Samlad."""
    return TrainedModel(
        id=None,
        pool=pool,
        version=0,
        model=DEFAULT,
        people=0,
        untrained=[],
        seconds=0.0,
        trained_at=None,
    )


async def models(reader: Reader, pool: UUID) -> list[TrainedModel]:
    """Every model of a pool, the newest first; the last is what comes with Samlad."""
    rows = await reader.all(
        TrainedModel, f"SELECT {_MODEL} FROM duplicate_model WHERE pool = $1 ORDER BY version DESC", pool
    )
    return [*rows, shipped(pool)]


async def models_of(reader: Reader, pools: Collection[UUID]) -> dict[UUID, TrainedModel]:
    """The model in use, by pool."""
    rows = await reader.all(
        TrainedModel,
        f"""SELECT DISTINCT ON (pool) {_MODEL} FROM duplicate_model WHERE pool = ANY($1)
            ORDER BY pool, version DESC""",
        list(pools),
    )
    found = {row.pool: row for row in rows}
    return {pool: found.get(pool) or shipped(pool) for pool in pools}


async def add_model(
    tx: Tx, pool: UUID, model: Model, *, people: int, untrained: Sequence[str], seconds: float
) -> TrainedModel:
    """Keep a model as the pool's next version. The caller holds the pool's run."""
    added = await tx.one(
        TrainedModel,
        f"""INSERT INTO duplicate_model (id, pool, version, document, people, untrained, seconds)
            SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, $5, $6 FROM duplicate_model WHERE pool = $2
            RETURNING {_MODEL}""",
        new_id(),
        pool,
        msgspec.to_builtins(model),
        people,
        list(untrained),
        seconds,
    )
    assert added is not None
    return added


async def add_frequencies(tx: Tx, model: UUID, shares: Mapping[str, Mapping[str, float]]) -> None:
    """Keep how many have the values that are not rare; those of older models of the pool are not needed any more."""
    await tx.execute(
        """DELETE FROM duplicate_frequency WHERE model IN (
               SELECT o.id FROM duplicate_model o JOIN duplicate_model n ON n.pool = o.pool WHERE n.id = $1 AND o.id <> $1)""",
        model,
    )
    rows = [(field, value, share) for field, values in shares.items() for value, share in values.items()]
    await tx.execute(
        """INSERT INTO duplicate_frequency (model, field, value, share)
           SELECT $1, * FROM unnest($2::text[], $3::text[], $4::float8[])""",
        model,
        [field for field, _, _ in rows],
        [value for _, value, _ in rows],
        [share for _, _, share in rows],
    )


async def frequencies(
    reader: Reader, model: UUID | None, fields: Iterable[str], records: Iterable[Record]
) -> dict[str, dict[str, float]]:
    """How many have the values of these records, of fields where that matters."""
    wanted = {(field, record[field]) for record in records for field in fields if record[field] is not None}
    if model is None or not wanted:
        return {}
    ordered = sorted(wanted, key=str)
    rows = await reader.rows(
        """SELECT f.field, f.value, f.share FROM unnest($2::text[], $3::text[]) AS t (field, value)
           JOIN duplicate_frequency f ON f.model = $1 AND f.field = t.field AND f.value = t.value""",
        model,
        [field for field, _ in ordered],
        [value for _, value in ordered],
    )
    found: dict[str, dict[str, float]] = {}
    for row in rows:
        found.setdefault(row["field"], {})[row["value"]] = row["share"]
    return found


# -- settings ----------------------------------------------------------------------------------------------------------

_SETTINGS = "pool, suggest_from, automatic, automatic_from, version"


async def settings_of(reader: Reader, pools: Collection[UUID]) -> dict[UUID, PoolSettings]:
    """How pools treat duplicates."""
    rows = await reader.all(
        PoolSettings, f"SELECT {_SETTINGS} FROM duplicate_settings WHERE pool = ANY($1)", list(pools)
    )
    found = {row.pool: row for row in rows}
    return {pool: found.get(pool) or PoolSettings(pool=pool) for pool in pools}


async def put_settings(tx: Tx, settings: PoolSettings, expected: int) -> PoolSettings | None:
    """Keep settings; None if they are not of the version ``expected`` any more."""
    return await tx.one(
        PoolSettings,
        f"""INSERT INTO duplicate_settings AS s (pool, suggest_from, automatic, automatic_from, version)
            SELECT $1, $2, $3, $4, 1 WHERE $5 = 0
                OR EXISTS (SELECT FROM duplicate_settings WHERE pool = $1 AND version = $5)
            ON CONFLICT (pool) DO UPDATE
            SET suggest_from = excluded.suggest_from, automatic = excluded.automatic,
                automatic_from = excluded.automatic_from, version = s.version + 1
            WHERE s.version = $5 RETURNING {_SETTINGS}""",
        settings.pool,
        settings.suggest_from,
        settings.automatic,
        settings.automatic_from,
        expected,
    )


# -- runs --------------------------------------------------------------------------------------------------------------

_RUN = "pool, state, people, suggested, problem, asked_at, ended_at"


class Run(Progress, frozen=True):
    """A training, with the model that it has made."""

    model: UUID | None


async def ask(tx: Tx, pool: UUID, model: UUID | None = None) -> bool:
    """A pool is to be trained, or with a model only compared anew; False if that waits or is under way already."""
    return bool(
        await tx.execute(
            """INSERT INTO duplicate_run AS r (pool, state, model) VALUES ($1, 'waiting', $2)
               ON CONFLICT (pool) DO UPDATE
               SET state = 'waiting', model = $2, people = 0, suggested = 0, problem = NULL, asked_at = now(),
                   ended_at = NULL
               WHERE r.state IN ('done', 'failed')""",
            pool,
            model,
        )
    )


async def run_of(reader: Reader, pool: UUID) -> Run | None:
    """The latest training of a pool."""
    return await reader.one(Run, f"SELECT {_RUN}, model FROM duplicate_run WHERE pool = $1", pool)


async def lock_run(tx: Tx, pool: UUID) -> Run | None:
    """The same, held until the transaction ends."""
    return await tx.one(Run, f"SELECT {_RUN}, model FROM duplicate_run WHERE pool = $1 FOR UPDATE", pool)


async def set_run(tx: Tx, pool: UUID, **fields: Any) -> None:
    """Note how far a training has come."""
    names = list(fields)
    sets = ", ".join(f"{name} = ${place}" for place, name in enumerate(names, 2))
    await tx.execute(f"UPDATE duplicate_run SET {sets} WHERE pool = $1", pool, *fields.values())


async def open_pools(tx: Tx, pools: Collection[UUID]) -> set[UUID]:
    """Which of these pools some channel uses; they stay so until the transaction ends."""
    rows = await tx.rows(
        "SELECT id FROM pool WHERE id = ANY($1) AND closed_at IS NULL ORDER BY id FOR KEY SHARE", list(pools)
    )
    return {row["id"] for row in rows}


async def hold_pools(tx: Tx, pools: Iterable[UUID]) -> None:
    """Let one at a time compare the people of a pool: two cards that come at once must see each other."""
    for pool in sorted(pools):
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 43))", str(pool))
