"""Take the book out: every line as CSV (RFC 4180), or a fiscal year as SIE 4."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import samlad
from samlad.books import purposes, service, sie
from samlad.books.model import Book
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Reader
from samlad.kernel.money import decimal_text, exponent
from samlad.kernel.problems import InvalidInput, NotFound

CSV_COLUMNS = (
    "voucher",
    "fiscal_year",
    "day",
    "text",
    "kind",
    "account",
    "account_name",
    "debit",
    "credit",
    "currency",
    "purpose",
    "channel",
    "location",
    "tender",
    "tax_rate",
    "order",
    "cause",
    "posted_at",
)
PIECE = 64_000

_LINES = """
    SELECT v.id, v.series, v.number, v.year, v.day, v.text, v.kind, v.cause, v.posted_at, l.account, l.amount, l.currency,
           l.purpose, l.tender, l.tax_rate, c.code AS channel, c.name AS channel_name, p.code AS location,
           p.name AS location_name, o.number AS order_number
    FROM voucher v JOIN voucher_line l ON l.voucher = v.id LEFT JOIN orders o ON o.id = v.order_id
         LEFT JOIN channel c ON c.id = l.channel LEFT JOIN location p ON p.id = l.location
    WHERE v.book = $1 AND v.day BETWEEN $2 AND $3 AND ($4::text IS NULL OR l.currency = $4)
    ORDER BY v.series, v.year, v.number, l.position
"""


async def choose(reader: Reader, code: str | None) -> Book:
    """The book of a channel by its code; without one the only book there is.

    Raises:
        NotFound: nothing is booked yet. InvalidInput: no such channel, or there are several books.
    """
    if code is not None:
        found = await reader.value(
            """SELECT p.pool FROM channel c JOIN channel_pool p ON p.channel = c.id AND p.resource = 'orders'
               WHERE c.code = $1""",
            code,
        )
        if found is None:
            raise InvalidInput.at("channel", "there is no such channel")
        return await service.get(reader, found)
    known: list[UUID] = [row["id"] for row in await reader.rows("SELECT id FROM book ORDER BY name")]
    if not known:
        raise NotFound("Nothing is booked yet.")
    if len(known) > 1:
        raise InvalidInput.at("channel", "there are several books; say a channel of the one that is meant")
    return await service.get(reader, known[0])


def check_period(start: date, end: date) -> None:
    """Refuse a period that ends before it begins, or outside of what a fiscal year can be counted in.

    Raises:
        InvalidInput: at ``to``.
    """
    if end < start:
        raise InvalidInput.at("to", "before the beginning")
    if not 1900 <= start.year <= end.year <= 9000:
        raise InvalidInput.at("to", "between the years 1900 and 9000")


async def csv_file(database: Database, book: Book, start: date, end: date) -> AsyncIterator[bytes]:
    """Every line of every voucher of a period, UTF-8 with a header, in the order of series and numbers."""
    names = await service.names(database, book)
    async with database.pool.acquire() as connection, connection.transaction(readonly=True):
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(CSV_COLUMNS)
        async for row in connection.cursor(_LINES, book.id, start, end, None, prefetch=1000):
            writer.writerow(_csv_row(row, names))
            if buffer.tell() > PIECE:
                yield buffer.getvalue().encode()
                buffer.seek(0)
                buffer.truncate()
        yield buffer.getvalue().encode()


def _csv_row(row: Any, names: dict[str, str]) -> list[str]:
    amount, currency = row["amount"], row["currency"]
    return [
        f"{row['series']}{row['number']}",
        row["year"].isoformat(),
        row["day"].isoformat(),
        _text(row["text"]),
        row["kind"],
        row["account"],
        _text(names.get(row["account"], "")),
        decimal_text(amount, currency) if amount > 0 else "",
        decimal_text(-amount, currency) if amount < 0 else "",
        currency,
        row["purpose"],
        row["channel"] or "",
        row["location"] or "",
        row["tender"] or "",
        "" if row["tax_rate"] is None else decimal_text(row["tax_rate"], "EUR"),
        _text(row["order_number"] or ""),
        row["cause"],
        row["posted_at"].isoformat(),
    ]


def _text(text: str) -> str:
    """A cell that a spreadsheet would run as a formula gets an apostrophe in front, as in every list."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def fiscal_year(day: date, first_month: int) -> tuple[date, date]:
    """The first and the last day of the fiscal year of a day."""
    first = date(day.year - (day.month < first_month), first_month, 1)
    after = date(first.year + 1, first_month, 1)
    return first, after - timedelta(days=1)


