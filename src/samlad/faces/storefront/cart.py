"""The cart: put in, change, take out, put back, save for later; agree to changed prices."""

import contextlib
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, catalog, channels
from samlad.carts import CartClosed, CartInput, CartView, DetailsInput, LineInput
from samlad.channels import Channel
from samlad.faces import objections
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import amounts, basket, joining, limits, looked, member, reductions, repeats
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.stock import SoldOut

UNDO = "undo"
QUICKER = marked("There are not so many left: somebody was quicker.")


class Undo(msgspec.Struct, frozen=True):
    """What was taken out just now, and how to put it back."""

    variant: UUID
    quantity: int
    title: str
    plan: UUID | None = None
    gift_note: str | None = None


@get("/cart")
async def cart_page(request: AnyRequest) -> Response[Any]:
    """What is in the cart."""
    channel, held = await channel_of(request), basket.read(request)
    cart = await basket.view(database_of(request), held, channel)
    if (
        held and cart and cart.checkout_until and cart.checkout_until < now()
    ):  # the time of a checkout is over
        cart = await _run(request, channel, lambda tx: carts.reopen(tx, held.cart, token=held.token))
    signed = await member.signed_in(request, channel) if cart is None else None
    if signed is not None:  # one that was begun elsewhere meanwhile, by a clerk for one
        there = face.go(request, "/cart")
        await joining.join(request, channel, signed, there)
        if there.cookies:
            return there
    if cart is not None and cart.lines:
        looked.at_cart(request, channel, cart)
    return await _basket_page(request, channel, cart)


@post("/cart/lines", status_code=200)
async def add(request: AnyRequest) -> Response[Any]:
    """Put something in. With htmx the page stays and says so; without, the cart opens."""
    limits.writes.check(limits.who(request))
    channel = await channel_of(request)
    form = await read_form(request)
    line = form.into(LineInput, quantity=_quantity(form, least=1))
    held, note = basket.read(request), _note(form)
    has_cart = await basket.view(database_of(request), held, channel) is not None
    _ = face.words(request)

    async def verb(tx: Tx) -> tuple[CartView, str]:
        cart, token = await basket.add(
            tx, held, channel, line, goes_on=has_cart, visitor=basket.visitor(request)
        )
        put_in = next(each for each in cart.lines if each.variant == line.variant)
        if note is not None and put_in.gift_note is None:  # it was taken out with this note
            cart = await carts.change_line(tx, cart.id, put_in.id, gift_note=note, token=token)
        return cart, token

    try:
        cart, token = await database_of(request).transaction(verb, shopper(request, channel))
    except SoldOut:
        return _refused(request, _(QUICKER))
    except (NotFound, carts.NotSellable):
        return _refused(request, _("This cannot be ordered here (any more)."))
    except InvalidInput as problem:
        why = problem.errors[0].message if problem.errors else problem.detail
        return _refused(request, objections.said(_, why))
    sold = await catalog.sellables(database_of(request), channel, [line.variant])
    title = sold[line.variant].title if line.variant in sold else ""
    said = _("%(title)s is in the cart.") % {"title": title}
    if form.get("back") == "cart":
        answer = await after(request, channel, cart)
    elif face.is_htmx(request):
        answer = await show(
            request,
            channel,
            "design/cart_count.html",
            headers=face.toast(said),
            cart_count=cart.totals.items,
            oob=True,
        )
    else:
        answer = face.go(request, "/cart", said)
    basket.keep(request, answer, cart.id, token, cart.totals.items)
    signed = await member.signed_in(request, channel) if cart.customer is None else None
    if signed is not None:  # somebody who has signed in begins a cart: it is theirs on every device
        made = basket.Basket(cart.id, token, cart.totals.items)
        await joining.join(request, channel, signed, answer, made)
    return answer


@post("/cart/lines/{line:uuid}", status_code=200)
async def change_line(request: AnyRequest, line: FromPath[UUID]) -> Response[Any]:
    """Set how many; 0 takes it out and offers to put it back."""
    limits.writes.check(limits.who(request))
    channel, held, form = await channel_of(request), basket.read(request), await read_form(request)
    quantity = _quantity(form, least=0)
    before = await basket.view(database_of(request), held, channel)
    changed = next((each for each in before.lines if each.id == line), None) if before else None
    if held is None or changed is None or form.whole("quantity") is None:  # an empty field says nothing
        return await after(request, channel, before)
    try:
        cart = await _run(
            request, channel, lambda tx: carts.change_line(tx, held.cart, line, quantity, token=held.token)
        )
    except SoldOut:
        return await after(request, channel, before, refused=face.words(request)(QUICKER))
    undo = None
    if quantity == 0:
        undo = Undo(changed.variant, changed.quantity, changed.title, changed.plan, changed.gift_note)
    answer = await after(request, channel, cart, undo)
    basket.keep(request, answer, held.cart, held.token, cart.totals.items if cart else 0)
    return answer


