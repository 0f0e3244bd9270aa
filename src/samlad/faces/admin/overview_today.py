"""Today against the same weekday a week before, until the same time of day: by channel, by hour, and in words."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad.channels import Channel, ChannelStatus
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest, locale_of, words
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Reader
from samlad.kernel.i18n import translator
from samlad.kernel.money import exponent
from samlad.orders import today
from samlad.orders.today import Day, Sold

_HOURS = 24
_QUARTER = timedelta(minutes=15)


class Sums(msgspec.Struct):
    """Sales, revenue (minor units, with tax) and pieces."""

    orders: int = 0
    revenue: int = 0
    items: int = 0

    def add(self, row: Sold) -> None:
        """Add what a channel sold in a quarter of an hour."""
        self.orders += row.orders
        self.revenue += row.revenue
        self.items += row.items


class Today(msgspec.Struct):
    """What one channel has sold on its own present day, by currency, and a week before until the same time of day.

    ``hours`` and ``then_hours`` are revenue by the hour of the channel's clock, that of the week before the whole day.
    """

    channel: Channel
    currency: str
    now: Sums
    then: Sums
    hours: list[int]
    then_hours: list[int]


class Difference(msgspec.Struct, frozen=True):
    """A change in words; ``trend`` is up, down or None, ``good`` whether that is good news."""

    text: str
    trend: str | None = None
    good: bool | None = None


async def read(
    reader: Reader,
    everything: list[Channel],
    locations: Sequence[UUID] | None = None,
    moment: datetime | None = None,
) -> list[Today]:
    """Every channel that is open or sold something, at some locations or (None) at all; those that sold most first. One
    statement.
    """
    moment = moment or now()
    days = {channel.id: today.day_of(channel.id, channel.time_zone, moment) for channel in everything}
    rows: dict[UUID, dict[str, list[Sold]]] = defaultdict(lambda: defaultdict(list))
    for row in await today.sold(reader, list(days.values()), locations):
        rows[row.channel][row.currency].append(row)
    found = []
    for channel in everything:
        sold = rows.get(channel.id)
        if not sold and channel.status is ChannelStatus.ACTIVE:
            sold = {channel.currency: []}
        found += [
            _today(channel, currency, days[channel.id], some) for currency, some in (sold or {}).items()
        ]
    return sorted(found, key=lambda row: (-row.now.orders, -row.then.orders, row.channel.name, row.currency))


def _today(channel: Channel, currency: str, day: Day, rows: list[Sold]) -> Today:
    zone = formats.zone_of(channel.time_zone)
    made = Today(channel, currency, Sums(), Sums(), [0] * _HOURS, [0] * _HOURS)
    for row in rows:
        hour = row.period.astimezone(zone).hour
        if row.part == "today":
            made.now.add(row)
            made.hours[hour] += row.revenue
        elif row.part == "cut":
            made.then.add(row)
        else:
            made.then_hours[hour] += row.revenue
            if row.period + _QUARTER <= day.cut:
                made.then.add(row)
    return made


class Totals(msgspec.Struct):
    """Sums over the channels: orders and pieces, and revenue by currency, the largest first."""

    now: Sums
    then: Sums
    revenue: list[tuple[str, int, int]]


def totals(rows: list[Today]) -> Totals:
    """Everything together; ``revenue`` is currency, today's and that of the week before."""
    both = (Sums(), Sums())
    revenue: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        for at, (sums, some) in enumerate(zip(both, (row.now, row.then), strict=True)):
            sums.orders += some.orders
            sums.items += some.items
            revenue[row.currency][at] += some.revenue
    ranked = sorted(revenue.items(), key=lambda pair: (-pair[1][0], -pair[1][1], pair[0]))
    sold = [(currency, here, then) for currency, (here, then) in ranked if here or then]
    return Totals(*both, revenue=sold)


def difference(request: AnyRequest, here: int, then: int) -> Difference:
    """How a number compares with the one of the week before."""
    _ = words(request)
    if here == then:
        return Difference(_("as much as a week ago") if then else _("none a week ago either"))
    if then <= 0:
        return Difference(_("none a week ago"), "up", good=True) if here > then else Difference("")
    share = round((here - then) * 100 / then)
    if abs(share) < 1:
        return Difference(_("about as much as a week ago"))
    values = {"share": formats.number(abs(share), locale_of(request))}
    if share > 0:
        return Difference(_("%(share)s %% more than a week ago") % values, "up", good=True)
    return Difference(_("%(share)s %% less than a week ago") % values, "down", good=False)


def weekday(request: AnyRequest, time_zone: str) -> str:
    """The name of the day that it is."""
    return formats.day_as(local_day(now(), time_zone), "EEEE", locale_of(request))


def plot(request: AnyRequest, rows: list[Today]) -> dict[str, Any] | None:
    """The ECharts option of the day by the hour in the currency that sells most, and what it says. None before any sale."""
    by_currency: dict[str, int] = defaultdict(int)
    for row in rows:
        by_currency[row.currency] += sum(map(abs, row.hours)) + sum(map(abs, row.then_hours))
    currency = max(by_currency, key=lambda one: by_currency[one], default="")
    if not by_currency.get(currency):
        return None
    _, locale, scale = words(request), locale_of(request), 10 ** exponent(currency)
    some = [row for row in rows if row.currency == currency]
    here = [sum(row.hours[hour] for row in some) for hour in range(_HOURS)]
    then = [sum(row.then_hours[hour] for row in some) for hour in range(_HOURS)]
    best = max(range(_HOURS), key=lambda hour: here[hour])
    said = translator(locale).gettext(
        "Sales by the hour in %(currency)s: %(now)s today, most of it at %(hour)s o’clock; %(then)s on the whole day a week ago."
    ) % {
        "currency": currency,
        "now": formats.money(sum(here), currency, locale),
        "hour": f"{best:02}",
        "then": formats.money(sum(then), currency, locale),
    }
    option = {
        "xAxis": {"type": "category", "data": [f"{hour:02}" for hour in range(_HOURS)]},
        "yAxis": {"type": "value"},
        "legend": {"type": "scroll"},
        "series": [
            {"name": _("Today"), "type": "bar", "data": [value / scale for value in here]},
            {
                "name": _("A week ago"),
                "type": "line",
                "step": "middle",
                "symbol": "none",
                "data": [value / scale for value in then],
            },
        ],
    }
    return {"option": option, "said": said, "currency": currency}
