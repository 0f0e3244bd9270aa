"""Plots of events of clients: what came and what was parked, over a day, a week or a month."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from samlad.faces.admin.lists import href
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest, locale_of, words
from samlad.kernel.clock import now
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.tracking import events_store, parked_store
from samlad.tracking.model import Faults, Volume


class Span(msgspec.Struct, frozen=True):
    """How far back a plot goes, and how long one bar of it is."""

    title: str
    note: str
    bars: int
    minutes: int

    def since(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Where the first bar begins: the last one holds ``moment``."""
        if self.minutes < 1_440:
            last = moment.replace(minute=0, second=0, microsecond=0)
        else:
            last = moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return last - timedelta(minutes=self.minutes * (self.bars - 1))


SPANS = {
    "day": Span(marked("The last 24 hours"), marked("Events by the hour when they arrived"), 24, 60),
    "week": Span(marked("The last 7 days"), marked("Events by the six hours in which they arrived"), 28, 360),
    "month": Span(marked("The last 30 days"), marked("Events by the day when they arrived"), 30, 1_440),
}


def span_of(request: AnyRequest) -> str:
    """Which span the address asks for."""
    wanted = request.query_params.get("span", "")
    return wanted if wanted in SPANS else "day"


def _tabs(request: AnyRequest, name: str) -> list[dict[str, Any]]:
    _ = words(request)
    return [
        {
            "text": _(span.title),
            "href": href(request.url.path, {**_shown(request), "span": each}),
            "current": each == name,
        }
        for each, span in SPANS.items()
    ]


def _shown(request: AnyRequest) -> dict[str, str]:
    """What the address asks for, but for the place in a list."""
    return {name: value for name, value in request.query_params.items() if name not in ("cursor", "trail")}


def _labels(request: AnyRequest, span: Span, since: datetime, zone: ZoneInfo) -> list[str]:
    locale, found = locale_of(request), []
    for number in range(span.bars):
        at = (since + timedelta(minutes=span.minutes * number)).astimezone(zone)
        day = formats.day_as(at.date(), "d MMM", locale)
        found.append(
            f"{at:%H:%M}" if span.minutes == 60 else f"{day} {at:%H:%M}" if span.minutes < 1_440 else day
        )
    return found


def _plot(
    request: AnyRequest,
    name: str,
    zone: ZoneInfo,
    since: datetime,
    series: Sequence[tuple[str, list[int]]],
    summary: str,
) -> dict[str, Any]:
    option = {
        "xAxis": {"type": "category", "data": _labels(request, SPANS[name], since, zone)},
        "yAxis": {"type": "value", "minInterval": 1},
        "legend": {"type": "scroll"},
        "series": [{"type": "bar", "stack": "all", "name": text, "data": values} for text, values in series],
    }
    return {
        "option": option,
        "summary": summary,
        "title": SPANS[name].title,
        "note": SPANS[name].note,
        "tabs": _tabs(request, name),
    }


async def volume_plot(
    request: AnyRequest, time_zone: str, source: UUID | None = None
) -> dict[str, Any] | None:
    """What came, with its verdicts, and what the plot says; None when nothing came in a day and no other span is asked for."""
    _, name, zone = words(request), span_of(request), ZoneInfo(time_zone)
    span = SPANS[name]
    since = span.since(now(), zone)
    volume = await events_store.volume(database_of(request), since=since, minutes=span.minutes, source=source)
    if not volume and name == "day" and "span" not in request.query_params:
        return None
    bars = _filled(volume, since, span)
    series = [
        (_("Taken"), [each.accepted - each.violating for each in bars]),
        (_("Against the plan"), [each.violating for each in bars]),
        (_("Parked"), [each.parked for each in bars]),
        (_("Came twice"), [each.duplicates for each in bars]),
        (_("Blocked"), [each.blocked for each in bars]),
    ]
    summary = _(
        "%(span)s: %(taken)s events were taken, %(parked)s were parked and %(blocked)s were blocked."
    ) % {
        "span": _(span.title),
        "taken": sum(each.accepted for each in volume),
        "parked": sum(each.parked for each in volume),
        "blocked": sum(each.blocked for each in volume),
    }
    shown = [pair for pair in series if any(pair[1]) or pair is series[0]]
    return _plot(request, name, zone, since, shown, summary)


def _filled(volume: Sequence[Volume], since: datetime, span: Span) -> list[Volume]:
    """Each bar, also those in which nothing came."""
    there = {each.at: each for each in volume}
    starts = [since + timedelta(minutes=span.minutes * number) for number in range(span.bars)]
    nothing = dict.fromkeys(("accepted", "duplicates", "parked", "violating"), 0)
    return [there.get(at) or Volume(at=at, **nothing) for at in starts]


async def faults_plot(request: AnyRequest, time_zone: str) -> dict[str, Any] | None:
    """What is parked by reason, of the sources that the list is filtered by; None when nothing is."""
    _, name, zone = words(request), span_of(request), ZoneInfo(time_zone)
    span = SPANS[name]
    since = span.since(now(), zone)
    source = request.query_params.get("source", "")
    try:
        only = UUID(source) if source else None
    except ValueError:
        only = None
    found = await parked_store.faults(database_of(request), since=since, minutes=span.minutes, source=only)
    if not found and "span" not in request.query_params:
        return None
    reasons = sorted({each.reason for each in found}, key=lambda reason: -_count(found, reason))
    starts = [since + timedelta(minutes=span.minutes * number) for number in range(span.bars)]
    by_place = {(each.at, each.reason): each.events for each in found}
    series = [(reason, [by_place.get((at, reason), 0) for at in starts]) for reason in reasons]
    told = ", ".join(f"{reason} {_count(found, reason)}" for reason in reasons)
    summary = _("%(span)s: parked by reason: %(reasons)s") % {"span": _(span.title), "reasons": told or "0"}
    return _plot(request, name, zone, since, series, summary)


def _count(found: Sequence[Faults], reason: str) -> int:
    return sum(each.events for each in found if each.reason == reason)
