"""What comes again and again: pause it, let it go on, leave one out, end it."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import subscriptions
from samlad.catalog.sellables import language_of
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.repeat_names import every
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.account import subscription_paying
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.account.words import ENDING_REASONS, SUBSCRIPTIONS
from samlad.faces.storefront.place import channel_of
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.subscriptions import (
    CancelInput,
    MinimumNotReached,
    PauseInput,
    ResumeInput,
    Subscription,
    TooLate,
)

HERE, MOST = "/account/subscriptions", 50
DONE = {
    "pause": marked("Nothing comes until you let it go on."),
    "resume": marked("It goes on."),
    "skip": marked("The next one does not come."),
    "unskip": marked("It comes after all."),
    "payment": marked("The next orders are paid so."),
    "cancel": marked("It ends."),
    "reactivate": marked("It goes on."),
}
REFUSED = {
    MinimumNotReached: marked("It can be ended when as many have come as you agreed to."),
    TooLate: marked("It is too late to change the next one."),
}


@get(HERE)
async def show_all(request: AnyRequest) -> Response[Any]:
    """All of them, with what can be done."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    database, _ = database_of(request), face.words(request)
    query = ListQuery(limit=MOST, filters={"customer": str(signed.customer.id)})
    acting, language = member.acting(request, channel, signed).actor, language_of(channel.locale)
    shown = []
    for row in (await subscriptions.LISTING.page(database, query)).items:
        one = await subscriptions.read(database, acting, row.id)
        plan = await subscriptions.read_plan(database, one.plan)
        ends = subscriptions.ends_on(one) if one.is_ending else None
        shown.append((one, plan.names.get(language, plan.name), every(_, one.terms), ends))
    statuses = {status: (_(text), kind) for status, (text, kind) in SUBSCRIPTIONS.items()}
    return await account_page(request, channel, signed, "subscriptions", shown=shown, statuses=statuses)


@post("/account/subscriptions/{subscription:uuid}/{what:str}", status_code=303)
async def change(request: AnyRequest, subscription: FromPath[UUID], what: FromPath[str]) -> Response[Any]:
    """Do one of the verbs; of somebody else's there is none."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)

    try:
        await database_of(request).transaction(
            lambda tx: _act(tx, what, subscription, form), member.acting(request, channel, signed)
        )
    except (MinimumNotReached, TooLate) as problem:
        return face.go(request, HERE, _(REFUSED[type(problem)]), kind="warning")
    except InvalidInput as problem:
        told = next(iter(form.failed(problem).errors.values()), form.message)
        return face.go(request, f"{HERE}/{subscription}", told, kind="warning")
    except Problem as problem:
        if problem.status >= 500 or problem.status == 404:
            raise
        said = _("This has changed meanwhile. Look at it as it is now.")
        return face.go(request, HERE, said, kind="warning")
    undo = {"skip": "unskip", "pause": "resume", "cancel": "reactivate"}.get(what)
    href = f"{HERE}/{subscription}/{undo}" if undo else None
    return face.go(request, HERE, _(DONE[what]), undo=href)


async def _act(tx: Tx, what: str, subscription: UUID, form: Form) -> Subscription:
    """Do one of the verbs.

    Raises:
        NotFound: there is no such verb.
    """
    version = form.version()
    if what == "pause":
        return await subscriptions.pause(tx, subscription, form.into(PauseInput, reason=""), version=version)
    if what == "resume":
        return await subscriptions.resume(tx, subscription, ResumeInput(), version=version)
    if what == "skip":
        return await subscriptions.skip(tx, subscription, version=version)
    if what == "unskip":
        return await subscriptions.unskip(tx, subscription, version=version)
    if what == "reactivate":
        return await subscriptions.reactivate(tx, subscription, ResumeInput(), version=version)
    if what == "payment":
        return await subscription_paying.pay_by(tx, subscription, form, version=version)
    if what == "cancel":
        return await subscriptions.cancel(tx, subscription, _ending(form), version=version)
    raise NotFound("There is no such page.")


def _ending(form: Form) -> CancelInput:
    """Why it ends: what was chosen, and what was written to it."""
    said = (ENDING_REASONS.get(form.get("why"), ""), form.get("reason").replace("\x00", "").strip()[:400])
    return CancelInput(reason=" · ".join(part for part in said if part))


handlers = [show_all, change]
