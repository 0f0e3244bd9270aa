"""Gift cards and loyalty, decided without a database."""

import calendar
from collections.abc import Sequence
from datetime import date

from samlad.credit.model import BookedPoints, Rate, Tier

LEAST_MONTHS = {"US": 60, "IE": 60, "AU": 36, "DE": 36}
"""How long a gift card must pay at least, in months, by the issuer's country.

US: five years, 15 U.S.C. 1693l-1(c) (CARD Act 2009). IE: five years, Consumer Protection (Gift Vouchers) Act 2019.
AU: three years, Australian Consumer Law s 99B. DE: three years from the end of the year of issue, §§ 195, 199 BGB.
Elsewhere the shop's own setting holds; whoever needs another rule sets more months.
"""
NEVER_EXPIRES = frozenset({"CA"})
"""Countries where gift cards may not expire (CA: by the law of nearly all provinces, e.g. Ontario Reg. 17/05 s 25.3)."""
FROM_YEAR_END = frozenset({"DE"})


def last_day(issued: date, months: int, country: str) -> date | None:
    """The last day on which a card pays; None for ever. ``months`` is the shop's setting, 0 for ever.

    The country's least time holds where the setting is shorter.
    """
    if months == 0 or country in NEVER_EXPIRES:
        return None
    least = LEAST_MONTHS.get(country, 0)
    floor = add_months(issued, least)
    if country in FROM_YEAR_END:
        floor = date(issued.year + least // 12, 12, 31)
    return max(add_months(issued, months), floor)


def add_months(day: date, months: int) -> date:
    """The same day of a later month, or its last: 31 January and a month is 28 or 29 February."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def base_points(goods: int, currency: str, rates: Sequence[Rate]) -> int:
    """Points for goods of this worth (minor units), whole ones, before any multiplier; 0 without a rate."""
    for rate in rates:
        if rate.currency == currency:
            return max(0, goods) * rate.points // rate.spend
    return 0


def multiplied(base: int, tier: Tier | None) -> int:
    """Points with a tier's multiplier (in percent), rounded down."""
    return base if tier is None else base * tier.multiplier_percent // 100


def kept(points: int, goods: int, returned: int) -> int:
    """Of the points for goods, those that remain when some of the goods are back: in proportion, rounded down.

    What is taken back is the difference to what was kept before, so that parts come to exactly the whole.
    """
    if goods <= 0 or returned >= goods:
        return 0
    return points * (goods - max(0, returned)) // goods


def still_expired(kept: int, booked: BookedPoints) -> int:
    """How many points of an order have expired that no return has been let off for yet; ``kept`` of what it earned are not to go back."""
    let_off = max(0, booked.earned - booked.taken - kept)
    return max(0, booked.expired - let_off)


def tier_of(qualifying: int, tiers: Sequence[Tier]) -> Tier | None:
    """The highest tier whose threshold is reached; None below the first."""
    reached = [tier for tier in tiers if tier.threshold <= qualifying]
    return max(reached, key=lambda tier: tier.threshold, default=None)


def next_tier(qualifying: int, tiers: Sequence[Tier]) -> Tier | None:
    """The tier after that; None at the top."""
    ahead = [tier for tier in tiers if tier.threshold > qualifying]
    return min(ahead, key=lambda tier: tier.threshold, default=None)
