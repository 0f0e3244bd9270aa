"""SQL of days: what a place sold and took, and which of its days are closed."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.books.model import DayClosing, DayReport, RateDay, TenderDay
from samlad.kernel.database import Reader, Tx

_CLOSING = """c.id, c.book, c.place, c.place_kind, c.day, c.status, c.report, c.note, c.closed_by, c.closed_at,
              c.reopened_by, c.reopened_at, c.reason"""
_OF_DAY = """voucher v JOIN voucher_line l ON l.voucher = v.id WHERE v.place = $1 AND v.day = $2"""


class ClosedShift(msgspec.Struct, frozen=True, kw_only=True):
    """A drawer that was counted on the day."""

    id: UUID
    difference: int | None


async def shifts_closed(reader: Reader, location: UUID, start: datetime, end: datetime) -> list[ClosedShift]:
    """The shifts of a location that were closed between two moments."""
    return await reader.all(
        ClosedShift,
        """SELECT s.id, s.counted - s.expected AS difference FROM till_shift s JOIN till t ON t.id = s.till
           WHERE t.location = $1 AND s.closed_at >= $2 AND s.closed_at < $3 ORDER BY s.closed_at, s.id""",
        location,
        start,
        end,
    )


async def tenders(reader: Reader, place: UUID, day: date) -> list[TenderDay]:
    """What payments brought and refunds took by tender. Differences and moved cash are not in it."""
    return await reader.all(
        TenderDay,
        f"""SELECT l.tender, coalesce(sum(l.amount) FILTER (WHERE v.kind = 'payment'), 0)::bigint AS taken,
                   coalesce(-sum(l.amount) FILTER (WHERE v.kind = 'refund'), 0)::bigint AS given_back
            FROM {_OF_DAY} AND v.kind IN ('payment', 'refund') AND l.tender IS NOT NULL
                 AND l.purpose <> 'refunds_to_pay'
            GROUP BY 1 ORDER BY 1""",
        place,
        day,
    )


async def sold(reader: Reader, place: UUID, day: date) -> tuple[int, int, int]:
    """What was sold and what came back, with tax (minor units), and how many vouchers the day has."""
    row = await reader.row(
        f"""SELECT coalesce(sum(l.amount) FILTER (WHERE l.purpose IN ('receivables', 'imported') AND l.amount > 0
                                                 AND v.kind = 'order'), 0)::bigint AS sold,
                   coalesce(-sum(l.amount) FILTER (WHERE l.purpose IN ('receivables', 'imported') AND l.amount < 0
                                                  AND v.kind = 'order'), 0)::bigint AS returned,
                   count(DISTINCT v.id) AS vouchers
            FROM {_OF_DAY}""",
        place,
        day,
    )
    assert row is not None
    return row["sold"], row["returned"], row["vouchers"]


async def rates(reader: Reader, place: UUID, day: date) -> list[RateDay]:
    """Sales less returns and their tax by tax rate."""
    return await reader.all(
        RateDay,
        f"""SELECT l.tax_rate,
                   coalesce(-sum(l.amount) FILTER (WHERE split_part(l.purpose, ':', 1) <> 'tax'), 0)::bigint AS net,
                   coalesce(-sum(l.amount) FILTER (WHERE split_part(l.purpose, ':', 1) = 'tax'), 0)::bigint AS tax
            FROM {_OF_DAY} AND v.kind = 'order' AND l.tax_rate IS NOT NULL AND l.purpose <> 'rounding'
            GROUP BY 1 ORDER BY 1 DESC""",
        place,
        day,
    )


async def is_closed(reader: Reader, place: UUID, day: date) -> bool:
    """Whether a place has closed a day."""
    return bool(
        await reader.value(
            "SELECT EXISTS (SELECT FROM day_closing WHERE place = $1 AND day = $2 AND status = 'closed')",
            place,
            day,
        )
    )


async def open_drawers(reader: Reader, location: UUID, before: datetime) -> list[str]:
    """The drawers of a location that were opened before a moment and are open."""
    rows = await reader.rows(
        """SELECT t.name FROM till_shift s JOIN till t ON t.id = s.till
           WHERE t.location = $1 AND s.closed_at IS NULL AND s.opened_at < $2 ORDER BY t.name""",
        location,
        before,
    )
    return [row["name"] for row in rows]


async def waiting(reader: Reader, before: datetime, types: Sequence[str]) -> int:
    """How many events of these types and of before a moment the follower has not come to; at most 1,000 are counted."""
    found = await reader.value(
        """SELECT count(*) FROM (
               SELECT FROM event e WHERE (e.xid, e.seq) > (
                   SELECT coalesce(max(f.xid), 0), coalesce(max(f.seq), 0) FROM follower f WHERE f.name = 'books')
               AND e.occurred_at < $1 AND e.type = ANY ($2::text[]) LIMIT 1000) AS ahead""",
        before,
        list(types),
    )
    return int(found)


async def insert(tx: Tx, closing_id: UUID, book: UUID, report: DayReport, note: str) -> bool:
    """Close the day; False if it is closed already."""
    return bool(
        await tx.execute(
            """INSERT INTO day_closing (id, book, place, place_kind, day, report, note, closed_by)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING""",
            closing_id,
            book,
            report.place,
            report.place_kind,
            report.day,
            msgspec.to_builtins(report),
            note,
            tx.actor.label,
        )
    )


async def reopen(tx: Tx, closing_id: UUID, reason: str) -> bool:
    """Reopen the day; False if that was done before."""
    return bool(
        await tx.execute(
            """UPDATE day_closing SET status = 'reopened', reopened_by = $2, reopened_at = now(), reason = $3
               WHERE id = $1 AND status = 'closed'""",
            closing_id,
            tx.actor.label,
            reason,
        )
    )


async def closing(reader: Reader, closing_id: UUID) -> DayClosing | None:
    """A closing by its id."""
    return await reader.one(DayClosing, f"SELECT {_CLOSING} FROM day_closing c WHERE c.id = $1", closing_id)


async def closing_of_day(reader: Reader, place: UUID, day: date) -> DayClosing | None:
    """The closing of a place's day that holds; None while it is open."""
    return await reader.one(
        DayClosing,
        f"SELECT {_CLOSING} FROM day_closing c WHERE c.place = $1 AND c.day = $2 AND c.status = 'closed'",
        place,
        day,
    )
