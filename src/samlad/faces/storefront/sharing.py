"""The cart between devices: handed over by link, picture or code; quotes; and the cart that one had before.

A link only shows a page: messengers and mail programs open links to draw previews, and a link is good once. The
button on the page takes the cart over.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from samlad import carts
from samlad.carts import CartClosed, CartKind, CartView, NewCart, Offer, OfferGone, QuoteExpired, TakeOver
from samlad.channels import Channel
from samlad.faces import objections
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import amounts, basket, limits
from samlad.faces.storefront.basket import Basket
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel import qr
from samlad.kernel.clock import now
from samlad.kernel.context import GUEST
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, InvalidInput, NotFound, TooMany

GONE = marked("This link or code is not good any more. Ask for a new one on the device that has the cart.")
TOO_OFTEN = marked("That was too often. Wait a little, then try again.")
HERE = marked("Here is the cart. The other device stays in it, and what one changes the other sees.")


# -- this cart on another device -----------------------------------------------------------------------------------------


@get("/cart/share")
async def share_page(request: AnyRequest) -> Response[Any]:
    """Where this cart is open, and the button that opens it elsewhere."""
    return await _share_page(request, await channel_of(request), None)


@post("/cart/share", status_code=200)
async def share(request: AnyRequest) -> Response[Any]:
    """The code, the picture and the link; told only on this page."""
    limits.writes.check(limits.who(request))
    channel, held = await channel_of(request), basket.read(request)
    if held is None:
        return face.go(request, "/cart")
    try:
        offer = await _run(request, channel, lambda tx: carts.offer(tx, held.cart, token=held.token))
    except (NotFound, CartClosed):
        return face.go(request, "/cart")
    return await _share_page(request, channel, offer)


@post("/cart/devices/{device:uuid}/remove", status_code=303)
async def remove_device(request: AnyRequest, device: FromPath[UUID]) -> Response[Any]:
    """Shut another device out."""
    limits.writes.check(limits.who(request))
    channel, held, _ = await channel_of(request), basket.read(request), face.words(request)
    if held is None:
        return face.go(request, "/cart")
    await _run(request, channel, lambda tx: carts.remove_device(tx, held.cart, device, token=held.token))
    return face.go(request, "/cart/share", _("That device cannot open the cart any more."))


async def _share_page(request: AnyRequest, channel: Channel, offer: Offer | None) -> Response[Any]:
    held = basket.read(request)
    cart = await basket.view(database_of(request), held, channel)
    if held is None or cart is None:
        return face.go(request, "/cart")
    link = None if offer is None else f"{str(request.base_url).rstrip('/')}{offer.path}"
    return await show(
        request,
        channel,
        "storefront/share.html",
        headers={"Cache-Control": "no-store"},
        cart=cart,
        offer=offer,
        link=link,
        picture=None if link is None else Markup(qr.svg(link)),  # noqa: S704 - drawn by segno
        code=None if offer is None else f"{offer.code[:3]} {offer.code[3:]}",
        minutes=None if offer is None else _minutes(offer.expires_at),
        devices=await carts.devices(database_of(request), GUEST, cart.id, token=held.token),
    )


def _minutes(until: datetime) -> int:
    return max(1, round((until - now()).total_seconds() / 60))


# -- a cart from another device --------------------------------------------------------------------------------------------


@get("/cart/continue")
async def continue_page(request: AnyRequest) -> Response[Any]:
    """Where the code is typed."""
    return await _continue_page(request, await channel_of(request), Form(), None)


@get("/cart/continue/{secret:str}")
async def continue_link(request: AnyRequest, secret: FromPath[str]) -> Response[Any]:
    """Where the link leads: one press opens the cart here."""
    return await _continue_page(request, await channel_of(request), Form.of(secret=secret), secret)


@post("/cart/continue", status_code=200)
async def take_over(request: AnyRequest) -> Response[Any]:
    """Open it here."""
    limits.writes.check(limits.who(request))
    channel, form, _ = await channel_of(request), await read_form(request), face.words(request)
    secret = form.text("secret")
    try:
        if secret is None and not form.get("code").replace(" ", "").isdigit():
            raise InvalidInput.at("code", _("Please type the six digits."))
        data = form.into(
            TakeOver, channel=channel.id, secret=secret, code=None if secret else form.text("code")
        )
        if secret is None:
            await carts.count_try(database_of(request), shopper(request, channel))
        held = basket.read(request)
        own = None if held is None else held.token
        cart = await _run(request, channel, lambda tx: carts.take_over(tx, data, token=own))
    except OfferGone:
        form.failed(InvalidInput.at("code", _(GONE)))
        return await _continue_page(request, channel, form, None)
    except CartClosed:
        form.failed(InvalidInput.at("code", _("This cart was ordered already.")))
        return await _continue_page(request, channel, form, None)
    except TooMany as problem:
        form.failed(problem).errors["code"] = _(TOO_OFTEN)
        answer = await _continue_page(request, channel, form, None)
        answer.headers["Retry-After"] = str(problem.extra.get("retry_after", 60))
        return answer
    except InvalidInput as problem:
        form.failed(problem)
        return await _continue_page(request, channel, form, None)
    return await _now_here(request, channel, cart, _(HERE))


async def _continue_page(
    request: AnyRequest, channel: Channel, form: Form, secret: str | None
) -> Response[Any]:
    return await show(
        request,
        channel,
        "storefront/continue.html",
        status=form.status,
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        form=form,
        secret=secret,
    )


async def _now_here(request: AnyRequest, channel: Channel, cart: NewCart, said: str) -> Response[Any]:
    """This browser carries the cart from now; one that it had before is kept beside it and offered."""
    held = basket.read(request)
    before = await basket.view(database_of(request), held, channel)
    answer = face.go(request, "/cart", said)
    if held is not None and before is not None and before.lines and before.id != cart.id:
        basket.keep(request, answer, held.cart, held.token, before.totals.items, basket.BEFORE)
    assert cart.token is not None  # a guest gets one
    basket.keep(request, answer, cart.id, cart.token, cart.totals.items)
    return answer


# -- the cart that one had before ------------------------------------------------------------------------------------------


@post("/cart/before/{what:str}", status_code=303)
async def before(request: AnyRequest, what: FromPath[str]) -> Response[Any]:
    """Put what was in the cart before into this one, or go back to that one."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    held, other = basket.read(request), basket.read(request, basket.BEFORE)
    if held is None or other is None:
        return face.go(request, "/cart")
    if what == "back":
        return await _swapped(request, channel, held, other)
    try:
        done = await _run(
            request,
            channel,
            lambda tx: carts.combine(tx, held.cart, other.cart, token=held.token, other_token=other.token),
        )
    except (NotFound, CartClosed, Conflict) as problem:
        answer = face.go(request, "/cart", _("That could not be put into this cart."), kind="warning")
        if not isinstance(problem, Conflict) or isinstance(problem, CartClosed):
            answer.delete_cookie(
                basket.BEFORE
            )  # it is gone; one that does not fit into this cart is still there
        return answer
    answer = face.go(
        request,
        "/cart",
        _("Both carts are one now; of the same thing it has the larger quantity."),
        undo=f"/cart/merges/{done.merge}/undo",
    )
    basket.keep(request, answer, held.cart, held.token, done.cart.totals.items)
    return answer


