"""Repeat orders, decided without a database: the days they come on, and what they cost."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from samlad.kernel.money import share
from samlad.kernel.problems import FieldError
from samlad.subscriptions.model import PriceStage, Terms, Unit

LAST_CYCLE = 100_000
"""Beyond any that a day can have: dates end in the year 9999."""


def first_day(terms: Terms, start: date) -> date:
    """The first day at or after ``start`` that fits the terms' anchor; ``start`` itself without one."""
    if terms.anchor is None or terms.unit is Unit.DAY:
        return start
    if terms.unit is Unit.WEEK:
        return start + timedelta(days=(terms.anchor - start.isoweekday()) % 7)
    this = _in_month(start.year, start.month, terms.anchor)
    return this if this >= start else _months_on(start.replace(day=1), 1, terms.anchor)


def day_of(terms: Terms, anchor_on: date, cycles: int) -> date:
    """The day so many cycles after the anchor.

    Months are counted from the anchor and never from the day before, so that 31 January leads over 28 February to 31
    March. With an anchor of the terms the day of the month is that one.
    """
    steps = cycles * terms.every
    if terms.unit is Unit.MONTH:
        return _months_on(anchor_on, steps, terms.anchor or anchor_on.day)
    return anchor_on + timedelta(days=steps * (7 if terms.unit is Unit.WEEK else 1))


def next_cycle(
    terms: Terms, anchor_on: date, anchor_cycle: int, least: int, from_day: date
) -> tuple[int, date]:
    """The first cycle, at least ``least``, whose day is at or after ``from_day``; and that day."""
    span = range(max(0, least - anchor_cycle), LAST_CYCLE)
    within = (date.max - anchor_on).days // (
        terms.every * {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 32}[terms.unit]
    )
    span = span[: max(1, within - span.start)]
    found = span[min(bisect_left(span, from_day, key=lambda n: day_of(terms, anchor_on, n)), len(span) - 1)]
    return found + anchor_cycle, day_of(terms, anchor_on, found)


def _months_on(start: date, months: int, day: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return _in_month(year, month + 1, day)


def _in_month(year: int, month: int, day: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return date(year, month, min(day, (following - timedelta(days=1)).day))


def moment_of(day: date, hour: int, time_zone: str) -> datetime:
    """When a day's orders are placed: at an hour of the place's clock, in UTC.

    An hour that the clocks leave out in spring is the one after it.
    """
    local = datetime.combine(day, time(hour), ZoneInfo(time_zone))
    return local.astimezone(UTC)


def due_day(moment: datetime, hour: int, time_zone: str) -> date:
    """The last day whose orders are to be placed by a moment."""
    today = moment.astimezone(ZoneInfo(time_zone)).date()
    return today if moment >= moment_of(today, hour, time_zone) else today - timedelta(days=1)


def stage_of(prices: Sequence[PriceStage], order: int) -> PriceStage | None:
    """What holds for an order (the first is 1)."""
    begun = [stage for stage in prices if stage.from_order <= order]
    return max(begun, key=lambda stage: stage.from_order, default=None)


def price_of(terms: Terms, order: int, list_price: int, currency: str) -> int:
    """What one costs in an order (the first is 1), minor units, from its list price."""
    stage = stage_of(terms.prices, order)
    if stage is None:
        return list_price
    if stage.price is not None and currency in stage.price:
        return stage.price[currency]
    return list_price - share(list_price, stage.percent_off or 0, 10_000)


def honoured(now: int, last: int | None, told: int | None, told_on: date | None, day: date, days: int) -> int:
    """The list price that a renewal of a day is worked out from: a rise counts when it was told ``days`` before.

    Args:
        now: the list price of now. last: that of the last order (None: there was none). told: what was announced.
    """
    if last is None or now <= last or days == 0:
        return now
    if told is not None and told_on is not None and told_on + timedelta(days=days) <= day:
        return min(now, max(told, last))
    return last


def retry_after(failed_at: datetime, attempts: int, days: Sequence[int]) -> datetime | None:
    """When to try again after so many attempts that failed, the first of them at ``failed_at``; None: give up."""
    return failed_at + timedelta(days=days[attempts - 1]) if attempts <= len(days) else None


def terms_errors(terms: Terms, field: str = "terms") -> list[FieldError]:
    """What in terms cannot be."""
    errors = []
    if terms.anchor is not None and terms.unit is Unit.DAY:
        errors.append(FieldError(f"{field}/anchor", "counted in days there is none"))
    if terms.anchor is not None and terms.unit is Unit.WEEK and terms.anchor > 7:
        errors.append(FieldError(f"{field}/anchor", "1 (Monday) to 7 (Sunday)"))
    starts = [stage.from_order for stage in terms.prices]
    for index, stage in enumerate(terms.prices):
        if starts[index] in starts[:index] or starts != sorted(starts):
            errors.append(FieldError(f"{field}/prices/{index}/from_order", "each once, in rising order"))
        if stage.percent_off is not None and stage.price is not None:
            errors.append(FieldError(f"{field}/prices/{index}", "either percent_off or price"))
    length = {Unit.DAY: 24, Unit.WEEK: 7 * 24, Unit.MONTH: 28 * 24}[terms.unit] * terms.every
    if terms.cutoff_hours >= length:
        errors.append(FieldError(f"{field}/cutoff_hours", f"less than the interval, {length} hours"))
    return errors
