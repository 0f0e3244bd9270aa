"""Recency, frequency and monetary value of the people of a pool: scores from 1 to 5, computed each night and when asked.

A score is the fifth of the pool that somebody is in. Equals have the same score, the lower one: where most have ordered
once, all of these have frequency 1 (cutting by rank would give half of them a better one by chance). Money is compared
among those who order in the same currency, the one that they ordered in most often.
"""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from samlad.audiences import rules
from samlad.audiences.events import RfmComputed
from samlad.audiences.model import RfmCell, RfmPerson, RfmView
from samlad.audiences.permissions import CHANGE
from samlad.channels import Resource
from samlad.kernel import clock, log
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered

PEOPLE = Listing(
    row=RfmPerson,
    select="c.id, c.name, c.email, c.external_id, r.recency, r.frequency, r.monetary, r.name AS group, r.orders, r.spent, r.currency, r.last_at",
    source="rfm_score r JOIN customer c ON c.id = r.person WHERE r.pool = $1",
    key="c.id",
    sorts={
        "last_at": Sort("r.last_at", "timestamptz"),
        "orders": Sort("r.orders", "int"),
        "spent": Sort("r.spent", "bigint"),
    },
    default_sort="-spent",
    filters={
        "recency": Filter("r.recency = {}", int),
        "frequency": Filter("r.frequency = {}", int),
        "monetary": Filter("r.monetary = {}", int),
        "group": Filter("r.name = {}"),
        "q": Filter(
            "c.id IN (SELECT coalesce(survivor, id) FROM customer WHERE search LIKE {})", anywhere_lowered
        ),
    },
)
"""Who has which scores in a pool (the scope's first argument)."""

_NAMES = ", ".join(
    f"({recency}, {frequency}, '{rules.group_of(recency, frequency)}')"
    for recency in range(1, 6)
    for frequency in range(1, 6)
)

_SCORED = "pool, recency, frequency, monetary, name, last_at, orders, spent, currency"
_FRESH = ", ".join(f"excluded.{name}" for name in _SCORED.split(", "))


async def compute(tx: Tx, pool: UUID) -> int:
    """Score everybody of a pool who has ordered; how many. Segments that ask for scores are computed right after."""
    tx.actor.require(CHANGE)
    return await _compute(tx, pool)


async def _compute(tx: Tx, pool: UUID) -> int:
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 72))", str(pool))
    await tx.execute(
        "SELECT set_config('statement_timeout', '0', true), set_config('work_mem', '64MB', true)"
    )
    await tx.execute("DELETE FROM rfm_score WHERE pool = $1", pool)
    people = await tx.execute(
        f"""
        WITH by_currency AS (
            SELECT coalesce(c.survivor, c.id) AS person, o.currency,
                   count(*) FILTER (WHERE o.kind = 'sale' AND NOT o.is_empty) AS orders, sum(o.total) AS spent,
                   max(o.placed_at) FILTER (WHERE o.kind = 'sale' AND NOT o.is_empty) AS last_at
            FROM orders o JOIN customer c ON c.id = o.customer
            WHERE c.pool = $1 AND o.status <> 'cancelled' GROUP BY 1, 2
        ), person AS (
            SELECT person, sum(orders) AS orders, max(last_at) AS last_at,
                   (array_agg(currency ORDER BY orders DESC, spent DESC, currency))[1] AS currency,
                   (array_agg(spent ORDER BY orders DESC, spent DESC, currency))[1] AS spent
            FROM by_currency GROUP BY person HAVING sum(orders) > 0
        ), score AS (
            SELECT *, least(5, 1 + floor(5 * percent_rank() OVER (ORDER BY last_at)))::int AS recency,
                   least(5, 1 + floor(5 * percent_rank() OVER (ORDER BY orders)))::int AS frequency,
                   least(5, 1 + floor(5 * percent_rank() OVER (PARTITION BY currency ORDER BY spent)))::int AS monetary
            FROM person
        )
        INSERT INTO rfm_score (person, {_SCORED})
        SELECT s.person, $1, s.recency, s.frequency, s.monetary, g.name, s.last_at, s.orders, s.spent, s.currency
        FROM score s JOIN (VALUES {_NAMES}) AS g (recency, frequency, name) USING (recency, frequency)
        ON CONFLICT (person) DO UPDATE SET ({_SCORED}) = ROW ({_FRESH}) -- who came from another pool, scored there before
        """,
        pool,
    )
    await tx.execute(
        """INSERT INTO rfm_run (pool, computed_at, people) VALUES ($1, $2, $3)
           ON CONFLICT (pool) DO UPDATE SET computed_at = excluded.computed_at, people = excluded.people""",
        pool,
        clock.now(),
        people,
    )
    log.append(tx, RfmComputed(pool=pool, people=people), subject=pool)
    return people


async def read(reader: Reader, pool: UUID) -> RfmView:
    """The grid of a pool: 25 cells, also those in which nobody is."""
    run = await reader.row("SELECT computed_at, people FROM rfm_run WHERE pool = $1", pool)
    rows = await reader.rows(
        """SELECT recency, frequency, currency, count(*)::int AS people, sum(spent)::bigint AS spent
           FROM rfm_score WHERE pool = $1 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        pool,
    )
    people: dict[tuple[int, int], int] = defaultdict(int)
    spent: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for row in rows:
        cell = row["recency"], row["frequency"]
        people[cell] += row["people"]
        spent[cell][row["currency"]] = row["spent"]
    computed_at: datetime | None = None if run is None else run["computed_at"]
    return RfmView(
        pool=pool,
        computed_at=computed_at,
        people=0 if run is None else run["people"],
        cells=[
            RfmCell(
                recency=recency,
                frequency=frequency,
                group=rules.group_of(recency, frequency),
                people=people[recency, frequency],
                spent=spent[recency, frequency],
            )
            for recency in range(5, 0, -1)
            for frequency in range(1, 6)
        ],
    )


async def compute_all(database: Database) -> int:
    """Score everybody, a pool at a time; how many pools."""
    rows = await database.rows("SELECT id FROM pool WHERE resource = $1 ORDER BY id", Resource.CUSTOMERS)
    for row in rows:
        await database.transaction(lambda tx, pool=row["id"]: _compute(tx, pool))  # type: ignore[misc]
    return len(rows)


@job("audiences.rfm")
@periodic("20 3 * * *")
async def nightly(ctx: JobContext) -> None:
    """Score everybody each night."""
    await compute_all(ctx.database)
