"""The wish list of who is signed in: put on from the page of a product, shared by a link that only shows it."""

import contextlib
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, catalog
from samlad.accounts import SignedIn
from samlad.carts import CartKind, LineInput, NotSellable
from samlad.catalog import Measure
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import limits, member
from samlad.faces.storefront.place import channel_of, root_of, show
from samlad.kernel.context import BACKGROUND
from samlad.kernel.http import database_of
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.kernel.vault import BadSignature, Vault

PURPOSE, SECONDS = "storefront.wishes", 2 * 365 * 86_400
COOKIE, WAITS_SECONDS = "wish", 3600
"""What somebody wishes for who has yet to sign in."""


@post("/account/wishes", status_code=303)
async def add(request: AnyRequest) -> Response[Any]:
    """Put something on the list. Twice it is there once. Who is not signed in is asked to, and then it is on their list."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    signed = await member.signed_in(request, channel)
    variant = _uuid(form.get("variant"))
    if variant is None:
        raise InvalidInput.at("variant", "say what is wished for")
    if signed is None:
        answer = face.go(request, "/account/sign-in?next=/account/lists")
        answer.set_cookie(face.own_cookie(request, COOKIE, variant.hex, WAITS_SECONDS))
        return answer
    await _put(request, channel, signed, variant)
    return face.go(request, "/account/lists", _("It is on your wish list."))


async def bring(request: AnyRequest, channel: Channel, signed: SignedIn, answer: Response[Any]) -> None:
    """What was wished for in this browser before somebody signed in is on their list."""
    variant = _uuid(request.cookies.get(COOKIE, ""))
    if variant is None:
        return
    answer.delete_cookie(COOKIE)
    with contextlib.suppress(NotFound, NotSellable, InvalidInput):
        await _put(request, channel, signed, variant)


async def _put(request: AnyRequest, channel: Channel, signed: SignedIn, variant: UUID) -> None:
    sold_by = (await catalog.measured(database_of(request), [variant])).get(variant, Measure.PIECE)
    wish = LineInput(variant=variant, quantity=catalog.measures.step_of(sold_by))
    await database_of(request).transaction(
        lambda tx: carts.wish(tx, channel.id, wish),
        member.acting(request, channel, signed),
    )


@post("/account/wishes/{cart:uuid}/{line:uuid}/remove", status_code=303)
async def remove(request: AnyRequest, cart: FromPath[UUID], line: FromPath[UUID]) -> Response[Any]:
    """Take something off. Twice does no harm."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    signed = await member.require(request, channel)
    try:
        await database_of(request).transaction(
            lambda tx: carts.remove_line(tx, cart, line), member.acting(request, channel, signed)
        )
    except NotFound:
        return face.go(request, "/account/lists")
    return face.go(request, "/account/lists", _("It is off your list."))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def link(request: AnyRequest, cart: UUID) -> str:
    """The address under which anybody may see a list, and only see it."""
    return root_of(request) + path(request, cart)


def path(request: AnyRequest, cart: UUID) -> str:
    """The same without scheme and host."""
    vault: Vault = request.app.state.runtime.vault
    return f"/wishes/{vault.sign(PURPOSE, str(cart))}"


@get("/wishes/{signed_list:str}")
async def shared(request: AnyRequest, signed_list: FromPath[str]) -> Response[Any]:
    """Somebody's wish list, for who has its link: what is on it, and a way to buy it. Whose it is it does not say."""
    limits.searches.check(limits.who(request))
    channel, database = await channel_of(request), database_of(request)
    vault: Vault = request.app.state.runtime.vault
    try:
        cart = UUID(vault.unsign(PURPOSE, signed_list, max_age=SECONDS))
        found = await carts.view(database, BACKGROUND.actor, cart)
    except (BadSignature, ValueError, Problem):
        raise NotFound(face.words(request)("There is no such list (any more).")) from None
    if found.kind is not CartKind.WISH:
        raise NotFound(face.words(request)("There is no such list (any more)."))
    sold = await catalog.sellables(database, channel, [line.variant for line in found.lines])
    return await show(
        request,
        channel,
        "storefront/wishes.html",
        headers={"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"},
        lines=[line for line in found.lines if line.variant in sold],
        currency=found.currency,
    )


handlers = [add, remove, shared]
