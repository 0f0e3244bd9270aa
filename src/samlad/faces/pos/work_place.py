"""Where somebody works: a store or a warehouse, and the frame of its pages of work."""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response

from samlad import orders, stock
from samlad.faces import fulfilment_names as names
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import clerk_of
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import NotFound
from samlad.orders import fulfilment_store
from samlad.orders.fulfilment_model import Fulfilment, Late
from samlad.stock import Location


class Place(msgspec.Struct, frozen=True):
    """A location, and the address of its work."""

    location: Location

    @property
    def base(self) -> str:
        """The address of its list."""
        return f"/pos/work/{self.location.code}"


async def place_of(request: AnyRequest, code: str) -> Place:
    """The place with a code.

    Raises:
        Unauthenticated, Forbidden: nobody has signed in, or they do not work there.
        NotFound: there is no such place.
    """
    actor = clerk_of(request)
    try:
        found = await stock.location_by_code(database_of(request), code)
    except NotFound:
        raise NotFound("There is no such place.") from None
    actor.require(orders.CHANGE, location=found.id)
    await face.know_channels(request)
    face.at_home(request)
    return Place(found)


async def work_of(request: AnyRequest, place: Place, fulfilment: UUID) -> Fulfilment:
    """A fulfilment of a place. Raises NotFound for others."""
    found = await fulfilment_store.read(database_of(request), fulfilment)
    if found is None or found.location != place.location.id:
        raise NotFound("This is not to be done here.")
    return found


async def places_of(request: AnyRequest) -> list[tuple[Location, Late | None]]:
    """The places where somebody may work, what is late first, with what is to be done there."""
    actor, database = clerk_of(request), database_of(request)
    places = [p for p in await stock.locations(database) if actor.may(orders.CHANGE, p.id)]
    known = {late.location: late for late in await fulfilment_store.late(database, [p.id for p in places])}
    ranked = list(known)
    return sorted(
        ((place, known.get(place.id)) for place in places if place.is_active or place.id in known),
        key=lambda pair: (ranked.index(pair[0].id) if pair[0].id in known else len(ranked), pair[0].name),
    )


def show(
    request: AnyRequest, place: Place, template: str, *, status: int = 200, **context: Any
) -> Response[Any]:
    """A page of work; nothing of it is kept by the browser."""
    _ = face.words(request)
    values = {
        "store_name": place.location.name,
        "register": _("Orders to bring"),
        "clerk": actor_of(request).name,
        "base": place.base,
        "work_code": place.location.code,
        "till_href": place.base,
        "methods": {name: _(text) for name, text in names.METHODS.items()},
        "method_icons": names.METHOD_ICONS,
        "states": {name: _(text) for name, text in names.STATES.items()},
        "tracking_texts": {name: _(text) for name, text in names.TRACKING.items()},
        "state_kinds": names.STATE_KINDS,
        "reasons": [(name, _(text)) for name, text in names.REASONS.items() if name != "lost"],
        **context,
    }
    return face.page(
        request,
        template,
        status_code=status,
        time_zone=place.location.time_zone,
        headers={"Cache-Control": "no-store", **face.camera_headers()},
        **values,
    )
