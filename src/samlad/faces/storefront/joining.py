"""What becomes of the browser's cart when its customer signs in: it is theirs, by the rules of carts, with undo."""

from typing import Any
from uuid import UUID

from litestar import Response, post
from litestar.params import FromPath

from samlad import carts
from samlad.accounts import SignedIn
from samlad.carts import Attached, CartClosed, TakeOver
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, member
from samlad.faces.storefront.place import channel_of
from samlad.kernel.context import Context
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound
from samlad.kernel.vault import BadSignature

PURPOSE, SECONDS = "storefront.join", 3600
MERGED = marked("What was in this cart and in yours from before is together now.")


async def join(
    request: AnyRequest,
    channel: Channel,
    signed: SignedIn,
    answer: Response[Any],
    held: basket.Basket | None = None,
) -> Attached | None:
    """Let the browser's cart be its customer's, or let the browser have the cart that they left elsewhere.

    A cart that is somebody else's stays theirs: it is taken out of the browser. Where the browser's goes on beside the one
    that they had, that one is offered in it. ``held`` is a cart that was made just now, of which no cookie says anything yet.
    """
    database, held = database_of(request), held or basket.read(request)
    acting = member.acting(request, channel, signed)
    cart = await basket.view(database, held, channel)
    if held is None or cart is None:
        await _bring(request, channel, acting, answer)
        return None
    try:
        joined = await database.transaction(lambda tx: carts.attach(tx, held.cart, token=held.token), acting)
    except (Conflict, Forbidden):
        answer.delete_cookie(basket.COOKIE)
        await _bring(request, channel, acting, answer)
        return None
    except (NotFound, CartClosed, InvalidInput):
        return None
    basket.keep(request, answer, joined.cart.id, held.token, joined.cart.totals.items)
    if joined.other is not None and joined.offered:
        await _open_here(request, channel, acting, answer, joined.other, basket.BEFORE)
    return joined


async def _bring(request: AnyRequest, channel: Channel, acting: Context, answer: Response[Any]) -> None:
    """The cart that the customer has already comes to this browser."""
    try:
        live = await carts.live_cart(database_of(request), acting.actor, channel.id)
    except NotFound:
        return
    await _open_here(request, channel, acting, answer, live.id)


async def _open_here(
    request: AnyRequest,
    channel: Channel,
    acting: Context,
    answer: Response[Any],
    cart: UUID,
    cookie: str = basket.COOKIE,
) -> None:
    """Let the browser have a cart of its customer, by a secret of its own."""
    database = database_of(request)
    try:
        offer = await database.transaction(lambda tx: carts.offer(tx, cart), acting)
        given = TakeOver(channel=channel.id, secret=offer.secret)
        taken = await database.transaction(lambda tx: carts.take_over(tx, given), acting)
    except (NotFound, CartClosed, Conflict, Forbidden, InvalidInput):
        return
    if taken.token is not None:
        basket.keep(request, answer, taken.id, taken.token, taken.totals.items, cookie)


def undo_href(request: AnyRequest, joined: Attached | None) -> str | None:
    """The address that takes a merge apart again; None when there is nothing to undo."""
    if joined is None or joined.merge is None or joined.how != "merged":
        return None
    told = f"{joined.cart.id} {joined.merge} {joined.other}"
    return f"/account/cart/{request.app.state.runtime.vault.sign(PURPOSE, told)}/undo"


@post("/account/cart/{told:str}/undo", status_code=303)
async def undo(request: AnyRequest, told: FromPath[str]) -> Response[Any]:
    """Two carts again: the browser has its own one back, the other one is the customer's."""
    channel, _ = await channel_of(request), face.words(request)
    signed, held = await member.require(request, channel), basket.read(request)
    try:
        text = request.app.state.runtime.vault.unsign(PURPOSE, told, max_age=SECONDS)
        cart, merge, other = [UUID(part) for part in text.split()]
    except (BadSignature, ValueError):
        return face.go(request, "/cart")
    database, acting = database_of(request), member.acting(request, channel, signed)
    try:
        await database.transaction(lambda tx: carts.undo(tx, cart, merge), acting)
    except (NotFound, CartClosed, Conflict):
        said = _("This has changed meanwhile. Look at it as it is now.")
        return face.go(request, "/cart", said, kind="warning")
    answer = face.go(request, "/cart", _("Both carts are as they were."))
    mine = None if held is None else await basket.view(database, basket.Basket(other, held.token, 0), channel)
    if held is not None and mine is not None:
        basket.keep(request, answer, mine.id, held.token, mine.totals.items)
    return answer


handlers = [undo]
