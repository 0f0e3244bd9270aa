"""The stores of a shop: where they are, when they are open, and what lies there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, get
from markupsafe import Markup

from samlad import channels, stock
from samlad.channels import Channel, ChannelStatus, Resource
from samlad.faces import page as face
from samlad.faces.design import formats
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import opening, structured
from samlad.faces.storefront.orders import address_lines
from samlad.faces.storefront.place import channel_of, root_of, show
from samlad.kernel.clock import local_day, now
from samlad.kernel.http import database_of
from samlad.kernel.i18n import translator
from samlad.stock import Location

MAP = "https://www.openstreetmap.org"
MOST_TOLD = 100
"""Stores that are told of to search engines: a page stays short."""
FEW = 5
"""Up to so many pieces are counted out loud."""


class Store(msgspec.Struct, frozen=True):
    """A store where customers are met: its location, and its channel, which knows the opening hours."""

    location: Location
    channel: Channel


class PickupPlace(msgspec.Struct, frozen=True):
    """A store to pick up at. ``has_all``: everything that is wanted is there now."""

    id: UUID
    text: str
    has_all: bool


async def stores_of(request: AnyRequest, shop: Channel) -> list[Store]:
    """The open stores whose stock the shop shares, in the order of their priority."""
    database = database_of(request)
    known = {channel.id: channel for channel in await channels.cached_all(database)}
    found = []
    for place in await stock.locations(database, shop.pools[Resource.STOCK]):
        channel = known.get(place.channel) if place.channel else None
        if channel and place.is_active and channel.status is ChannelStatus.ACTIVE:
            found.append(Store(place, channel))
    return found


async def for_pickup(
    request: AnyRequest, shop: Channel, wanted: Sequence[tuple[UUID, int]]
) -> list[PickupPlace]:
    """Stores to choose from, those that have everything first."""
    _ = face.words(request)
    stores = await stores_of(request, shop)
    variants = [variant for variant, _count in wanted]
    levels = await stock.levels_of(database_of(request), variants, channel=shop)
    free = {(level.location, level.variant): level.available for level in levels}
    places = []
    for store in stores:
        has_all = all(free.get((store.location.id, variant), 0) >= count for variant, count in wanted)
        city = store.location.address.get("city")
        name = (
            f"{store.location.name}, {city}"
            if city and city not in store.location.name
            else store.location.name
        )
        text = name if has_all else _("%(store)s (does not have everything)") % {"store": name}
        places.append(PickupPlace(store.location.id, text, has_all))
    return sorted(places, key=lambda place: not place.has_all)


@get("/stores")
async def stores_page(request: AnyRequest) -> Response[Any]:
    """Where the stores are and when they are open."""
    channel, moment = await channel_of(request), now()
    found = await stores_of(request, channel)
    shown = [card(request, store, moment) | _hours(request, store, moment) for store in found]
    told = [structured.block(_told(request, store, moment)) for store in found[:MOST_TOLD]]
    return await show(
        request, channel, "storefront/stores.html", stores=shown, structured_data=Markup("").join(told)
    )


def card(request: AnyRequest, store: Store, moment: datetime) -> dict[str, Any]:
    """A store as lists show it."""
    return {
        "name": store.location.name,
        "address": address_lines(store.location.address),
        "phone": store.location.address.get("phone"),
        "is_open": channels.is_open(store.channel, moment),
        "hours_text": hours_text(request, store, moment),
        "map_href": _map_href(store.location),
    }


def _map_href(location: Location) -> str | None:
    """Where a map shows the place: by its coordinates, else by its address."""
    if location.latitude is not None and location.longitude is not None:
        at = f"{location.latitude}/{location.longitude}"
        return f"{MAP}/?mlat={location.latitude}&mlon={location.longitude}#map=17/{at}"
    lines = address_lines(location.address)
    return f"{MAP}/search?{urlencode({'query': ', '.join(lines)})}" if lines else None


def _hours(request: AnyRequest, store: Store, moment: datetime) -> dict[str, Any]:
    """The week, and the days that differ soon."""
    hours, locale, _ = store.channel.opening_hours, face.locale_of(request), face.words(request)
    if hours is None:
        return {"week": [], "differing": []}
    today = local_day(moment, store.channel.time_zone)
    return {
        "week": opening.week(_, hours, locale),
        "differing": opening.differing(_, hours, today, locale),
    }


def _told(request: AnyRequest, store: Store, moment: datetime) -> dict[str, Any]:
    """A store for search engines."""
    hours, root = store.channel.opening_hours, root_of(request)
    today = local_day(moment, store.channel.time_zone)
    return structured.store(
        name=store.location.name,
        root=root,
        place=store.location.code,
        address=store.location.address,
        country=store.channel.country,
        at=(store.location.latitude, store.location.longitude),
        hours=[] if hours is None else opening.structured(hours, today),
    )


def stock_words(request: AnyRequest, units: int) -> dict[str, str]:
    """How much there is, in words: exact only when it is few."""
    if units <= 0:
        return {"text": face.words(request)("Sold out"), "kind": "none"}
    if units <= FEW:
        said = translator(face.locale_of(request)).ngettext("Only %(num)d left", "Only %(num)d left", units)
        return {"text": said % {"num": units}, "kind": "few"}
    return {"text": face.words(request)("In stock"), "kind": "good"}


def hours_text(request: AnyRequest, store: Store, moment: datetime) -> str:
    """When it opens next, if it is closed now."""
    if store.channel.opening_hours is None or channels.is_open(store.channel, moment):
        return ""
    opens = channels.next_opening(store.channel, moment)
    if opens is None:
        return ""
    _, locale = face.words(request), face.locale_of(request)
    token = formats.zone.set(formats.zone_of(store.channel.time_zone))
    try:
        return _("Opens %(time)s") % {"time": formats.day_and_clock(opens, locale)}
    finally:
        formats.zone.reset(token)


handlers = [stores_page]