@post("/cart/lines/{line:uuid}/note", status_code=200)
async def note_line(request: AnyRequest, line: FromPath[UUID]) -> Response[Any]:
    """What the card with it says."""
    limits.writes.check(limits.who(request))
    channel, held = await channel_of(request), basket.read(request)
    note = _note(await read_form(request))
    cart = None
    if held is not None:
        cart = await _run(
            request,
            channel,
            lambda tx: carts.change_line(tx, held.cart, line, gift_note=note, token=held.token),
        )
    return await after(request, channel, cart)


@post("/cart/note", status_code=200)
async def note_cart(request: AnyRequest) -> Response[Any]:
    """What the card with all of it says."""
    limits.writes.check(limits.who(request))
    channel, held = await channel_of(request), basket.read(request)
    details = DetailsInput(gift_note=_note(await read_form(request)))
    cart = None
    if held is not None:
        cart = await _run(
            request, channel, lambda tx: carts.set_details(tx, held.cart, details, token=held.token)
        )
    return await after(request, channel, cart)


@post("/cart/lines/{line:uuid}/save", status_code=200)
async def save_line(request: AnyRequest, line: FromPath[UUID]) -> Response[Any]:
    """Save it for later; with ``from``, the list that it is in, back into the cart, or into a new one after that was ordered."""
    limits.writes.check(limits.who(request))
    channel, held, form = await channel_of(request), basket.read(request), await read_form(request)
    if held is None:
        return await after(request, channel, None)
    try:
        origin = UUID(form.get("from")) if form.get("from") else None
    except ValueError:
        raise InvalidInput.at("from", "is no id of a list") from None
    goes_on = await basket.view(database_of(request), held, channel) is not None
    mine = held.cart

    async def verb(tx: Tx) -> CartView:
        nonlocal mine
        if origin is None:
            return await carts.save_line(tx, held.cart, line, token=held.token)
        if not goes_on:
            mine = (await carts.create(tx, CartInput(channel=channel.id), token=held.token)).id
        return await carts.save_line(tx, origin, line, mine, token=held.token)

    await _run(request, channel, verb, await _person(request, channel))
    cart = await basket.view(database_of(request), msgspec.structs.replace(held, cart=mine), channel)
    answer = await after(request, channel, cart)
    if cart is not None:
        basket.keep(request, answer, cart.id, held.token, cart.totals.items)
    return answer


@get("/cart/count")
async def count(request: AnyRequest) -> Response[Any]:
    """How many pieces there are now: asked for when somebody else changed the cart."""
    channel, held = await channel_of(request), basket.read(request)
    cart = await basket.view(database_of(request), held, channel)
    pieces = cart.totals.items if cart else 0
    answer = await show(request, channel, "design/cart_count.html", cart_count=pieces, oob=False)
    if held is not None:
        basket.keep(request, answer, held.cart, held.token, pieces)
    return answer


@post("/cart/prices", status_code=200)
async def accept(request: AnyRequest) -> Response[Any]:
    """Agree to the prices of now."""
    channel, held = await channel_of(request), basket.read(request)
    cart = None
    if held is not None:
        cart = await _run(request, channel, lambda tx: carts.accept_prices(tx, held.cart, token=held.token))
    return await after(request, channel, cart)


async def _person(request: AnyRequest, channel: Channel) -> Context:
    """Whoever shops, as the customer if they are signed in: lists of theirs need no token, on no device."""
    signed = await member.signed_in(request, channel)
    return shopper(request, channel) if signed is None else member.acting(request, channel, signed)


async def _run(
    request: AnyRequest, channel: Channel, work: Any, by: Context | None = None
) -> CartView | None:
    """A verb on the cart; its view after that. Refused or gone: the cart as it is, which says at its lines why."""

    async def verb(tx: Tx) -> CartView:
        cart: CartView = await work(tx)
        return cart

    try:
        return await database_of(request).transaction(verb, by or shopper(request, channel))
    except (NotFound, CartClosed, carts.NotSellable, InvalidInput):
        return await basket.view(database_of(request), basket.read(request), channel)