async def sie_file(
    database: Database, book: Book, start: date, end: date, currency: str | None = None
) -> AsyncIterator[bytes]:
    """The vouchers of a period within one fiscal year as SIE 4, in one currency (default: the book's own).

    Raises:
        InvalidInput: the period is in two fiscal years, or the currency has more than two decimals. When the first
            piece is asked for.
    """
    unit = currency or book.currency
    year = check_sie(book, start, end, unit)
    names = await service.names(database, book)
    async with (
        database.pool.acquire() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        yield sie.encoded(await _sie_head(connection, book, (year, start, end), unit, names))
        lines: list[str] = []
        current: list[Any] = []
        async for row in connection.cursor(_LINES, book.id, start, end, unit, prefetch=1000):
            if current and current[0]["id"] != row["id"]:
                lines += sie.voucher(_ver(current, book), unit)
                current = []
            current.append(row)
            if len(lines) > 1_000:
                yield sie.encoded(lines)
                lines = []
        if current:
            lines += sie.voucher(_ver(current, book), unit)
        yield sie.encoded(lines)


def check_sie(book: Book, start: date, end: date, currency: str) -> tuple[date, date]:
    """The fiscal year of a period.

    Raises:
        InvalidInput: the period is in two of them, or SIE cannot hold the currency.
    """
    check_period(start, end)
    year = fiscal_year(start, book.fiscal_month)
    if end > year[1]:
        raise InvalidInput.at("to", f"a SIE file holds one fiscal year; this one ends on {year[1]}")
    if exponent(currency) > 2:
        raise InvalidInput.at("currency", "SIE holds amounts with at most two decimals")
    return year


async def _sie_head(
    connection: Any,
    book: Book,
    period: tuple[tuple[date, date], date, date],
    currency: str,
    names: dict[str, str],
) -> list[str]:
    year, _start, end = period
    rows = await connection.fetch(
        """SELECT l.account, coalesce(sum(l.amount) FILTER (WHERE v.day < $3), 0)::bigint AS opening,
                  sum(l.amount)::bigint AS closing
           FROM voucher v JOIN voucher_line l ON l.voucher = v.id
           WHERE v.book = $1 AND l.currency = $2 AND v.day <= $4 GROUP BY 1""",
        book.id,
        currency,
        year[0],
        end,
    )
    objects = await connection.fetch(
        """SELECT 1 AS dimension, code, name FROM location
           UNION SELECT 20, c.code, c.name FROM channel c JOIN channel_pool m ON m.channel = c.id AND m.pool = $1
           UNION SELECT DISTINCT 21, l.tender, l.tender FROM voucher v JOIN voucher_line l ON l.voucher = v.id
                 WHERE v.book = $1 AND l.tender IS NOT NULL
           ORDER BY 1, 2""",
        book.id,
    )
    heading = sie.Heading(
        program="Samlad",
        version=samlad.__version__,
        made=local_day(now(), book.time_zone),
        company=book.name,
        org_number=book.org_number,
        year=year,
        currency=currency,
        accounts={row["account"]: names.get(row["account"], row["account"]) for row in rows},
        opening={row["account"]: row["opening"] for row in rows},
        closing={row["account"]: row["closing"] for row in rows},
        objects=[
            *((row["dimension"], row["code"], row["name"]) for row in objects),
            *((22, code, name) for code, name in sie.RULES.items()),
        ],
    )
    return sie.head(heading, book.country)


def _ver(rows: list[Any], book: Book) -> sie.Ver:
    first = rows[0]
    return sie.Ver(
        first["series"],
        first["number"],
        first["day"],
        first["text"],
        local_day(first["posted_at"], book.time_zone),
        tuple(
            sie.Trans(
                row["account"],
                tuple(
                    (dimension, row[column])
                    for dimension, column in ((1, "location"), (20, "channel"), (21, "tender"))
                    if row[column]
                )
                + tuple((22, rule) for rule in [purposes.treatment_of(row["purpose"])] if rule),
                row["amount"],
                row["order_number"] or "",
            )
            for row in rows
        ),
    )
