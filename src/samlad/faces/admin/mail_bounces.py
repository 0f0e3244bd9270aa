"""Mails that came back: from which addresses, why, and whether anything is sent there."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import consent
from samlad.consent import BounceChange, bounces
from samlad.faces.admin import bulk
from samlad.faces.admin.lists import shown
from samlad.faces.admin.shell import admin_page
from samlad.faces.admin.undo import undoable
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest, change, go, local_path, require, translated, words
from samlad.kernel import mailboxes
from samlad.kernel.database import Reader, Tx
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


@post(f"{PATH}/bulk", status_code=303)
async def decide_many(request: AnyRequest) -> Response[Any]:
    """Write to the picked ones again, or stop that."""
    require(request, consent.MAIL_CHANGE)
    form, _ = await read_form(request), words(request)
    back, wanted = local_path(form.text("next"), PATH), form.get("act")
    if wanted not in ("write", "stop"):
        return go(request, back, _("Please say what is to be done with them."), kind="danger")
    data = BounceChange(is_stopped=wanted == "stop")

    async def act(tx: Tx, bounce: UUID) -> str | None:
        before = await mailboxes.lock(tx, bounce)
        await bounces.decide(tx, bounce, data)
        return None if before.is_stopped == data.is_stopped else "-"

    return await bulk.run(
        request, bulk.picked(form), act, named=_named, back=back, undo="mail_bounces.many", to=wanted
    )


async def _named(reader: Reader, bounce: UUID) -> str:
    return (await mailboxes.get(reader, bounce)).address


@undoable("mail_bounces.many")
async def _undo_many(tx: Tx, arguments: dict[str, Any]) -> str:
    before = BounceChange(is_stopped=arguments["to"] != "stop")
    for bounce, _before in bulk.rows_before(arguments):
        await bounces.decide(tx, bounce, before)
    return str(arguments["back"])


HANDLERS = [list_bounces, decide_many, decide]
