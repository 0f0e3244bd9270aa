"""The overview: how the shop is today, in one look, and live."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Response, get

from samlad import orders
from samlad.channels import Channel
from samlad.faces.admin import names, overview_today, ticker
from samlad.faces.admin.lists import href
from samlad.faces.admin.scope import order_scope, own_channels
from samlad.faces.admin.shell import admin_page, main_of
from samlad.faces.admin.start import steps as start
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest, listen_from_here, live_href, locale_of, require, words
from samlad.kernel.clock import now
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.listing import ListQuery
from samlad.kernel.money import exponent
from samlad.orders import ChannelSales, OrderStatus

DESK = "/admin/orders"
PERIODS = ("days", "months")
_LATEST = 10
_PLOTTED = 5
"""Channels with a line of their own in the plot; the rest go together."""


@get("/admin")
async def overview(request: AnyRequest) -> Response[Any]:
    """How is the shop today?"""
    require(request)
    actor, database = actor_of(request), database_of(request)
    everything = await own_channels(actor, database)
    context: dict[str, Any] = {
        "has_channels": bool(everything) or actor.locations is not None,
        "names": names,
        "sees_orders": False,
    }
    context["start"] = await start.card(database, actor)
    if actor.may(orders.READ):
        await listen_from_here(request)
        wanted = request.query_params.get("period", "days")
        period = wanted if wanted in PERIODS else "days"
        rows = await overview_today.read(database, everything, actor.bound_to)
        main = main_of(everything)
        zone = main.time_zone if main else "UTC"
        scope = order_scope(actor)
        latest = await orders.LISTING.page(database, ListQuery(limit=_LATEST, filters=scope))
        context |= {
            "sees_orders": True,
            "live_href": live_href(request, *ticker.topics(actor)),
            "period": period,
            "today": rows,
            "totals": overview_today.totals(rows),
            "sold_href": sold_href(everything if actor.locations is not None else []),
            "weekday": overview_today.weekday(request, zone),
            "as_of": now(),
            "hours": overview_today.plot(request, rows),
            "differs": lambda here, then: overview_today.difference(request, here, then),
            "ticks": await ticker.latest(request),
            "ticker_topics": ticker.topics(actor),
            "latest": latest.items,
            "arrived": arrived(request, latest.items),
            "newest": latest.items[0].placed_at.isoformat() if latest.items else "",
            "channel_names": {channel.code: channel.name for channel in everything},
            "course": await _course(request, everything, period),
        }
    return await admin_page(request, "admin/overview.html", **context)


def sold_href(own: list[Channel]) -> str:
    """The list of all that counts as sold today, in some channels or (none) in all."""
    kept = ",".join(status for status in names.order_status if status != OrderStatus.CANCELLED)
    return href(DESK, {"day": "today", "status": kept, "channel": ",".join(one.code for one in own)})


def arrived(request: AnyRequest, rows: list[Any]) -> frozenset[UUID]:
    """Rows that are newer than what the page had shown before (htmx says until when that was)."""
    text = request.query_params.get("seen", "")
    try:
        seen = datetime.fromisoformat(text)
        return frozenset(row.id for row in rows if row.placed_at > seen)
    except (ValueError, TypeError):
        return frozenset()


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
    known = {channel.id: channel.name for channel in everything}
    rows = [row for row in await orders.by_day(database, days[-1], days[0]) if row.channel in known]
    if not rows:
        return None
    revenue: dict[str, int] = defaultdict(int)
    for row in rows:
        revenue[row.currency] += abs(row.revenue)
    currency = max(revenue, key=lambda one: revenue[one])
    rows = [row for row in rows if row.currency == currency]
    marks = sorted({_mark(row.period.date(), period) for row in rows})[-30 if period == "days" else -12 :]
    rows = [row for row in rows if _mark(row.period.date(), period) in set(marks)]
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


HANDLERS = [overview]
