"""What somebody wants to hear from the shop: a page by a link that is theirs alone, and the yes of a double opt-in.

A link only shows a page: mail programs open links to look at them. Buttons change something; so does the one click of
RFC 8058, which mail programs send by POST.
"""

from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import consent
from samlad.channels import Channel
from samlad.consent import Answer, AnswerInput, Level, Purpose, links
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound
from samlad.kernel.vault import Vault

SOURCE = "preferences"


class Choice(msgspec.Struct, frozen=True):
    """A purpose as the page shows it."""

    code: str
    name: str
    text: str
    is_allowed: bool
    wording: UUID | None


@get("/preferences/{link:str}")
async def show_preferences(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """Everything that they can say yes or no to."""
    return await _page(request, link)


@post("/preferences/{link:str}", status_code=303)
async def save(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """What is ticked is wanted, what is not is not. Only what changed is written down."""
    limits.writes.check(limits.who(request))
    node, channel = links.read_preferences(_vault(request), link), await channel_of(request)
    await save_choices(request, channel, node, await read_form(request))
    return face.go(request, f"/preferences/{link}", face.words(request)("Saved. It holds from now on."))


async def save_choices(request: AnyRequest, channel: Channel, node: UUID, form: Form) -> None:
    """Write down what somebody ticked and what not, as far as it changed."""
    wanted = set(form.all("purpose"))
    if form.has("nothing"):
        wanted = set()
    answers = [
        AnswerInput(
            purpose=each.code,
            answer=Answer.GRANTED if each.code in wanted else Answer.DENIED,
            text=each.wording,
            channel=channel.id,
        )
        for each in await choices_of(request, channel, node)
        if each.is_allowed != (each.code in wanted)
    ]
    await database_of(request).transaction(
        lambda tx: consent.record(tx, node, answers, level=Level.VERIFIED, source=SOURCE),
        shopper(request, channel),
    )


@post("/preferences/{link:str}/unsubscribe", status_code=200)
async def unsubscribe(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """One click, sent by the mail program (RFC 8058). Without ``purpose`` in the address it is marketing by e-mail."""
    limits.writes.check(limits.who(request))
    node, channel = links.read_preferences(_vault(request), link), await channel_of(request)
    purpose = request.query_params.get("purpose", "email_marketing")
    await database_of(request).transaction(
        lambda tx: consent.withdraw(tx, node, [purpose], level=Level.VERIFIED, source="one-click"),
        shopper(request, channel),
    )
    return Response(b"", status_code=200, media_type="text/plain")


@get("/confirm/{link:str}")
async def show_confirm(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """What they are asked to confirm, with the button that does."""
    wanted = links.read_confirm(_vault(request), link)
    channel = await channel_of(request)
    purpose = await _purpose(request, wanted.purpose)
    text = await consent.latest_text(database_of(request), purpose.code, channel.locale)
    return await show(
        request,
        channel,
        "storefront/confirm.html",
        link=link,
        name=_name(purpose, channel),
        text=text.text if text else "",
        is_done=False,
    )


@post("/confirm/{link:str}", status_code=200)
async def confirm(request: AnyRequest, link: FromPath[str]) -> Response[Any]:
    """Yes. Pressed twice it is one yes."""
    limits.writes.check(limits.who(request))
    wanted = links.read_confirm(_vault(request), link)
    channel = await channel_of(request)
    purpose = await _purpose(request, wanted.purpose)
    answer = AnswerInput(
        purpose=purpose.code,
        answer=Answer.GRANTED,
        text=wanted.text,
        channel=channel.id,
        event_id=link[:200],
    )
    await database_of(request).transaction(
        lambda tx: consent.record(tx, wanted.node, [answer], level=Level.VERIFIED, source="double-opt-in"),
        shopper(request, channel),
    )
    preferences = links.preferences_link(_vault(request), wanted.node)
    return await show(
        request,
        channel,
        "storefront/confirm.html",
        link=preferences,
        name=_name(purpose, channel),
        text="",
        is_done=True,
    )


def _vault(request: AnyRequest) -> Vault:
    vault: Vault = request.app.state.runtime.vault
    return vault


async def _page(request: AnyRequest, link: str) -> Response[Any]:
    node, channel = links.read_preferences(_vault(request), link), await channel_of(request)
    choices = await choices_of(request, channel, node)
    # The address is the person's alone: nothing may hand it on.
    headers = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
    return await show(
        request, channel, "storefront/preferences.html", headers=headers, link=link, choices=choices
    )


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
                text.id if text else None,
            )
        )
    return choices


async def _purpose(request: AnyRequest, code: str) -> Purpose:
    for purpose in await consent.purposes(database_of(request)):
        if purpose.code == code:
            return purpose
    raise NotFound("There is no such purpose any more.")


def _name(purpose: Purpose, channel: Channel) -> str:
    return purpose.names.get(channel.locale[:2]) or purpose.names.get("en") or purpose.code


handlers = [show_preferences, save, unsubscribe, show_confirm, confirm]
