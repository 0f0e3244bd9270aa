"""Mails that came back: from which addresses, why, and whether anything is sent there."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import consent
from samlad.consent import BounceChange, bounces
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest, change, go, require, translated, words
from samlad.kernel import mailboxes
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked

PATH = "/admin/mail"
STATES = {"stopped": marked("Nothing is sent"), "written": marked("Mails are sent")}
REASONS = {
    "1.1": marked("There is no such mailbox"),
    "1.2": marked("There is no such domain"),
    "1.10": marked("There is no such domain"),
    "2.1": marked("The mailbox is closed"),
    "2.2": marked("The mailbox is full"),
    "2.3": marked("The mail was too long"),
    "4.1": marked("Their mail server did not answer"),
    "4.4": marked("There is no such domain"),
    "4.7": marked("Their mail server did not answer"),
    "7.1": marked("Their mail server does not want this mail"),
}
"""By subject and detail of the status (RFC 3463)."""


@get(PATH)
async def list_bounces(request: AnyRequest) -> Response[Any]:
    """Addresses from which mails came back."""
    require(request, consent.MAIL_READ)
    return await admin_page(
        request,
        "admin/mail_bounces.html",
        list=await shown(request, database_of(request), mailboxes.LISTING),
        states=STATES,
        state_options=translated(request, STATES),
        reason=_reason,
        bounces_to=request.app.state.runtime.settings.mail_bounces,
    )


def _reason(status: str, is_permanent: bool) -> str:
    """What a status means, for the catalogue."""
    known = REASONS.get(status.partition(".")[2])
    return known or (
        marked("Nobody can be reached there") if is_permanent else marked("It did not arrive this time")
    )


@post(f"{PATH}/{{bounce_id:uuid}}", status_code=303)
async def decide(request: AnyRequest, bounce_id: FromPath[UUID]) -> Response[Any]:
    """Write to an address again, or stop that."""
    require(request, consent.MAIL_CHANGE)
    form, _ = await read_form(request), words(request)
    data = BounceChange(is_stopped=form.has("is_stopped"))
    found = await change(request, lambda tx: bounces.decide(tx, bounce_id, data))
    text = (
        _("Nothing is sent to %(address)s any more.")
        if found.is_stopped
        else _("Mails go to %(address)s again.")
    )
    return go(request, PATH, text % {"address": found.address})


HANDLERS = [list_bounces, decide]