@post("/cart/merges/{merge:uuid}/undo", status_code=303)
async def undo(request: AnyRequest, merge: FromPath[UUID]) -> Response[Any]:
    """Two carts again, each as it was, with what happened since."""
    channel, held, _ = await channel_of(request), basket.read(request), face.words(request)
    if held is None:
        return face.go(request, "/cart")
    try:
        cart = await _run(request, channel, lambda tx: carts.undo(tx, held.cart, merge, token=held.token))
    except (NotFound, CartClosed, Conflict):
        return face.go(request, "/cart", _("This cannot be undone any more."), kind="warning")
    answer = face.go(request, "/cart", _("They are two carts again."))
    basket.keep(request, answer, held.cart, held.token, cart.totals.items)
    return answer


async def _swapped(request: AnyRequest, channel: Channel, held: Basket, other: Basket) -> Response[Any]:
    database = database_of(request)
    there, here = await basket.view(database, other, channel), await basket.view(database, held, channel)
    answer = face.go(request, "/cart")
    if there is None:
        answer.delete_cookie(basket.BEFORE)
        return answer
    basket.keep(request, answer, other.cart, other.token, there.totals.items)
    if here is not None and here.lines:
        basket.keep(request, answer, held.cart, held.token, here.totals.items, basket.BEFORE)
    else:
        answer.delete_cookie(basket.BEFORE)
    return answer


# -- quotes ------------------------------------------------------------------------------------------------------------------


@get("/quote/{cart_id:uuid}/{token:str}")
async def quote_page(request: AnyRequest, cart_id: FromPath[UUID], token: FromPath[str]) -> Response[Any]:
    """What was quoted, and till when it stands."""
    channel = await channel_of(request)
    cart = await basket.view(database_of(request), Basket(cart_id, token, 0), channel)
    if cart is None or cart.quoted_until is None:
        raise NotFound(face.words(request)("There is no such quote, or it was ordered already."))
    return await show(
        request,
        channel,
        "storefront/quote.html",
        headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"},
        cart=cart,
        token=token,
        is_over=cart.quoted_until <= now(),
        is_taken=cart.kind is not CartKind.QUOTE,
        sums=amounts.sums(request, cart),
        tax_text=amounts.tax_text(request, cart.totals.tax, cart.currency, cart.tax_notes),
    )


@post("/quote/{cart_id:uuid}/{token:str}", status_code=303)
async def accept_quote(request: AnyRequest, cart_id: FromPath[UUID], token: FromPath[str]) -> Response[Any]:
    """Make it the cart of this browser."""
    limits.writes.check(limits.who(request))
    channel, _ = await channel_of(request), face.words(request)
    here = f"/quote/{cart_id}/{token}"
    try:
        cart: CartView = await _run(request, channel, lambda tx: carts.accept_quote(tx, cart_id, token=token))
    except QuoteExpired:
        return face.go(request, here)
    except CartClosed as problem:
        return face.go(request, "/cart", objections.said(_, problem.detail), kind="warning")
    made = NewCart(**{name: getattr(cart, name) for name in CartView.__struct_fields__}, token=token)
    return await _now_here(request, channel, made, _("The quote is in your cart. Its prices stand."))


async def _run(request: AnyRequest, channel: Channel, work: Any) -> Any:
    async def verb(tx: Tx) -> Any:
        return await work(tx)

    return await database_of(request).transaction(verb, shopper(request, channel))


handlers: list[Any] = [
    share_page,
    share,
    remove_device,
    continue_page,
    continue_link,
    take_over,
    before,
    undo,
    quote_page,
    accept_quote,
]
