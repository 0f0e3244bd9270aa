"""What all stock pages share: their tabs, and the locations that somebody deals with."""

from typing import Any

from samlad.faces.admin import names
from samlad.faces.admin.scope import own_locations
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, words
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.problems import InvalidInput
from samlad.stock import Location
from samlad.stock.permissions import ADJUST, PURCHASE, READ


async def frame(request: AnyRequest, current: str) -> dict[str, Any]:
    """What all stock pages show: their tabs, the locations, names."""
    _ = words(request)
    actor = actor_of(request)
    places = await own_locations(actor, database_of(request))
    tabs = (
        ("levels", _("Levels"), "/admin/stock", READ),
        ("movements", _("Movements"), "/admin/stock/movements", READ),
        ("lots", _("Lots"), "/admin/stock/lots", READ),
        ("quarantine", _("Put aside"), "/admin/stock/quarantine", READ),
        ("counts", _("Counts"), "/admin/stock/counts", READ),
        ("transfers", _("Transfers"), "/admin/stock/transfers", READ),
        ("purchases", _("Purchases"), "/admin/stock/purchases", ADJUST),
        ("supplier-returns", _("Back to suppliers"), "/admin/stock/supplier-returns", PURCHASE),
        ("reorder", _("Buy again"), "/admin/stock/reorder", READ),
        ("running-out", _("Running out"), "/admin/stock/running-out", READ),
        ("receipts", _("Receive goods"), "/admin/stock/receipts/new", ADJUST),
        ("places", _("Locations"), "/admin/stock/locations", READ),
    )
    return {
        "names": names,
        "tabs": [
            {"text": text, "href": href, "current": key == current}
            for key, text, href, permission in tabs
            if actor.may(permission)
        ],
        "places": [(place.code, place.name) for place in places],
        "place_names": {place.code: place.name for place in places},
    }


async def chosen_place(request: AnyRequest, form: Form, name: str = "location") -> Location:
    """The location that a form names, one of the actor's own. Raises InvalidInput."""
    _ = words(request)
    found = {place.code: place for place in await own_locations(actor_of(request), database_of(request))}
    if form.get(name) not in found:
        raise InvalidInput.at(name, _("Please choose one of these."))
    return found[form.get(name)]
