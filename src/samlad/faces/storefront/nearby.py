"""Where a product can be had: brought, and in each store, nearest first, as a list and as a map that we draw ourselves."""

from collections.abc import Sequence
from math import cos, radians
from typing import Any
from uuid import UUID

from samlad import delivery, stock
from samlad.channels import Channel
from samlad.delivery import Destination
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import stores
from samlad.kernel.http import database_of
from samlad.kernel.i18n import translator

MOST_PLACES = 30
"""Stores on the page; whoever says where they are sees those nearby."""
WIDTH, HEIGHT, EDGE = 320, 240, 24
"""Of the map, with room around the outermost stores."""


async def section(request: AnyRequest, channel: Channel, variant: UUID | None) -> dict[str, Any]:
    """When it can be had: brought, and in each store. By a postal code, or by the place that a browser told."""
    found = await stores.stores_of(request, channel)
    code = (request.query_params.get("postal_code") or "").replace("\x00", "").strip()[:20]
    here = _here(request)
    shown: dict[str, Any] = {
        "places": [],
        "places_note": "",
        "brought": [],
        "postal_code": code,
        "more_places": 0,
        "map": None,
        "is_near": bool(code or here),
    }
    if variant is None:
        return shown
    database, locale = database_of(request), face.locale_of(request)
    latitude, longitude = here or (None, None)
    to = Destination(
        country=channel.country, postal_code=code or None, latitude=latitude, longitude=longitude
    )
    promised = await delivery.answer(database, channel, {variant: 1}, to, locale=locale)
    shown["brought"] = [each.text for each in promised.delivered]
    if not found:
        return shown
    levels = await stock.levels_of(database, [variant], channel=channel)
    free = {level.location: level.available for level in levels}
    order = {store.location: place for place, store in enumerate(promised.stores)}
    said_of = {store.location: store for store in promised.stores}
    places: list[dict[str, Any]] = []
    for store in sorted(found, key=lambda store: order.get(store.location.id, len(order))):
        known, units = said_of.get(store.location.id), free.get(store.location.id, 0)
        places.append(
            {
                "name": store.location.name,
                "note": known.promise.text
                if known and known.promise
                else store.location.address.get("city", ""),
                "km": known.distance_km if known and (code or here) else None,
                "units": units,
                "at": (store.location.latitude, store.location.longitude),
                **stores.stock_words(request, units),
            }
        )
    have = sum(place["units"] > 0 for place in places)
    said = translator(locale).ngettext("in %(num)d store", "in %(num)d stores", have)
    places.sort(key=lambda place: place["units"] == 0)
    for number, place in enumerate(places, 1):
        place["number"] = number
    return shown | {
        "places": places[:MOST_PLACES],
        "more_places": max(0, len(places) - MOST_PLACES),
        "places_note": said % {"num": have} if have else translator(locale).gettext("in none at the moment"),
        "map": drawn(places[:MOST_PLACES], here),
    }


def _here(request: AnyRequest) -> tuple[float, float] | None:
    """Latitude and longitude that the browser told, if they are some."""
    try:
        latitude = float(request.query_params.get("lat", ""))
        longitude = float(request.query_params.get("lon", ""))
    except ValueError:
        return None
    return (latitude, longitude) if -90 <= latitude <= 90 and -180 <= longitude <= 180 else None


def drawn(places: Sequence[dict[str, Any]], here: tuple[float, float] | None = None) -> dict[str, Any] | None:
    """Points of a map for the places whose coordinates are known; None for fewer than two.

    Equirectangular, narrowed by the cosine of the middle latitude: distances look right within a country.
    """
    known = [(place, place["at"]) for place in places if None not in place["at"]]
    if len(known) < 2:
        return None
    everything = [at for _, at in known] + ([here] if here else [])
    south, north = min(at[0] for at in everything), max(at[0] for at in everything)
    west, east = min(at[1] for at in everything), max(at[1] for at in everything)
    narrow = cos(radians((south + north) / 2))
    across, up = max((east - west) * narrow, 1e-6), max(north - south, 1e-6)
    scale = min((WIDTH - 2 * EDGE) / across, (HEIGHT - 2 * EDGE) / up)
    left, top = (WIDTH - across * scale) / 2, (HEIGHT - up * scale) / 2

    def point(at: tuple[float, float]) -> tuple[float, float]:
        return round(left + (at[1] - west) * narrow * scale, 1), round(top + (north - at[0]) * scale, 1)

    return {
        "width": WIDTH,
        "height": HEIGHT,
        "points": [
            {"at": point(at), "number": place["number"], "kind": place["kind"]} for place, at in known
        ],
        "here": point(here) if here else None,
    }
