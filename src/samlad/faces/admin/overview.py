"""The overview: how the shop is today, in one look, and live."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get

from samlad import channels, orders, tills
from samlad.channels import Channel
from samlad.faces.admin import names
from samlad.faces.admin.pools import lonely
from samlad.faces.admin.scope import order_scope, own_codes
from samlad.faces.admin.shell import admin_page
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest, listen_from_here, live_href, locale_of, page, require, words
from samlad.kernel import checks
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.money import exponent
from samlad.orders import ChannelSales, fulfilment_store
from samlad.pools import MOVE
from samlad.stock.lists import LEVELS
from samlad.stock.permissions import READ as STOCK_READ

PERIODS = ("days", "months")
_LATEST = 10
_PLOTTED = 5
"""Channels with a line of their own in the plot; the rest go together."""


class Today(msgspec.Struct, frozen=True):
    """What one channel has sold on its own present day, by currency."""

    channel: Channel
    orders: int
    revenue: int
    currency: str
    items: int
    hours: list[int]


@get("/admin")
async def overview(request: AnyRequest) -> Response[Any]:
    """How is the shop today?"""
    require(request)
    actor, database = actor_of(request), database_of(request)
    everything = await channels.cached_all(database)
    context: dict[str, Any] = {"has_channels": bool(everything), "names": names, "sees_orders": False}
    if actor.may(orders.READ):
        await listen_from_here(request)
        wanted = request.query_params.get("period", "days")
        period = wanted if wanted in PERIODS else "days"
        rows = await todays(database, everything)
        scope = order_scope(actor)
        latest = await orders.LISTING.page(database, ListQuery(limit=_LATEST, filters=scope))
        context |= {
            "sees_orders": True,
            "live_href": live_href(request, "orders"),
            "period": period,
            "today": rows,
            "totals": _totals(rows),
            "latest": latest.items,
            "arrived": arrived(request, latest.items),
            "newest": latest.items[0].placed_at.isoformat() if latest.items else "",
            "channel_names": {channel.code: channel.name for channel in everything},
            "course": await _course(request, everything, period),
        }
    return await admin_page(request, "admin/overview.html", **context)


def arrived(request: AnyRequest, rows: list[Any]) -> frozenset[UUID]:
    """Rows that are newer than what the page had shown before (htmx says until when that was)."""
    text = request.query_params.get("seen", "")
    try:
        seen = datetime.fromisoformat(text)
        return frozenset(row.id for row in rows if row.placed_at > seen)
    except (ValueError, TypeError):
        return frozenset()


async def todays(database: Database, everything: list[Channel]) -> list[Today]:
    """What every open channel has sold on its own present day. One statement a time zone."""
    by_zone: dict[str, list[Channel]] = defaultdict(list)
    for channel in everything:
        by_zone[channel.time_zone].append(channel)
    sales: dict[tuple[UUID, str], list[ChannelSales]] = defaultdict(list)
    for zone, here in by_zone.items():
        ids = {channel.id for channel in here}
        for row in await orders.by_hour(database, local_day(now(), zone), zone):
            if row.channel in ids:
                sales[row.channel, row.currency].append(row)
    known = {channel.id: channel for channel in everything}
    found = [_today(known[channel], currency, rows) for (channel, currency), rows in sales.items()]
    return sorted(found, key=lambda row: (-row.orders, row.channel.name))


def _today(channel: Channel, currency: str, rows: list[ChannelSales]) -> Today:
    zone = formats.zone_of(channel.time_zone)
    hours = [0] * 24
    for row in rows:
        hours[row.period.astimezone(zone).hour] += row.revenue
    return Today(
        channel=channel,
        orders=sum(row.orders for row in rows),
        revenue=sum(row.revenue for row in rows),
        currency=currency,
        items=sum(row.items for row in rows),
        hours=hours,
    )


def _totals(rows: list[Today]) -> dict[str, Any]:
    """Sums over the channels: orders and pieces, and revenue by currency, the largest first."""
    revenue: dict[str, int] = defaultdict(int)
    for row in rows:
        revenue[row.currency] += row.revenue
    return {
        "orders": sum(row.orders for row in rows),
        "items": sum(row.items for row in rows),
        "revenue": sorted(revenue.items(), key=lambda pair: -pair[1]),
    }


# -- the course of trade ---------------------------------------------------------------------------------------------------


async def _course(request: AnyRequest, everything: list[Channel], period: str) -> dict[str, Any] | None:
    """The plot of the last 30 days, or 12 months, on which anything was sold. None before the first sale.

    Days without trade are left out: a shop that rested, or a demo whose history ended years ago, still shows its
    trade.
    """
    _, database = words(request), database_of(request)
    days = await orders.days_with_trade(
        database, now().date() + timedelta(days=1), 30 if period == "days" else 400
    )
    if not days:
        return None
    rows = await orders.by_day(database, days[-1], days[0])
    revenue: dict[str, int] = defaultdict(int)
    for row in rows:
        revenue[row.currency] += abs(row.revenue)
    currency = max(revenue, key=lambda one: revenue[one])
    rows = [row for row in rows if row.currency == currency]
    marks = sorted({_mark(row.period.date(), period) for row in rows})[-30 if period == "days" else -12 :]
    rows = [row for row in rows if _mark(row.period.date(), period) in set(marks)]
    known = {channel.id: channel.name for channel in everything}
    series = _series(rows, marks, period, currency, known, _("Others"))
    locale = locale_of(request)
    total = sum(row.revenue for row in rows)
    said = _("From %(first)s to %(last)s: %(total)s.") % {
        "first": formats.day(min(row.period.date() for row in rows), locale),
        "last": formats.day(max(row.period.date() for row in rows), locale),
        "total": formats.money(total, currency, locale),
    }
    return {"option": _option(marks, series, period, locale), "said": said, "currency": currency}


def _mark(day: date, period: str) -> date:
    return day if period == "days" else day.replace(day=1)


def _series(
    rows: list[ChannelSales],
    marks: list[date],
    period: str,
    currency: str,
    known: dict[UUID, str],
    others: str,
) -> list[dict[str, Any]]:
    """A series a channel, the largest first; beyond the fifth they go together."""
    sums: dict[UUID, int] = defaultdict(int)
    for row in rows:
        sums[row.channel] += row.revenue
    ranked = sorted(sums, key=lambda channel: -sums[channel])
    place = {
        channel: min(rank, _PLOTTED - 1 if len(ranked) > _PLOTTED else rank)
        for rank, channel in enumerate(ranked)
    }
    values = [[0] * len(marks) for _ in range(max(place.values(), default=0) + 1)]
    at = {mark: index for index, mark in enumerate(marks)}
    for row in rows:
        values[place[row.channel]][at[_mark(row.period.date(), period)]] += row.revenue
    labels = [known.get(channel, "–") for channel in ranked[: len(values)]]
    if len(ranked) > _PLOTTED:
        labels[-1] = others
    scale = 10 ** exponent(currency)
    return [
        {"name": label, "type": "bar", "stack": "all", "data": [value / scale for value in line]}
        for label, line in zip(labels, values, strict=True)
    ]


def _option(marks: list[date], series: list[dict[str, Any]], period: str, locale: str) -> dict[str, Any]:
    """The ECharts option."""
    pattern = "d MMM yy" if period == "days" else "MMM yy"
    labels = [formats.day_as(mark, pattern, locale) for mark in marks]
    option: dict[str, Any] = {
        "xAxis": {"type": "category", "data": labels},
        "yAxis": {"type": "value"},
        "series": series,
    }
    return option | ({"legend": {"type": "scroll"}} if len(series) > 1 else {})


# -- what needs a hand --------------------------------------------------------------------------------------------------------


@get("/admin/overview/hints")
async def hints(request: AnyRequest) -> Response[Any]:
    """What runs out, what waits, what is not well: fetched after the page, because it may look through much."""
    require(request)
    actor, database = actor_of(request), database_of(request)
    context: dict[str, Any] = {"low": [], "waiting": None, "late": [], "stuck": 0, "ills": [], "names": names}
    context["odd_sales"] = 0
    context["lonely"] = await lonely(database) if actor.may(MOVE) else []
    if actor.may(STOCK_READ):
        codes = await own_codes(actor, database)
        for state in ("out", "low"):
            query = ListQuery(limit=6, filters={"state": state, "location": codes})
            context["low"] += (await LEVELS.page(database, query)).items
        context["low"] = context["low"][:6]
    if actor.may(orders.READ):
        query = ListQuery(
            filters={**order_scope(actor), "status": "placed,paid,partially_fulfilled", "kind": "sale"}
        )
        context["waiting"] = await orders.LISTING.count(database, query)
        places = None if actor.locations is None else sorted(actor.locations)
        context["late"] = [
            row for row in await fulfilment_store.late(database, places) if row.late or row.uncollected
        ]
        context["stuck"] = await fulfilment_store.stuck(database, places)
    if actor.may(tills.READ):
        places = None if actor.locations is None else sorted(actor.locations)
        context["odd_sales"] = await tills.waiting(database, places)
    if actor.may("system.read"):
        work = request.app.state.work
        known = checks.kernel_checks(work.packages, work.followers)
        context["ills"] = [found for found in await checks.run(database, known) if found.status != "ok"]
    return page(request, "admin/overview_hints.html", **context)


HANDLERS = [overview, hints]
