"""Methods and sites of this process: read with every cart and every product page (`samlad.kernel.snapshots`)."""

from uuid import UUID

import msgspec

from samlad import channels, stock
from samlad.channels import Channel, ChannelStatus, OpeningHours
from samlad.delivery import calendar, rules, store
from samlad.delivery.model import Method, Workday
from samlad.delivery.promise import Site
from samlad.delivery.worktime import Hours
from samlad.kernel.database import Database, Tx
from samlad.kernel.snapshots import Kept
from samlad.stock import Location, LocationKind


class Setup(msgspec.Struct, frozen=True):
    """The methods that hold in each channel, the active sites of each stock pool by priority, and every method by id."""

    methods: dict[UUID, list[Method]]
    sites: dict[UUID, list[Site]]
    by_id: dict[UUID, Method]
    by_location: dict[UUID, Site]


async def methods_of(reader: Database | Tx, channel: Channel) -> list[Method]:
    """The methods that hold in a channel, by position."""
    return (await KEPT.current(reader)).methods.get(channel.id, [])


async def _load(reader: Database | Tx) -> Setup:
    known = {channel.id: channel for channel in await channels.all_channels(reader)}
    methods = await store.all_methods(reader)
    workdays = {workday.location: workday for workday in await store.all_workdays(reader)}
    own: dict[UUID, list[Method]] = {}
    for method in methods:
        own.setdefault(method.channel, []).append(method)
    sites: dict[UUID, list[Site]] = {}
    for place in sorted(await stock.locations(reader), key=lambda place: (place.priority, place.id)):
        if place.is_active:
            site = site_of(place, known.get(place.channel) if place.channel else None, workdays.get(place.id))
            sites.setdefault(place.pool, []).append(site)
    free = {(method.calendar.holidays, method.calendar.subdivision) for method in methods}
    free |= {(workday.holidays, None) for workday in workdays.values()}
    places = {(country, part) for country, part in free if country is not None}
    if places:
        await calendar.prepare(places)
    return Setup(
        methods={channel.id: rules.effective(channel, known, own) for channel in known.values()},
        sites=sites,
        by_id={method.id: method for method in methods},
        by_location={site.id: site for pool in sites.values() for site in pool},
    )


KEPT = Kept(_load, store.fingerprint)
current, forget = KEPT.current, KEPT.forget


def site_of(place: Location, channel: Channel | None, workday: Workday | None) -> Site:
    """A location as promises see it. A store that is paused or closed hands nothing over, but may send."""
    address = place.address
    doors = None if channel is None else channel.opening_hours
    own = workday or Workday(location=place.id)
    return Site(
        id=place.id,
        code=place.code,
        name=place.name,
        pool=place.pool,
        channel=place.channel,
        is_store=place.kind is LocationKind.STORE
        and channel is not None
        and channel.status is ChannelStatus.ACTIVE,
        city=str(address.get("city") or ""),
        postal_code=str(address.get("postal_code") or ""),
        country=str(address.get("country") or ("" if channel is None else channel.country)),
        latitude=place.latitude,
        longitude=place.longitude,
        priority=place.priority,
        doors=Hours(place.time_zone, _encode(doors)),
        work=Hours(place.time_zone, _encode(own.hours or doors), own.holidays),
        pick_minutes=own.pick_minutes,
        pack_minutes=own.pack_minutes,
        capacity=own.capacity,
        capacity_unit=own.capacity_unit,
    )


def _encode(hours: OpeningHours | None) -> bytes | None:
    return None if hours is None else msgspec.json.encode(hours)
