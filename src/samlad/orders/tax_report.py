"""What was taken of which tax: by country, rule and rate for a period, and how much of the threshold is used up.

An order counts on the day it was placed, a return on the day it was made; cancelled orders do not. That is what a
one-stop shop return asks for: for each member state and rate the taxable amount and the tax, less what came back.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad.channels import Channel
from samlad.kernel.database import Reader
from samlad.tax.rules import THRESHOLDS
from samlad.tax.territories import EU

LONGEST_DAYS = 3_700


class TaxRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was sold under one rule at one rate. Amounts in minor units; rate in basis points.

    ``country`` is the one whose return it belongs to (XI: Northern Ireland), null where it belongs to none or is not
    known (orders of before, imports). ``sent_from`` is the seller's country. ``orders`` counts returns too.
    """

    sent_from: str
    country: str | None
    treatment: str | None
    category: str | None
    rate: int
    currency: str
    orders: int
    net: int
    tax: int


class CountrySales(msgspec.Struct, frozen=True):
    """Net distance sales to a country, minor units."""

    country: str
    net: int


class ThresholdMeter(msgspec.Struct, frozen=True, kw_only=True):
    """Net distance sales to consumers in other EU countries in a calendar year, minor units.

    ``limit`` null: the law says no amount in this currency, and no channel sets one. Once ``used`` or ``previous`` (the
    year before) is above it, the tax of the customers' countries is due (directive 2006/112/EC, article 59c).
    """

    year: int
    currency: str
    limit: int | None
    used: int
    previous: int
    is_over: bool
    countries: list[CountrySales]


async def report(reader: Reader, channels: Sequence[Channel], start: date, end: date) -> list[TaxRow]:
    """The sums of a period, ``end`` included, over some channels. One statement."""
    return await reader.all(
        TaxRow,
        """
        SELECT c.country AS sent_from, l.tax_country AS country, l.tax_treatment AS treatment,
               l.tax_category AS category, l.tax_rate AS rate, o.currency, count(DISTINCT o.id)::int AS orders,
               sum(l.total - l.tax)::bigint AS net, sum(l.tax)::bigint AS tax
        FROM unnest($1::uuid[], $2::text[]) AS c (id, country)
        JOIN orders o ON o.channel = c.id AND o.local_day BETWEEN $3 AND $4 AND o.status <> 'cancelled'
             AND o.placed_at >= $3::date - interval '2 days' AND o.placed_at < $4::date + interval '3 days'
        JOIN order_line l ON l.order_id = o.id
        WHERE l.kind <> 'adjustment' OR l.tax <> 0
        GROUP BY 1, 2, 3, 4, 5, 6
        ORDER BY country NULLS LAST, treatment, rate DESC, currency, sent_from
        """,
        [channel.id for channel in channels],
        [channel.country for channel in channels],
        start,
        end,
    )


def as_csv(rows: Sequence[TaxRow]) -> bytes:
    """The report as a file (UTF-8 with a header)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(TaxRow.__struct_fields__)
    for row in rows:
        writer.writerow("" if value is None else value for value in msgspec.structs.astuple(row))
    return buffer.getvalue().encode()


class _Sale(msgspec.Struct, frozen=True, kw_only=True):
    currency: str
    country: str | None
    is_before: bool
    net: int


async def meters(reader: Reader, channels: Sequence[Channel], year: int) -> list[ThresholdMeter]:
    """How much of the threshold a year has used, for each currency that sells from the EU. One statement.

    Sums of different currencies are not added up: a shop that sells in several looks at all of them.
    """
    sellers = [channel for channel in channels if channel.country in EU]
    sales = await _distance_sales(reader, [channel.id for channel in sellers], year)
    limits: dict[str, int | None] = {}
    for channel in sellers:
        own = int(channel.setting("tax_distance_threshold")) or THRESHOLDS.get(channel.currency)
        known = [each for each in (limits.get(channel.currency), own) if each is not None]
        limits[channel.currency] = min(known, default=None)
    return [
        _meter(year, currency, limit, [sale for sale in sales if sale.currency == currency])
        for currency, limit in sorted(limits.items())
    ]


async def _distance_sales(reader: Reader, channels: Sequence[UUID], year: int) -> list[_Sale]:
    return await reader.all(
        _Sale,
        """
        SELECT o.currency, o.country, o.local_day < $2 AS is_before, sum(l.total - l.tax)::bigint AS net
        FROM orders o JOIN order_line l ON l.order_id = o.id
        WHERE o.channel = ANY($1::uuid[]) AND o.local_day BETWEEN $3 AND $4 AND o.status <> 'cancelled'
          AND o.placed_at >= $3::date - interval '2 days' AND o.placed_at < $4::date + interval '3 days'
          AND l.tax_treatment IN ('oss', 'origin')
        GROUP BY 1, 2, 3
        """,
        list(channels),
        date(year, 1, 1),
        date(year - 1, 1, 1),
        date(year, 12, 31),
    )


def _meter(year: int, currency: str, limit: int | None, sales: Sequence[_Sale]) -> ThresholdMeter:
    current = [sale for sale in sales if not sale.is_before]
    used = sum(sale.net for sale in current)
    previous = sum(sale.net for sale in sales if sale.is_before)
    return ThresholdMeter(
        year=year,
        currency=currency,
        limit=limit,
        used=used,
        previous=previous,
        is_over=limit is not None and max(used, previous) > limit,
        countries=sorted(
            (CountrySales(sale.country or "", sale.net) for sale in current), key=lambda each: -each.net
        ),
    )
