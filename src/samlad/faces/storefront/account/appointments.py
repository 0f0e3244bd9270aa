"""The appointments of somebody: what is to come, what was, another time, and not coming after all."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import appointments
from samlad.appointments import Appointment, State, links
from samlad.catalog.sellables import language_of
from samlad.faces import page as face
from samlad.faces.design.formats import day_and_clock_at
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.place import channel_of
from samlad.kernel.clock import now
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict

HERE = "/account/appointments"
MOST_COMING, MOST_PAST = 50, 20
STATES = {
    State.BOOKED: (marked("Booked"), ""),
    State.DONE: (marked("You came"), "success"),
    State.NO_SHOW: (marked("You did not come"), "warning"),
    State.CANCELLED: (marked("Cancelled"), ""),
}


@get(HERE)
async def show_all(request: AnyRequest) -> Response[Any]:
    """What is to come, soonest first, and what was, latest first."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    _, database, moment = face.words(request), database_of(request), now().isoformat()
    mine = {"customer": str(signed.customer.id)}
    coming = await appointments.APPOINTMENTS.page(
        database,
        ListQuery(limit=MOST_COMING, filters={**mine, "state": "booked", "from": moment}),
        None,
    )
    past = await appointments.APPOINTMENTS.page(
        database, ListQuery(limit=MOST_PAST, sort="-starts_at", filters=mine), None
    )
    ahead = {each.id for each in coming.items}
    services = {each.service for each in (*coming.items, *past.items)}
    found = [await appointments.offered(database, each) for each in sorted(services)]
    language = language_of(channel.locale)
    settings = request.app.state.runtime.settings

    def told(each: Appointment) -> dict[str, Any]:
        text, kind = STATES[each.state]
        when = day_and_clock_at(each.starts_at, each.time_zone, face.locale_of(request))
        return {"at": each, "when": when, "href": links.path(settings, each.id), "state": (_(text), kind)}

    return await account_page(
        request,
        channel,
        signed,
        "appointments",
        coming=[told(each) for each in coming.items],
        past=[told(each) for each in past.items if each.id not in ahead],
        names={each.id: each.named(language) for each in found if each is not None},
    )


@post("/account/appointments/{appointment_id:uuid}/cancel", status_code=303)
async def cancel(request: AnyRequest, appointment_id: FromPath[UUID]) -> Response[Any]:
    """They do not come. Twice does no harm; of somebody else's there is none."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    await read_form(request)
    signed = await member.require(request, channel)
    try:
        await database_of(request).transaction(
            lambda tx: appointments.cancel(tx, appointment_id), member.acting(request, channel, signed)
        )
    except Conflict as problem:
        return face.go(request, HERE, _(problem.detail), kind="warning")
    return face.go(request, HERE, _("It is cancelled. Thank you for telling us."))


handlers = [show_all, cancel]
