"""SQL of paid out tips, and the lists of tips."""

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.books.lists import day
from samlad.books.tip_model import TipPayout, TipsOwed, TipSum
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids

_PAYOUT = ", ".join(TipPayout.__struct_fields__)
_DRAWER = """LEFT JOIN LATERAL (
    SELECT d.name FROM till_payment p JOIN till_shift s ON s.id = p.shift JOIN till d ON d.id = s.till
    WHERE p.order_id = t.order_id AND p.amount > 0 ORDER BY p.event LIMIT 1) AS drawer ON true"""
"""The drawer whose shift the sale is in: one that is still open may not have claimed it yet."""
_TIPS = f"order_tip t JOIN location l ON l.id = t.location {_DRAWER}"
_DAY = "(t.at AT TIME ZONE l.time_zone)::date"
_WHOSE = "coalesce(t.clerk::text, t.clerk_name)"
PARTS = {"day": f"{_DAY}::text", "location": "l.name", "till": "coalesce(l.name || ' · ' || drawer.name, '')"}
"""By what tips can be summed up, besides by clerk. A drawer has its location before its name: *1* is in each store."""


class TipRow(msgspec.Struct, frozen=True, kw_only=True):
    """A tip as lists show it (minor units). ``till`` is its drawer, once that has claimed the sale."""

    order_id: UUID
    order_number: str
    day: dt.date
    location: UUID
    location_name: str
    till: str | None
    clerk: UUID | None
    clerk_name: str
    tender: str
    currency: str
    amount: int
    returned: int
    paid: int
    owed: int
    at: dt.datetime


_FILTERS = {
    "location": Filter("t.location = ANY({}::uuid[])", uuids),
    "clerk": Filter(f"{_WHOSE} = {{}}::text"),
    "till": Filter("drawer.name = ANY({}::text[])", texts),
    "from": Filter(f"{_DAY} >= {{}}::date", day),
    "to": Filter(f"{_DAY} <= {{}}::date", day),
    "status": Filter(
        "CASE WHEN t.amount - t.returned = t.paid THEN 'paid' ELSE 'owed' END = ANY({}::text[])", texts
    ),
}
TIPS = Listing(
    row=TipRow,
    select=f"""t.order_id, o.number AS order_number, {_DAY} AS day, t.location, l.name AS location_name, drawer.name AS till,
               t.clerk, t.clerk_name, t.tender, t.currency, t.amount, t.returned, t.paid,
               t.amount - t.returned - t.paid AS owed, t.at""",
    source=f"{_TIPS} JOIN orders o ON o.id = t.order_id WHERE ($1::uuid[] IS NULL OR t.location = ANY ($1))",
    key="t.order_id",
    sorts={"at": Sort("t.at", "timestamptz"), "amount": Sort("t.amount", "bigint")},
    default_sort="-at",
    filters=_FILTERS,
)
"""Each tip, the latest first; within some locations if they are given."""


class PayoutRow(msgspec.Struct, frozen=True, kw_only=True):
    """A payout as lists show it (minor units)."""

    id: UUID
    at: dt.datetime
    location: UUID
    location_name: str
    clerk: UUID | None
    clerk_name: str
    means: str
    currency: str
    amount: int
    paid: int
    tips: int
    name: str
    undone_at: dt.datetime | None
    undone_name: str | None
    reason: str | None


PAYOUTS = Listing(
    row=PayoutRow,
    select="""p.id, p.at, p.location, l.name AS location_name, p.clerk, p.clerk_name, p.means, p.currency, p.amount, p.paid,
              (SELECT count(*) FROM tip_payout_line x WHERE x.payout = p.id)::int AS tips, p.name, p.undone_at, p.undone_name,
              p.reason""",
    source="tip_payout p JOIN location l ON l.id = p.location WHERE ($1::uuid[] IS NULL OR p.location = ANY ($1))",
    key="p.id",
    sorts={"at": Sort("p.at", "timestamptz"), "amount": Sort("p.amount", "bigint")},
    default_sort="-at",
    filters={
        "location": Filter("p.location = ANY({}::uuid[])", uuids),
        "clerk": Filter("coalesce(p.clerk::text, p.clerk_name) = {}::text"),
        "means": Filter("p.means = ANY({}::text[])", texts),
        "from": Filter("(p.at AT TIME ZONE l.time_zone)::date >= {}::date", day),
        "to": Filter("(p.at AT TIME ZONE l.time_zone)::date <= {}::date", day),
        "status": Filter(
            "CASE WHEN p.undone_at IS NULL THEN 'paid' ELSE 'undone' END = ANY({}::text[])", texts
        ),
    },
)
"""What was paid out, the latest first; within some locations if they are given."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which tips are summed up; what is None narrows nothing."""

    since: dt.date | None = None
    until: dt.date | None = None
    location: UUID | None = None
    clerk: str | None = None
    locations: Sequence[UUID] | None = None


