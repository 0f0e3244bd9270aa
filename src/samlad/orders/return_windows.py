"""Until which day goods may come back, as the calendar of the customer's country shows it: pure.

The right of withdrawal at a distance in the EU is one of Regulation (EEC, Euratom) 1182/71 (recital 41 of Directive
2011/83/EU): the day on which the goods are received is not counted, and a period that would end on a Saturday, a Sunday or a
public holiday ends with the working day that follows.
"""

from datetime import date, datetime, timedelta
from functools import cache

from babel.core import get_global

from samlad.channels import Channel
from samlad.delivery.calendar import public_holidays
from samlad.kernel.clock import local_day

_SATURDAY = 6
_DAY = timedelta(days=1)


@cache
def _zones(country: str) -> tuple[str, ...]:
    """The IANA time zones of a country (ISO 3166-1 alpha-2); none for one that is not known."""
    if country == "ZZ":  # CLDR's word for zones that are nowhere
        return ()
    return tuple(sorted(zone for zone, land in get_global("zone_territories").items() if land == country))


def zones_of(country: str | None, channel: Channel) -> tuple[str, ...]:
    """The time zones that a customer's clock may show: the channel's at home, else those of their country."""
    if country is None or country == channel.country:
        return (channel.time_zone,)
    return _zones(country) or (channel.time_zone,)


def today(moment: datetime, zones: tuple[str, ...]) -> date:
    """The day that it is for a customer; of a country with several clocks the day that has not ended anywhere in it."""
    return min(local_day(moment, zone) for zone in zones)


def last_day(
    received: datetime, days: int, zones: tuple[str, ...], *, withdrawal_in: str | None = None
) -> date:
    """The last day on which what was received then may come back.

    ``withdrawal_in``: the country whose customer has the right of withdrawal; its working days count for the end.
    """
    last = max(local_day(received, zone) for zone in zones) + days * _DAY
    if withdrawal_in is None:
        return last
    while last.isoweekday() >= _SATURDAY or last in public_holidays(withdrawal_in, None, last.year):
        last += _DAY
    return last
