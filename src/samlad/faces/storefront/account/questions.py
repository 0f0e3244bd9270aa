"""The questions that somebody asked about products: how each stands, changed until it is answered, taken back."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import questions
from samlad.accounts import SignedIn
from samlad.channels import Channel
from samlad.customers import are_same
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.account.frame import account_page
from samlad.faces.storefront.place import channel_of
from samlad.faces.storefront.typed import typed
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.questions import OWN, Question, Status, TextInput

HERE, PAGE = "/account/questions", 20
STATES = {
    Status.UNCONFIRMED: (marked("We wait for you to confirm it"), "warning"),
    Status.WAITING: (marked("We read it soon"), ""),
    Status.PUBLISHED: (marked("Shown in the shop"), "success"),
    Status.DECLINED: (marked("Not shown"), "warning"),
}


@get(HERE)
async def show_all(request: AnyRequest) -> Response[Any]:
    """All of them, the latest first."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    _, cursor = face.words(request), typed(request.query_params.get("cursor"))
    try:
        found = await OWN.page(
            database_of(request), ListQuery(limit=PAGE, cursor=cursor or None), signed.customer.id
        )
    except InvalidInput:  # a cursor that is none
        return face.go(request, HERE)
    return await account_page(
        request,
        channel,
        signed,
        "questions",
        own=found.items,
        states={status: (_(text), kind) for status, (text, kind) in STATES.items()},
        first_href=HERE if cursor else None,
        next_href=f"{HERE}?cursor={found.next_cursor}" if found.next_cursor else None,
    )


@get(f"{HERE}/{{question_id:uuid}}")
async def show_one(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Any]:
    """One question, its answers, and the form to change it while nobody has answered."""
    channel = await channel_of(request)
    signed = await member.require(request, channel)
    found = await _own(request, signed, question_id)
    return await _one(request, channel, signed, found, Form.of(text=found.text, version=found.version))


async def _one(
    request: AnyRequest, channel: Channel, signed: SignedIn, found: Question, form: Form
) -> Response[Any]:
    _ = face.words(request)
    text, kind = STATES[found.status]
    return await account_page(
        request,
        channel,
        signed,
        "question",
        status=form.status,
        found=found,
        answers=await questions.shown_answers(database_of(request), found.id),
        state=(_(text), kind),
        form=form,
    )


async def _own(request: AnyRequest, signed: SignedIn, question_id: UUID) -> Question:
    database = database_of(request)
    found = await questions.find(database, question_id)
    is_own = found is not None and await are_same(database, found.customer, signed.customer.id)
    if found is None or not is_own or found.status is Status.WITHDRAWN:
        raise NotFound(face.words(request)("There is no such question."))
    return found


@post(f"{HERE}/{{question_id:uuid}}", status_code=303)
async def change(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Any]:
    """Write it anew; it is read again."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.require(request, channel)
    found = await _own(request, signed, question_id)
    try:
        data = form.into(TextInput)
        await database_of(request).transaction(
            lambda tx: questions.change(tx, question_id, data, version=form.version()),
            member.acting(request, channel, signed),
        )
    except Problem as problem:
        return await _one(request, channel, signed, found, form.failed(problem))
    return face.go(request, HERE, _("Saved. We read it soon."))


@post(f"{HERE}/{{question_id:uuid}}/remove", status_code=303)
async def remove(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Any]:
    """Take it back; it can be put back."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    await read_form(request)
    signed = await member.require(request, channel)
    await database_of(request).transaction(
        lambda tx: questions.withdraw(tx, question_id), member.acting(request, channel, signed)
    )
    return face.go(request, HERE, _("Your question is taken back."), undo=f"{HERE}/{question_id}/restore")


@post(f"{HERE}/{{question_id:uuid}}/restore", status_code=303)
async def restore(request: AnyRequest, question_id: FromPath[UUID]) -> Response[Any]:
    """Put it back; it is read once more."""
    channel, _ = await channel_of(request), face.words(request)
    await read_form(request)
    signed = await member.require(request, channel)
    await database_of(request).transaction(
        lambda tx: questions.restore(tx, question_id), member.acting(request, channel, signed)
    )
    return face.go(request, HERE, _("Your question is back. We read it once more."))


handlers = [show_all, show_one, change, remove, restore]