_WANTED = f"""({_DAY} >= $1 OR $1::date IS NULL) AND ({_DAY} <= $2 OR $2::date IS NULL) AND ($3::uuid IS NULL OR t.location = $3)
    AND ($4::text IS NULL OR {_WHOSE} = $4) AND ($5::uuid[] IS NULL OR t.location = ANY ($5))"""
_SUMS = """t.currency, count(*)::int AS sales, sum(t.amount - t.returned)::bigint AS given, sum(t.paid)::bigint AS paid,
    sum(t.amount - t.returned - t.paid)::bigint AS owed"""


def _asked(wanted: Wanted) -> tuple[object, ...]:
    scope = None if wanted.locations is None else list(wanted.locations)
    return wanted.since, wanted.until, wanted.location, wanted.clerk, scope


async def owed(reader: Reader, wanted: Wanted) -> list[TipsOwed]:
    """Sums for each clerk at each location, what is owed most first."""
    return await reader.all(
        TipsOwed,
        f"""SELECT t.location, l.name AS location_name, t.clerk, (array_agg(t.clerk_name ORDER BY t.at DESC))[1] AS name, {_SUMS}
            FROM order_tip t JOIN location l ON l.id = t.location WHERE {_WANTED}
            GROUP BY t.location, l.name, t.clerk, CASE WHEN t.clerk IS NULL THEN t.clerk_name END, t.currency
            ORDER BY owed DESC, l.name, name""",
        *_asked(wanted),
    )


async def sums(reader: Reader, wanted: Wanted, by: str) -> list[TipSum]:
    """Sums by day (the latest first), location or drawer."""
    joined = _TIPS if by == "till" else "order_tip t JOIN location l ON l.id = t.location"
    return await reader.all(
        TipSum,
        f"SELECT {PARTS[by]} AS part, {_SUMS} FROM {joined} WHERE {_WANTED} GROUP BY 1, t.currency ORDER BY 1 {'DESC' if by == 'day' else ''}",
        *_asked(wanted),
    )


async def insert(tx: Tx, payout: TipPayout, lines: Sequence[tuple[UUID, int]]) -> bool:
    """Keep one with its lines; False if there is one of this id."""
    places = ", ".join(f"${place}" for place in range(1, len(TipPayout.__struct_fields__) + 1))
    made = await tx.execute(
        f"INSERT INTO tip_payout ({_PAYOUT}) VALUES ({places}) ON CONFLICT (id) DO NOTHING",
        *msgspec.structs.astuple(payout),
    )
    if made:
        await tx.execute(
            """INSERT INTO tip_payout_line (payout, order_id, amount)
               SELECT $1, g.order_id, g.amount FROM unnest($2::uuid[], $3::bigint[]) AS g (order_id, amount)""",
            payout.id,
            [order for order, _ in lines],
            [amount for _, amount in lines],
        )
    return bool(made)


async def payout(reader: Reader, payout_id: UUID) -> TipPayout | None:
    """One of them."""
    return await reader.one(TipPayout, f"SELECT {_PAYOUT} FROM tip_payout WHERE id = $1", payout_id)


async def lock(tx: Tx, payout_id: UUID) -> TipPayout | None:
    """One of them, held."""
    return await tx.one(TipPayout, f"SELECT {_PAYOUT} FROM tip_payout WHERE id = $1 FOR UPDATE", payout_id)


async def lines(reader: Reader, payout_id: UUID) -> list[tuple[UUID, int]]:
    """Which tips it paid, and what of each."""
    rows = await reader.rows(
        "SELECT order_id, amount FROM tip_payout_line WHERE payout = $1 ORDER BY order_id", payout_id
    )
    return [(row["order_id"], row["amount"]) for row in rows]


async def undo(tx: Tx, payout_id: UUID, who: tuple[str, str, dt.datetime], reason: str) -> None:
    """It is undone."""
    await tx.execute(
        "UPDATE tip_payout SET undone_by = $2, undone_name = $3, undone_at = $4, reason = $5 WHERE id = $1",
        payout_id,
        *who,
        reason,
    )
