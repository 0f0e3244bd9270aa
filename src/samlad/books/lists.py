"""Lists of the money book: vouchers, closed days, shifts, and what accounts hold."""

import datetime as dt
from uuid import UUID

import msgspec

from samlad.books.model import BalanceRow, Book, DayPoint
from samlad.books.till_store import SHIFT_FROM
from samlad.kernel.database import Reader
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids


def day(text: str) -> dt.date:
    """A day as YYYY-MM-DD; raises ValueError."""
    return dt.date.fromisoformat(text)


class VoucherRow(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher as lists show it. ``debit`` is the sum of its lines above zero."""

    id: UUID
    book: UUID
    name: str
    day: dt.date
    text: str
    kind: str
    order_id: UUID | None
    order_number: str | None
    place: UUID
    currency: str
    debit: int
    reversed: bool
    posted_at: dt.datetime


VOUCHERS = Listing(
    row=VoucherRow,
    select="""v.id, v.book, v.series || v.number AS name, v.day, v.text, v.kind, v.order_id, o.number AS order_number,
              v.place, l.currency, l.debit, EXISTS (SELECT FROM voucher r WHERE r.reverses = v.id) AS reversed,
              v.posted_at""",
    source="""voucher v LEFT JOIN orders o ON o.id = v.order_id CROSS JOIN LATERAL (
                  SELECT min(currency) AS currency, coalesce(sum(amount) FILTER (WHERE amount > 0), 0)::bigint AS debit
                  FROM voucher_line WHERE voucher = v.id) AS l
              WHERE v.book = ANY ($1::uuid[])""",
    key="v.id",
    sorts={
        "day": Sort("v.day", "date"),
        "number": Sort("v.number", "int"),
        "debit": Sort("l.debit", "bigint"),
    },
    default_sort="-day",
    filters={
        "book": Filter("v.book = ANY({}::uuid[])", uuids),
        "series": Filter("v.series = ANY({}::text[])", texts),
        "kind": Filter("v.kind = ANY({}::text[])", texts),
        "from": Filter("v.day >= {}::date", day),
        "to": Filter("v.day <= {}::date", day),
        "place": Filter("v.place = ANY({}::uuid[])", uuids),
        "order": Filter("v.order_id = ANY({}::uuid[])", uuids),
        "account": Filter(
            "EXISTS (SELECT FROM voucher_line x WHERE x.voucher = v.id AND x.account = ANY({}::text[]))",
            texts,
        ),
        "tender": Filter(
            "EXISTS (SELECT FROM voucher_line x WHERE x.voucher = v.id AND x.tender = ANY({}::text[]))", texts
        ),
        "q": Filter("(v.text || ' ' || v.series || v.number) ILIKE '%' || {}::text || '%'"),
    },
)
"""Vouchers, the latest day first."""


class ClosingRow(msgspec.Struct, frozen=True, kw_only=True):
    """A closed day as lists show it."""

    id: UUID
    place: UUID
    place_name: str
    day: dt.date
    status: str
    currency: str
    sold: int
    returned: int
    cash_difference: int
    closed_at: dt.datetime


CLOSINGS = Listing(
    row=ClosingRow,
    select="""c.id, c.place, c.report ->> 'name' AS place_name, c.day, c.status, c.report ->> 'currency' AS currency,
              (c.report ->> 'sold')::bigint AS sold, (c.report ->> 'returned')::bigint AS returned,
              (c.report ->> 'cash_difference')::bigint AS cash_difference, c.closed_at""",
    source="day_closing c WHERE ($1::uuid[] IS NULL OR c.place = ANY ($1))",
    key="c.id",
    sorts={"day": Sort("c.day", "date"), "closed_at": Sort("c.closed_at", "timestamptz")},
    default_sort="-day",
    filters={
        "place": Filter("c.place = ANY({}::uuid[])", uuids),
        "status": Filter("c.status = ANY({}::text[])", texts),
        "from": Filter("c.day >= {}::date", day),
        "to": Filter("c.day <= {}::date", day),
    },
)
"""Closed days, the latest first; within some locations if they are given."""


class ShiftRow(msgspec.Struct, frozen=True, kw_only=True):
    """A shift as lists show it. ``difference`` is null while it is open."""

    id: UUID
    till: UUID
    till_name: str
    location: UUID
    location_code: str
    number: int | None
    currency: str
    opened_name: str
    opened_at: dt.datetime
    closed_name: str | None
    closed_at: dt.datetime | None
    counted: int | None
    difference: int | None


SHIFTS = Listing(
    row=ShiftRow,
    select="""s.id, s.till, t.name AS till_name, t.location, p.code AS location_code, s.number, s.currency,
              s.opened_name, s.opened_at, s.closed_name, s.closed_at, s.counted, s.counted - s.expected AS difference""",
    source=f"""{SHIFT_FROM} JOIN location p ON p.id = t.location
               WHERE ($1::uuid[] IS NULL OR t.location = ANY ($1))""",
    key="s.id",
    sorts={"opened_at": Sort("s.opened_at", "timestamptz")},
    default_sort="-opened_at",
    filters={
        "location": Filter("p.code = ANY({}::text[])", texts),
        "till": Filter("s.till = ANY({}::uuid[])", uuids),
        "status": Filter(
            "CASE WHEN s.closed_at IS NULL THEN 'open' ELSE 'closed' END = ANY({}::text[])", texts
        ),
    },
)
"""Shifts, the latest first; within some locations if they are given."""


async def balances(
    reader: Reader, book: Book, names: dict[str, str], start: dt.date, end: dt.date
) -> list[BalanceRow]:
    """What the accounts of a book held before a day, what came and went until another (included), what they hold then."""
    rows = await reader.rows(
        """
        SELECT l.account, l.currency, coalesce(sum(l.amount) FILTER (WHERE v.day < $2), 0)::bigint AS opening,
               coalesce(sum(l.amount) FILTER (WHERE v.day >= $2 AND l.amount > 0), 0)::bigint AS debit,
               coalesce(-sum(l.amount) FILTER (WHERE v.day >= $2 AND l.amount < 0), 0)::bigint AS credit,
               sum(l.amount)::bigint AS closing
        FROM voucher v JOIN voucher_line l ON l.voucher = v.id WHERE v.book = $1 AND v.day <= $3
        GROUP BY 1, 2 ORDER BY 1, 2
        """,
        book.id,
        start,
        end,
    )
    return [BalanceRow(name=names.get(row["account"], row["account"]), **dict(row.items())) for row in rows]


async def over_time(
    reader: Reader, book_id: UUID, account: str, currency: str, start: dt.date, end: dt.date
) -> list[DayPoint]:
    """What an account held at the end of each day of a period."""
    return await reader.all(
        DayPoint,
        """
        WITH moved AS (
            SELECT greatest(v.day, $4::date - 1) AS day, sum(l.amount) AS amount
            FROM voucher v JOIN voucher_line l ON l.voucher = v.id
            WHERE v.book = $1 AND l.account = $2 AND l.currency = $3 AND v.day <= $5 GROUP BY 1
        )
        SELECT d::date AS day, coalesce((SELECT sum(m.amount) FROM moved m WHERE m.day <= d), 0)::bigint AS balance
        FROM generate_series($4::date, $5::date, interval '1 day') AS d ORDER BY 1
        """,
        book_id,
        account,
        currency,
        start,
        end,
    )