async def after(
    request: AnyRequest,
    channel: Channel,
    cart: CartView | None,
    undo: Undo | None = None,
    *,
    code: str = "",
    code_error: str | None = None,
    refused: str | None = None,
) -> Response[Any]:
    """The changed cart: as a piece for htmx, else by a redirect that carries the undo along.

    ``code`` is what was typed and ``code_error`` what is wrong with it: then the page comes at once. ``refused``: why it has not
    changed.
    """
    if face.is_htmx(request) or code_error is not None:
        answer = await _basket_page(request, channel, cart, undo, code=code, code_error=code_error)
        answer.headers.update(face.toast(refused, "danger") if refused else {})
        return answer
    answer = face.go(request, "/cart", refused, kind="danger")
    if undo is not None:
        signed = request.app.state.runtime.vault.sign("storefront.undo", msgspec.json.encode(undo).decode())
        answer.set_cookie(face.own_cookie(request, UNDO, signed, 300))
    return answer


def _waiting_undo(request: AnyRequest) -> Undo | None:
    text = request.cookies.get(UNDO)
    if not text:
        return None
    try:
        plain = request.app.state.runtime.vault.unsign("storefront.undo", text, max_age=300)
        return msgspec.json.decode(plain, type=Undo)
    except (Problem, msgspec.MsgspecError):
        return None


async def _basket_page(
    request: AnyRequest,
    channel: Channel,
    cart: CartView | None,
    undo: Undo | None = None,
    *,
    code: str = "",
    code_error: str | None = None,
) -> Response[Any]:
    _ = face.words(request)
    waiting = None if undo else _waiting_undo(request)
    database, held = database_of(request), basket.read(request)
    cart = cart and await basket.spoken(database, channel, cart)
    lines = cart.lines if cart else []
    saved, elsewhere = [], None
    if held is not None:
        person, beside = (await _person(request, channel)).actor, cart.id if cart else held.cart
        with contextlib.suppress(NotFound):
            saved = await carts.lists_beside(
                database, person, beside, token=held.token, kinds=[carts.CartKind.SAVED]
            )
    if cart is not None and cart.channel != channel.id:
        elsewhere = (await channels.cached(database, cart.channel)).name
    context: dict[str, Any] = {
        "saved": [(each.id, line) for each in saved for line in each.lines],
        "currency": channel.currency,
        "elsewhere": elsewhere,
        "before": await basket.before(request, channel, cart),
        "seconds_left": _seconds_left(cart),
        "cart": cart,
        "undo": undo or waiting,
        "moved": sum(line.price_before is not None for line in lines),
        "has_problem": any(line.problem or line.price_before is not None for line in lines)
        or bool(cart and cart.moved_promotions)
        or bool(cart and cart.kind is carts.CartKind.QUOTE),
        "gone": reductions.gone(request, cart),
        "codes": reductions.codes(request, cart),
        "gifts": await reductions.gifts(request, channel, cart),
        "plans": await repeats.names(request, channel, cart),
        "code": code,
        "code_error": code_error,
        "hold_note": _hold_note(request, channel),
        "sums": amounts.sums(request, cart) if cart else [],
        "tax_text": amounts.tax_text(request, cart.totals.tax, cart.currency, cart.tax_notes) if cart else "",
        "tax_news": amounts.tax_news(request, cart),
        "delivery_later": cart is not None and cart.delivery is None,
    }
    template = "storefront/basket.html" if face.is_htmx(request) else "storefront/cart.html"
    count = cart.totals.items if cart else 0
    answer = await show(
        request, channel, template, status=422 if code_error else 200, cart_count=count, **context
    )
    if waiting:
        answer.delete_cookie(UNDO)
    return answer


def _hold_note(request: AnyRequest, channel: Channel) -> str:
    _ = face.words(request)
    if channel.setting("hold_policy") not in ("checkout", "cart"):
        return ""
    minutes = channel.setting("checkout_hold_seconds") // 60
    return _("We put everything aside for you for %(minutes)s minutes while you pay.") % {"minutes": minutes}


def _seconds_left(cart: CartView | None) -> int | None:
    """How long what is in an open cart is put aside; 0 when the time is over, None when nothing is."""
    if cart is None or cart.held_until is None or not cart.lines:
        return None
    return max(0, int((cart.held_until - now()).total_seconds()))


def _note(form: Form) -> str | None:
    return form.get("gift_note").replace("\x00", "").strip()[:500] or None


def _quantity(form: Form, *, least: int) -> int:
    """How many, within what a cart takes."""
    wanted = form.whole("quantity")
    return least if wanted is None else max(least, min(wanted, 9_999))


def _refused(request: AnyRequest, text: str) -> Response[Any]:
    if face.is_htmx(request):
        return Response(None, status_code=204, headers=face.toast(text, "danger"))
    return face.go(request, "/cart", text, kind="danger")


handlers = [cart_page, add, change_line, note_line, note_cart, save_line, count, accept]
