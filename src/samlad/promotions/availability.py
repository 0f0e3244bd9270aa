"""Which promotions somebody may have, decided without a database: where, when and who, before what is in the cart."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec

from samlad.channels import Interval
from samlad.promotions.model import Promotion, PromotionStatus

TRUSTED = frozenset({"shown", "staff"})
"""Grants by which somebody keeps a promotion though they are no longer of its audience."""


class Circumstances(msgspec.Struct, frozen=True, kw_only=True):
    """Where and when somebody is and what we know of them.

    ``grants`` has the source of what they were granted by promotion; ``uses`` how often they (the customer, if known)
    have used what is limited for each; ``orders`` how many orders they have placed.
    """

    channel: UUID
    currency: str
    time_zone: str
    at: datetime
    customer_group: str | None = None
    grants: Mapping[UUID, str] = {}
    uses: Mapping[UUID, int] = {}
    orders: int = 0


def why_not(promotion: Promotion, here: Circumstances) -> str | None:
    """Why somebody may not have a promotion now, None if they may.

    What they were shown stays theirs in every channel of the pool, also while it is paused, until it ends.
    """
    source = here.grants.get(promotion.id)
    reason = when_not(promotion, here.at.astimezone(ZoneInfo(here.time_zone)))
    if reason is not None:
        return reason
    if promotion.currency is not None and promotion.currency != here.currency:
        return "currency"
    if source is None:
        reason = _not_for_strangers(promotion, here)
        if reason is not None:
            return reason
    is_audience = promotion.customer_group in (None, here.customer_group)
    if not is_audience and source not in TRUSTED:
        return "group"
    return _used_up(promotion, here)


def _not_for_strangers(promotion: Promotion, here: Circumstances) -> str | None:
    """Why somebody does not get a promotion that they were not granted."""
    if promotion.status is PromotionStatus.PAUSED:
        return "paused"
    if promotion.channels is not None and here.channel not in promotion.channels:
        return "elsewhere"
    return None if promotion.is_automatic else "not-granted"


def _used_up(promotion: Promotion, here: Circumstances) -> str | None:
    if promotion.first_order and here.orders > 0:
        return "first-order"
    each = promotion.each_customer
    if each is not None and here.uses.get(promotion.id, 0) >= each:
        return "once"
    is_over = promotion.limit_total is not None and promotion.uses >= promotion.limit_total
    is_spent = promotion.budget is not None and promotion.spent >= promotion.budget
    return "used-up" if is_over or is_spent else None


def when_not(promotion: Promotion, local: datetime) -> str | None:
    """Why a promotion does not hold at a moment on a channel's clock: ``not-yet``, ``ended`` or ``hours``."""
    day = _day_of(promotion.hours, local)
    if promotion.status is PromotionStatus.ENDED or (
        promotion.last_day is not None and day > promotion.last_day
    ):
        return "ended"
    if promotion.first_day is not None and day < promotion.first_day:
        return "not-yet"
    if promotion.weekdays and day.isoweekday() not in promotion.weekdays:
        return "hours"
    return None if _is_hour(promotion.hours, local) else "hours"


def _day_of(hours: Interval | None, local: datetime) -> date:
    """The day to which a moment belongs: hours that go over midnight are of the day on which they begin."""
    is_after_midnight = hours is not None and hours.opens >= hours.closes > local.strftime(_CLOCK)
    return local.date() - timedelta(days=is_after_midnight)


def _is_hour(hours: Interval | None, local: datetime) -> bool:
    if hours is None:
        return True
    clock = local.strftime(_CLOCK)
    if hours.opens < hours.closes:
        return hours.opens <= clock < hours.closes
    return clock >= hours.opens or clock < hours.closes


_CLOCK = "%H:%M"
