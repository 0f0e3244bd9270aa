"""What somebody wants to hear from the shop: a page by a link that is theirs alone, and the yes of a double opt-in.

A link only shows a page: mail programs open links to look at them. Buttons change something; so does the one click of
RFC 8058, which mail programs send by POST. All of it works while the shop is closed to visitors: mails of before still lie in inboxes.
"""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import consent, identity
from samlad.channels import Channel
from samlad.consent import Answer, AnswerInput, Level, Purpose, links
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, wordings
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import Vault

SOURCE = "preferences"
ALONE = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
"""The address is the person's alone: nothing may hand it on."""


class Choice(msgspec.Struct, frozen=True):
    """A purpose as the page shows it. ``is_refused``: the last that was said of it is a no to all channels, and proved."""

    code: str
    name: str
    text: str
    is_allowed: bool
    is_refused: bool
    wording: UUID | None


@get(["/preferences/{link:str}", "/preferences/{link:str}/unsubscribe"])
async def show_preferences(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """Everything that they can say yes or no to; also for mail programs that open what others post to (RFC 2369)."""
    node = await _living(request, links.read_preferences(_vault(request), link))
    channel = await channel_of(request, before_opening=True)
    choices = await choices_of(request, channel, node)
    return await show(
        request, channel, "storefront/preferences.html", headers=ALONE, link=link, choices=choices
    )


@post("/preferences/{link:str}", status_code=303)
async def save(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """What is ticked is wanted, what is not is not. Only what changed is written down."""
    limits.writes.check(limits.who(request))
    node = await _living(request, links.read_preferences(_vault(request), link))
    channel = await channel_of(request, before_opening=True)
    await save_choices(request, channel, node, await read_form(request))
    return face.go(request, f"/preferences/{link}", face.words(request)("Saved. It holds from now on."))


async def save_choices(request: AnyRequest, channel: Channel, node: UUID, form: Form) -> None:
    """Write down what somebody ticked and what not, as far as they changed it; that they want nothing, as far as it is not
    the last that they said: it also ends what waits for a confirmation."""
    wanted, seen = set(form.all("purpose")), set(form.all("seen"))
    is_nothing, is_page = form.has("nothing"), form.has("page")

    def is_answer(each: Choice) -> bool:
        if is_nothing:
            return not each.is_refused
        # What stands in an old tab as it was then is nobody's wish: meanwhile one click elsewhere may have ended it.
        is_touched = not is_page or (each.code in wanted) != (each.code in seen)
        return is_touched and each.is_allowed != (each.code in wanted)

    database = database_of(request)
    texts = await wordings.shown(database, form)
    answers = [
        AnswerInput(
            purpose=each.code,
            answer=Answer.GRANTED if each.code in wanted and not is_nothing else Answer.DENIED,
            text=texts.get(each.code),
            channel=channel.id,
        )
        for each in await choices_of(request, channel, node)
        if is_answer(each)
    ]
    await database.transaction(
        lambda tx: consent.record(tx, node, answers, level=Level.VERIFIED, source=SOURCE),
        shopper(request, channel),
    )


@post("/preferences/{link:str}/unsubscribe", status_code=200)
async def unsubscribe(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """One click, sent by the mail program (RFC 8058). Without ``purpose`` in the address it is marketing by e-mail."""
    node = links.read_preferences(_vault(request), link)
    limits.writes.check(str(node))  # a mail provider posts for all its readers from one address
    if await _is_erased(request, node):
        return Response(b"", status_code=200, media_type="text/plain")
    channel = await channel_of(request, before_opening=True)
    purpose = await _purpose(request, request.query_params.get("purpose", "email_marketing"))
    entries = (await consent.given(database_of(request), node, channel.id)).entries
    if not _is_refused(entries, purpose):  # a mail program that heard no answer clicks again
        await database_of(request).transaction(
            lambda tx: consent.withdraw(tx, node, [purpose.code], level=Level.VERIFIED, source="one-click"),
            shopper(request, channel),
        )
    return Response(b"", status_code=200, media_type="text/plain")


@get("/confirm/{link:str}")
async def show_confirm(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """What they are asked to confirm, in the words that they were asked with, and the button that does."""
    wanted = links.read_confirm(_vault(request), link)
    await _living(request, wanted.node)
    channel = await channel_of(request, before_opening=True)
    purpose = await _purpose(request, wanted.purpose)
    text = await consent.text_of(database_of(request), wanted.text) if wanted.text else None
    return await show(
        request,
        channel,
        "storefront/confirm.html",
        headers=ALONE,
        link=link,
        name=_name(purpose, channel),
        text=text.text if text else "",
        is_done=False,
    )


@post("/confirm/{link:str}", status_code=200)
async def confirm(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """Yes. Pressed twice it is one yes, and none after it was taken back."""
    limits.writes.check(limits.who(request))
    wanted = links.read_confirm(_vault(request), link)
    await _living(request, wanted.node)
    channel = await channel_of(request, before_opening=True)
    purpose = await _purpose(request, wanted.purpose)
    answer = AnswerInput(
        purpose=purpose.code,
        answer=Answer.GRANTED,
        text=wanted.text,
        channel=channel.id,
        event_id=link[:200],
    )
    database = database_of(request)
    await database.transaction(
        lambda tx: consent.record(tx, wanted.node, [answer], level=Level.VERIFIED, source="double-opt-in"),
        shopper(request, channel),
    )
    holds = wanted.node in await consent.allowed(database, [wanted.node], purpose.code, channel.id)
    preferences = links.preferences_link(_vault(request), wanted.node)
    return await show(
        request,
        channel,
        "storefront/confirm.html",
        headers=ALONE,
        link=preferences,
        name=_name(purpose, channel),
        text="",
        is_done=True,
        holds=holds,
    )


async def _living(request: AnyRequest, node: UUID) -> UUID:
    """The identifier that a link is of.

    Raises:
        NotFound: its person was erased since.
    """
    _ = face.words(request)
    if await _is_erased(request, node):
        raise NotFound(_("What we knew of you was erased, so there is nothing to choose any more."))
    return node


async def _is_erased(request: AnyRequest, node: UUID) -> bool:
    known = await identity.identifiers(database_of(request), [node])
    return any(identity.is_erased(node, value) for _, value, _ in known)


def _vault(request: AnyRequest) -> Vault:
    vault: Vault = request.app.state.runtime.vault
    return vault


async def choices_of(request: AnyRequest, channel: Channel, node: UUID) -> list[Choice]:
    """Everything that somebody can say yes or no to, and what they have said."""
    database = database_of(request)
    found = await consent.given(database, node, channel.id)
    allowed = {each.purpose for each in found.standing if each.is_allowed}
    choices = []
    for purpose in await consent.purposes(database):
        if purpose.kind == "category":
            continue  # of a browser, and asked for there
        text = await consent.latest_text(database, purpose.code, channel.locale)
        choices.append(
            Choice(
                purpose.code,
                _name(purpose, channel),
                text.text if text else "",
                purpose.code in allowed,
                _is_refused(found.entries, purpose),
                text.id if text else None,
            )
        )
    return choices


def _is_refused(entries: list[consent.Entry], purpose: Purpose) -> bool:
    last = next((each for each in entries if each.purpose in purpose.codes), None)
    return last is not None and (last.answer, last.scope, last.level) == (Answer.DENIED, None, Level.VERIFIED)


async def _purpose(request: AnyRequest, code: str) -> Purpose:
    for purpose in await consent.purposes(database_of(request)):
        if purpose.code == code:
            return purpose
    raise NotFound("There is no such purpose any more.")


def _name(purpose: Purpose, channel: Channel) -> str:
    return purpose.names.get(channel.locale[:2]) or purpose.names.get("en") or purpose.code


handlers = [show_preferences, save, unsubscribe, show_confirm, confirm]
