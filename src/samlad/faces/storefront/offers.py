"""Offers: links that give a promotion and lead on, codes in the cart, gifts.

A visitor who follows a link holds its promotion by a cookie until there is a cart to hold it; from the cart it goes
to the customer. The cookie is a random id and says nothing else.
"""

import re
from typing import Any
from uuid import uuid4

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, promotions
from samlad.access import rate
from samlad.carts import CartClosed, CartView
from samlad.faces import page as face
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, limits
from samlad.faces.storefront.cart import after
from samlad.faces.storefront.place import channel_of, shopper
from samlad.faces.storefront.reductions import why
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.problems import NotFound
from samlad.promotions import BadCode, Holder, HolderKind, Promotion

CODES, CODE_SECONDS = 60, 600
"""Codes tried from one address in so many seconds, over all processes: codes are not to be guessed."""
_TOKEN = re.compile(r"^[A-Za-z0-9_-]{6,40}$")


@get("/o/{token:str}")
async def follow(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """Give the promotion of a link to who follows it, and lead on to where it points. Followed twice it is had once."""
    limits.writes.check(limits.who(request))
    channel, held = await channel_of(request), basket.read(request)
    if not _TOKEN.match(token):
        raise NotFound("There is no such offer.")
    visitor = basket.visitor(request) or uuid4()
    cart = await basket.view(database_of(request), held, channel)

    async def verb(tx: Tx) -> tuple[str, Promotion, str | None]:
        holders: list[Holder] = [(visitor, HolderKind.VISITOR)]
        link, promotion, reason = await promotions.follow(tx, token, holders, channel)
        if reason is None and held is not None and cart is not None:
            await carts.follow_link(tx, token, held.cart, token=held.token)
        return link.leads_to, promotion, reason

    try:
        leads_to, promotion, reason = await database_of(request).transaction(verb, shopper(request, channel))
    except (
        CartClosed
    ):  # ordered in another window meanwhile; the visitor's own grant is tried again without it
        return face.go(request, f"/o/{token}")
    _ = face.words(request)
    if reason is None:
        answer = face.go(
            request, leads_to, _("“%(name)s” is yours until it ends.") % {"name": promotion.name}
        )
        answer.set_cookie(face.own_cookie(request, basket.VISITOR, visitor.hex, basket.KEPT_SECONDS))
        return answer
    said = f"{promotion.name}: {why(request, reason)}"
    return face.go(request, leads_to, said, kind="warning")


@post("/cart/codes", status_code=200)
async def add_code(request: AnyRequest) -> Response[Any]:
    """Type a code. What is wrong with it is said at the field."""
    channel, held = await channel_of(request), basket.read(request)
    await database_of(request).transaction(
        lambda tx: rate.limit(tx, "storefront.codes", limits.who(request), per=CODE_SECONDS, max=CODES)
    )
    text = (await read_form(request)).get("code").strip()[:40]
    cart = await basket.view(database_of(request), held, channel)
    if held is None or cart is None or not text:
        return await after(request, channel, cart)

    async def verb(tx: Tx) -> CartView:
        return await carts.add_code(tx, held.cart, text, token=held.token)

    try:
        cart = await database_of(request).transaction(verb, shopper(request, channel))
    except BadCode as problem:
        error = why(request, str(problem.extra["reason"]))
        return await after(request, channel, cart, code=text, code_error=error)
    except (NotFound, CartClosed):
        cart = await basket.view(database_of(request), held, channel)
    return await after(request, channel, cart)


@post("/cart/codes/remove", status_code=200)
async def remove_code(request: AnyRequest) -> Response[Any]:
    """Take a code out."""
    channel, held = await channel_of(request), basket.read(request)
    text = (await read_form(request)).get("code").strip()[:40]
    if held is None:
        return await after(request, channel, None)

    async def verb(tx: Tx) -> CartView:
        return await carts.remove_code(tx, held.cart, text, token=held.token)

    try:
        cart: CartView | None = await database_of(request).transaction(verb, shopper(request, channel))
    except (NotFound, CartClosed):
        cart = await basket.view(database_of(request), held, channel)
    return await after(request, channel, cart)


handlers = [follow, add_code, remove_code]
