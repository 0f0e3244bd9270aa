"""When and where else a customer can have a thing: the promise of the product page, at the till."""

from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from samlad import catalog, delivery, stock
from samlad.delivery import Destination
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show, till_of
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound

MOST_STORES = 30
MOST_LETTERS = 20


@get("/{code:str}/elsewhere/{variant:uuid}")
async def elsewhere_page(request: AnyRequest, code: FromPath[str], variant: FromPath[UUID]) -> Response[Any]:
    """Brought to a postal code, and in each store, the nearest first: when, and how many lie there."""
    till = await till_of(request, code)
    database, channel = database_of(request), till.channel
    sold = (await catalog.sellables(database, channel, [variant])).get(variant)
    if sold is None:
        raise NotFound("There is no such thing in this store.")
    typed = (request.query_params.get("postal_code") or "").replace("\x00", "").strip()[:MOST_LETTERS]
    promised = await delivery.answer(
        database, channel, {variant: 1}, _place(till, typed), locale=face.locale_of(request)
    )
    levels = await stock.levels_of(database, [variant], channel=channel)
    free = {level.location: level.available for level in levels}
    stores = [
        {
            "name": store.name,
            "is_here": store.location == till.location.id,
            "km": store.distance_km,
            "units": max(0, free.get(store.location, 0)),
            "promise": "" if store.promise is None else store.promise.text,
        }
        for store in promised.stores[:MOST_STORES]
    ]
    return show(
        request,
        till,
        "pos/elsewhere.html",
        sold=sold,
        delivered=promised.delivered,
        stores=stores,
        postal_code=typed,
        more=max(0, len(promised.stores) - MOST_STORES),
    )


def _place(till: Till, postal_code: str) -> Destination:
    """Where the customer wants it; without a postal code they stand in this store."""
    if postal_code:
        return Destination(country=till.channel.country, postal_code=postal_code)
    place = till.location
    return Destination(
        country=till.channel.country,
        postal_code=place.address.get("postal_code"),
        latitude=place.latitude,
        longitude=place.longitude,
    )


handlers = [elsewhere_page]
