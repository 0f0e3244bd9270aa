"""How long stock lasts: what a level has free over what it sold a day in the last four weeks.

The sums are made anew from the ledger every hour, so that nothing that sells waits for them; a list tells them against what
is free now.
"""

from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Database, Tx
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.kernel.listing import Filter, Listing, Sort, texts

PACE_DAYS = 28
"""Whole weeks, so that a busy Saturday weighs as much as it happens."""
FAR_DAYS = 3650
"""What lasts longer than this lasts this long."""
MOST_DAYS = 366

_FREE = "l.on_hand - l.expired - l.expiring - l.blocked - l.held"
_COVER = f"(greatest({_FREE}, 0)::bigint * {PACE_DAYS} / s.sold)"


class PaceRow(msgspec.Struct, frozen=True):
    """A level that sells: ``available`` units, ``sold`` in the last 28 days, and for how many whole ``days`` that lasts.

    ``runs_out_on`` is the day that was foreseen at ``summed_at``; ``incoming`` units are on their way from suppliers.
    """

    location: UUID
    location_code: str
    variant: UUID
    sku: str
    title: str
    options: str
    available: int
    sold: int
    days: int
    incoming: int
    runs_out_on: date
    summed_at: datetime


def _days(text: str) -> int:
    days = int(text)
    if not 0 <= days <= MOST_DAYS:
        raise ValueError(f"0 to {MOST_DAYS} days")
    return days


RUNNING_OUT: Listing[PaceRow] = Listing(
    row=PaceRow,
    select=f"""s.location, p.code AS location_code, s.variant, v.sku, product.title, v.option_text AS options,
               {_FREE} AS available, s.sold, least({_COVER}, {FAR_DAYS})::int AS days, l.incoming, s.runs_out_on,
               s.summed_at""",
    source="""stock_pace s JOIN level l ON l.location = s.location AND l.variant = s.variant
              JOIN location p ON p.id = s.location JOIN variant v ON v.id = s.variant
              JOIN product ON product.id = v.product""",
    key="l.id",
    sorts={"runs_out_on": Sort("s.runs_out_on", "date"), "sku": Sort("v.sku"), "sold": Sort("s.sold", "int")},
    default_sort="runs_out_on",
    filters={
        "location": Filter("p.code = ANY({}::text[])", texts),
        "days": Filter(f"s.runs_out_on <= current_date + {{0}}::int AND {_COVER} <= {{0}}::int", _days),
        "q": Filter(
            "starts_with(lower(v.sku), lower({0})) OR product.title ILIKE '%' || {0} || '%'", str.strip
        ),
    },
)
"""What sells, what is gone first first. ``days``: what lasts at most so many days, by the foresight and by what is free now."""


@job("stock.pace")
@periodic("5 * * * *")
async def sum_pace(ctx: JobContext) -> None:
    """Once an hour."""
    await refresh(ctx.database)


async def refresh(database: Database) -> int:
    """Sum up anew how fast everything sells; how many levels changed. Two statements; twice is the same as once."""
    return await database.transaction(_refresh)


async def _refresh(tx: Tx) -> int:
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('stock_pace', 11))")
    changed: int = await tx.value(
        f"""
        WITH went AS MATERIALIZED (
            SELECT location, variant, -sum(quantity) AS sold FROM movement
            WHERE created_at >= now() - {PACE_DAYS} * interval '1 day' AND cause IN ('sale', 'return')
            GROUP BY location, variant
        ), joined AS MATERIALIZED (  -- of which the goods may have another name now: the last that the ledger has of them there
            SELECT row AS variant FROM pool_move_row WHERE subject IN ('variant', 'variant copy') AND twin IS NOT NULL
            UNION SELECT twin FROM pool_move_row WHERE subject IN ('variant', 'variant copy') AND twin IS NOT NULL
        ), named AS (
            SELECT w.location, coalesce(v.twin, last.variant, w.variant) AS variant, sum(w.sold)::int AS sold
            FROM went w LEFT JOIN joined j ON j.variant = w.variant LEFT JOIN variant v ON v.id = j.variant LEFT JOIN LATERAL (
                SELECT one.variant FROM variant_names(j.variant) AS name CROSS JOIN LATERAL (
                    SELECT m.variant, m.seq FROM movement m WHERE m.location = w.location AND m.variant = name
                    ORDER BY m.seq DESC LIMIT 1) AS one
                ORDER BY one.seq DESC LIMIT 1) AS last ON j.variant IS NOT NULL
            GROUP BY 1, 2 HAVING sum(w.sold) > 0
        ), fresh AS MATERIALIZED (
            SELECT s.*, (current_date + least({_COVER}, {FAR_DAYS})::int) AS runs_out_on
            FROM named s JOIN level l USING (location, variant)
        ), gone AS (
            DELETE FROM stock_pace s WHERE NOT EXISTS (
                SELECT FROM fresh f WHERE f.location = s.location AND f.variant = s.variant)
            RETURNING 1
        ), kept AS (
            INSERT INTO stock_pace AS s (location, variant, sold, runs_out_on, summed_at)
            SELECT location, variant, sold, runs_out_on, now() FROM fresh ORDER BY location, variant
            ON CONFLICT (location, variant) DO UPDATE
            SET sold = excluded.sold, runs_out_on = excluded.runs_out_on, summed_at = excluded.summed_at
            WHERE (s.sold, s.runs_out_on) IS DISTINCT FROM (excluded.sold, excluded.runs_out_on)
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM kept)
        """
    )
    return changed
