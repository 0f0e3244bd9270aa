"""What was taken of which tax: by country, rule and rate for a period, and how much of the threshold is used up.

An order counts on the day it was placed, a return on the day it was made. What was cancelled in the period of the order counts
not at all; cancelled later it is taken off in that later period, so that a return that was sent in stays what it was. That is
what a one-stop shop return asks for: for each member state and rate the taxable amount and the tax, less what came back.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from uuid import UUID

import msgspec

from samlad import tax
from samlad.channels import Channel
from samlad.kernel.database import Reader
from samlad.tax.rules import THRESHOLDS
from samlad.tax.territories import EU

LONGEST_DAYS = 3_700


class TaxRow(msgspec.Struct, frozen=True, kw_only=True):
    """What was sold under one rule at one rate. Amounts in minor units; rate in basis points.

    ``country`` is the one whose return it belongs to (XI: Northern Ireland), null where it belongs to none or is not
    known (orders of before, imports). ``sent_from`` is the seller's country. ``orders`` counts returns too. Where goods
    are taxed on the margin, ``margin`` is what the taxed margins come to (tax in it) and ``margin_tax`` the tax on them,
    as far as the goods have left; no document shows it, so it is not in ``tax``.
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
    margin: int = 0
    margin_tax: int = 0


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


class _MarginRate(msgspec.Struct, frozen=True):
    """The standard rate at home of a channel from one day to another (exclusive), basis points."""

    channel: UUID
    since: date
    until: date
    rate: int


async def _margin_rates(
    reader: Reader, channels: Sequence[Channel], start: date, end: date
) -> list[_MarginRate]:
    """Margins are taxed at the standard rate at home (directive 2006/112/EC, article 315), as it was on the day."""
    setup, after = await tax.current(reader), end + timedelta(days=1)
    found = []
    for channel in channels:
        rates = setup.rates(channel)
        days = [start, *(day for day in rates.turns(start) if day < after), after]
        for since, until in pairwise(days):
            rate = rates.find(channel.country, "", tax.STANDARD, since)
            found.append(_MarginRate(channel.id, since, until, 0 if rate is None else rate.rate_bp))
    return found


async def report(reader: Reader, channels: Sequence[Channel], start: date, end: date) -> list[TaxRow]:
    """The sums of a period, ``end`` included, over some channels. One statement.

    The tax on a margin is reckoned line by line as the money book does (`samlad.books.rules`): from what the goods that
    have left cost in stock, never below nothing, and what came back takes its own margin back. A gift card for several purposes
    is no supply when it is sold (article 30b): what it pays for is, then.
    """
    rates = await _margin_rates(reader, channels, start, end)
    return await reader.all(
        TaxRow,
        """
        WITH rate AS (
            SELECT * FROM unnest($5::uuid[], $6::date[], $7::date[], $8::int[]) AS r (channel, since, until, rate)
        ), line AS MATERIALIZED (
            SELECT c.country AS sent_from, o.id AS sold_by, o.kind AS sold_as, o.channel, o.local_day, o.currency, l.variant,
                   l.kind, l.quantity, CASE WHEN o.kind = 'sale' THEN l.fulfilled ELSE l.quantity END AS gone,
                   CASE WHEN o.kind = 'sale' THEN 1 ELSE -1 END AS sign,
                   l.tax_country, l.tax_treatment, l.tax_category, l.tax_rate, o.times * l.total AS total,
                   o.times * l.tax AS tax, o.is_cancelled
            FROM unnest($1::uuid[], $2::text[]) AS c (id, country)
            CROSS JOIN LATERAL (
                SELECT id, kind, channel, local_day, currency, 1 AS times, status = 'cancelled' AS is_cancelled
                FROM orders WHERE channel = c.id AND local_day BETWEEN $3 AND $4
                     AND (status <> 'cancelled' OR cancelled_on > $4)
                     AND placed_at >= $3::date - interval '2 days' AND placed_at < $4::date + interval '3 days'
                UNION ALL
                SELECT id, kind, channel, local_day, currency, -1, true
                FROM orders WHERE channel = c.id AND cancelled_on BETWEEN $3 AND $4 AND local_day < $3
            ) AS o
            JOIN order_line l ON l.order_id = o.id
            WHERE l.kind NOT IN ('adjustment', 'gift_card') OR l.tax <> 0
        ), margin AS (
            SELECT l.sent_from, l.tax_country, l.tax_category, l.tax_rate, l.currency,
                   sum(l.sign * greatest(0, m.margin))::bigint AS margin,
                   sum(l.sign * round(greatest(0, m.margin) * r.rate / (10000 + r.rate)))::bigint AS tax
            FROM line l JOIN rate r ON r.channel = l.channel AND l.local_day >= r.since AND l.local_day < r.until
            CROSS JOIN LATERAL (
                SELECT coalesce(-sum(m.value_e4), 0) * l.gone
                       / nullif((SELECT sum(x.gone) FROM line x WHERE x.sold_by = l.sold_by AND x.variant = l.variant
                                 AND x.kind = 'item'), 0) AS cost_e4
                FROM movement m WHERE m.reference = l.sold_by AND m.variant IN (SELECT variant_names(l.variant))
                  AND m.cause IN ('sale', 'return')
            ) AS c
            CROSS JOIN LATERAL (
                SELECT l.sign * (round(l.total::numeric * l.gone / l.quantity) - round(round(c.cost_e4) / 10000)) AS margin
            ) AS m
            WHERE l.tax_treatment = 'margin' AND l.kind = 'item' AND c.cost_e4 IS NOT NULL AND NOT l.is_cancelled
            GROUP BY 1, 2, 3, 4, 5
        ), total AS (
            SELECT sent_from, tax_country AS country, tax_treatment AS treatment, tax_category AS category,
                   tax_rate AS rate, currency, count(DISTINCT sold_by)::int AS orders,
                   sum(total - tax)::bigint AS net, sum(tax)::bigint AS tax
            FROM line GROUP BY 1, 2, 3, 4, 5, 6
        )
        SELECT t.*, coalesce(m.margin, 0) AS margin, coalesce(m.tax, 0) AS margin_tax
        FROM total t LEFT JOIN margin m ON t.treatment = 'margin'
             AND (m.sent_from, m.tax_rate, m.currency) = (t.sent_from, t.rate, t.currency)
             AND m.tax_country IS NOT DISTINCT FROM t.country AND m.tax_category IS NOT DISTINCT FROM t.category
        ORDER BY t.country NULLS LAST, t.treatment, t.rate DESC, t.currency, t.sent_from
        """,
        [channel.id for channel in channels],
        [channel.country for channel in channels],
        start,
        end,
        [rate.channel for rate in rates],
        [rate.since for rate in rates],
        [rate.until for rate in rates],
        [rate.rate for rate in rates],
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
