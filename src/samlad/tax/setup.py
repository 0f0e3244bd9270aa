"""Rates and registrations of this process: needed with every price (`samlad.kernel.snapshots`).

Rates have dates, so that a new law holds from its first minute on whatever the age of what is remembered.
"""

from datetime import date
from typing import TypeVar
from uuid import UUID

import msgspec

from samlad import channels
from samlad.channels import Channel, Resource
from samlad.kernel.database import Reader
from samlad.kernel.snapshots import Kept
from samlad.tax import rules, store
from samlad.tax.model import Registration, Scheme, Seller
from samlad.tax.rules import Rates
from samlad.tax.territories import territory

T = TypeVar("T")


class Setup(msgspec.Struct, frozen=True):
    """The rates of each pool of prices that has its own, those of all others, and each channel's registrations."""

    shipped: Rates
    of_pool: dict[UUID, Rates]
    registrations: dict[UUID, list[Registration]]
    schemes: dict[UUID, list[Scheme]]

    def rates(self, channel: Channel) -> Rates:
        """The rates that hold in a channel."""
        return self.of_pool.get(channel.pools[Resource.PRICES], self.shipped)

    def registered(self, channel: Channel, day: date) -> list[Registration]:
        """Where the seller behind a channel is registered on a day."""
        return [
            each
            for each in self.registrations.get(channel.id, ())
            if each.valid_from <= day and (each.valid_to is None or day < each.valid_to)
        ]

    def seller(self, channel: Channel, day: date) -> Seller:
        """Who sells in a channel: a legal entity is a channel and what inherits from it."""
        margin: dict[str, str] = {}
        most = None
        for each in reversed(self.schemes.get(channel.id, ())):  # the nearest channel's word is the last
            if each.valid_from <= day and (each.valid_to is None or day < each.valid_to):
                if each.tax_class is None:
                    most = each.most
                else:
                    margin[each.tax_class] = each.scheme.replace("_", "-")
        return Seller(
            home=territory(channel.country),
            registered=frozenset(each.country for each in self.registered(channel, day)),
            oss=bool(channel.setting("tax_oss")),
            small_business=channel.setting("tax_scheme") == "small_business",
            margin=margin,
            ioss_most=most,
        )

    def home_rate(self, channel: Channel, tax_class: str, day: date) -> int:
        """The rate that is in a channel's prices (basis points)."""
        return rules.home_rate(self.seller(channel, day), tax_class, day, self.rates(channel))


async def _load(reader: Reader) -> Setup:
    rows = await store.all_rates(reader)
    shipped = [row for row in rows if row.pool is None]
    pools = {row.pool for row in rows if row.pool is not None}
    own: dict[UUID, list[Registration]] = {}
    for each in await store.all_registrations(reader):
        own.setdefault(each.channel, []).append(each)
    schemes: dict[UUID, list[Scheme]] = {}
    for used in await store.all_schemes(reader):
        schemes.setdefault(used.channel, []).append(used)
    known = {channel.id: channel for channel in await channels.all_channels(reader)}
    return Setup(
        shipped=Rates(shipped),
        of_pool={pool: Rates([*shipped, *(row for row in rows if row.pool == pool)]) for pool in pools},
        registrations={each.id: _inherited(each, known, own) for each in known.values()},
        schemes={each.id: _inherited(each, known, schemes) for each in known.values()},
    )


KEPT = Kept(_load, store.fingerprint)
current, forget = KEPT.current, KEPT.forget


def _inherited(channel: Channel, known: dict[UUID, Channel], own: dict[UUID, list[T]]) -> list[T]:
    """What holds in a channel: its own registrations or schemes and those of its parents, the nearest first."""
    found: list[T] = []
    at: Channel | None = channel
    while at is not None:
        found += own.get(at.id, ())
        at = known.get(at.parent) if at.parent else None
    return found
