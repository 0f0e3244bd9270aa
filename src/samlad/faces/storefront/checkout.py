"""Checkout: everything on one page, for guests and members. What is in the cart is held while they pay.

The cart is the idempotency key: it becomes one order, whoever presses how often. The form carries the cart's id, so
that an old page cannot buy a newer cart, the total that was shown, so that nobody pays what they did not see, and what was
reserved then, so that nobody pays more by the chosen way than they saw.
"""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID, uuid5

import msgspec
from litestar import Response, get, post

from samlad import accounts, carts, consent, delivery, orders
from samlad.access import rate
from samlad.accounts import SignedIn
from samlad.carts import Address, CartClosed, CartStatus, CartView, Delivery, DetailsInput
from samlad.channels import Channel
from samlad.consent import Answer, AnswerInput, Level
from samlad.delivery import SlotFull, SlotPast
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import (
    addresses,
    basket,
    joining,
    limits,
    looked,
    member,
    paying,
    stores,
    tenders,
    vat,
    wordings,
)
from samlad.faces.storefront import orders as order_pages
from samlad.faces.storefront.basket import Basket
from samlad.faces.storefront.checkout_page import (
    DEPOSIT,
    NEW_ADDRESS,
    NEWS,
    destination,
    filled,
    form_page,
    seconds_left,
)
from samlad.faces.storefront.place import channel_of, shopper
from samlad.faces.storefront.tenders import Part
from samlad.faces.storefront.ways import Way, chosen, moves, ways_of
from samlad.kernel.clock import now
from samlad.kernel.context import GUEST, Context
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Conflict, FieldError, InvalidInput, NotFound, Problem
from samlad.orders import AlreadyOrdered, PlaceOrder, TotalChanged, deposits
from samlad.payments import NotClaimable, PaymentDeclined, PaymentPending
from samlad.stock import SoldOut

T = TypeVar("T")

SOLD_OUT = marked("Somebody was quicker: something in the cart is sold out. Nothing was ordered.")
CHANGED = marked("Something in the cart has changed. Look at it before you go on; nothing was ordered.")
DECLINED = marked("The card was declined. Nothing was ordered and nothing was paid; try another one.")
NOT_YET = marked("A payment is not finished. Nothing was ordered; look below at how it stands.")
NO_SUCH_WAY = marked("One cannot pay like this here. Nothing was ordered; choose another way.")
NEW_TOTAL = marked("The total has changed with what you chose. Look at it, then place the order once more.")
NEW_REST = marked(
    "What was reserved has changed. Look at what is left to pay, then place the order once more."
)
SLOT_GONE = marked(
    "The time you chose is full or over. The next one that is free is chosen below; nothing was ordered yet."
)
NO_SLOT = marked(
    "No time is free any more for this way of delivery. Choose another one; nothing was ordered yet."
)
NOT_THERE = marked("The store you chose does not have everything. Choose another one, or have it sent.")
PERSON = ("email", "name", "phone")
FIELDS = {f"address/{name}": name for name in Address.__struct_fields__} | {"delivery_method": "delivery"}


class RestChanged(Conflict):
    """What is reserved for the cart is not what the page showed."""

    code, title = "rest-changed", "What is left to pay has changed"


@post("/checkout/start", status_code=303)
async def start(request: AnyRequest) -> Response[Any]:
    """From the cart to the checkout: prices stand and the goods are held from now."""
    channel, held = await channel_of(request), basket.read(request)
    cart = await basket.view(database_of(request), held, channel)
    if held is None or cart is None:
        return face.go(request, "/cart")
    answer = face.go(request, "/checkout")
    signed = await member.signed_in(request, channel)
    if signed is not None and cart.customer is None:
        joined = await joining.join(request, channel, signed, answer)
        if joined is not None and joined.cart.id != cart.id:  # more may be in it now: look at it first
            undo = joining.undo_href(request, joined)
            answer = face.go(request, "/cart", face.words(request)(joining.MERGED), undo=undo)
            basket.keep(request, answer, joined.cart.id, held.token, joined.cart.totals.items)
            return answer

    async def verb(tx: Tx) -> CartView:
        if cart.channel != channel.id:  # a till had it open: what it costs here is said before it is paid
            await carts.bring(tx, held.cart, channel.id, token=held.token)
        if cart.delivery in (
            None,
            Delivery.CARRY_OUT,
        ):  # most parcels are sent: then the first total is the right one
            await carts.set_details(tx, held.cart, DetailsInput(delivery=Delivery.SHIP), token=held.token)
        return await carts.checkout(tx, held.cart, token=held.token)

    try:
        await _run(request, channel, verb)
    except CartClosed as problem:
        return _closed(request, problem)
    except (SoldOut, carts.PriceChanged, carts.NotSellable, InvalidInput) as problem:
        return await _back_to_cart(request, channel, SOLD_OUT if isinstance(problem, SoldOut) else CHANGED)
    return answer


@get("/checkout")
async def checkout_page(request: AnyRequest) -> Response[Any]:
    """The form."""
    channel = await channel_of(request)
    cart = await basket.view(database_of(request), basket.read(request), channel)
    if cart is None or not cart.lines or cart.channel != channel.id:
        return face.go(request, "/cart")
    if cart.moved_promotions or any(line.problem or line.price_before is not None for line in cart.lines):
        return await _back_to_cart(request, channel, CHANGED)
    signed = await member.signed_in(request, channel)
    own = await accounts.addresses(database_of(request), signed.account.id) if signed else []
    looked.at_cart(request, channel, cart, "Checkout Step Viewed", checkout_id=str(cart.id), step=1)
    return await form_page(request, channel, cart, filled(cart, channel, signed, own))


@post("/checkout/look", status_code=200)
async def look(request: AnyRequest) -> Response[Any]:
    """The page once more with what was typed so far: another way of delivery, country, address or tender, what a gift card
    can pay. Nothing is ordered or taken; the goods stay held."""
    limits.writes.check(limits.who(request))
    channel, held, form = await channel_of(request), basket.read(request), await read_form(request)
    cart = await basket.view(database_of(request), held, channel)
    if held is None or cart is None or not cart.lines or cart.channel != channel.id:
        return face.go(request, "/cart")
    way = await _way(request, channel, held, cart, form, is_look=True)
    location = form.text("location") if way.delivery is Delivery.PICKUP else None
    if moves(way, location or (str(way.location) if way.location else None), cart):
        try:
            cart = await _run(request, channel, lambda tx: _move(tx, held, way))
        except (NotFound, CartClosed, SoldOut, carts.PriceChanged, carts.NotSellable):
            return await _back_to_cart(request, channel, CHANGED)
    return await form_page(request, channel, cart, form, is_look=True)


async def _move(tx: Tx, held: Basket, way: Way) -> CartView:
    await carts.set_details(tx, held.cart, DetailsInput(**way.details(None)), token=held.token)
    return await carts.checkout(tx, held.cart, token=held.token)


@post("/checkout", status_code=200)
async def buy(request: AnyRequest) -> Response[Any]:
    """Place the order and pay. Asked twice it answers twice with the same order."""
    channel, held, form = await channel_of(request), basket.read(request), await read_form(request)
    await _limit(request, channel)
    if held is None or form.get("cart") != str(held.cart):
        text = face.words(request)("This page was older than your cart. Nothing was ordered; have a look.")
        return face.go(request, "/cart", text, kind="warning")
    signed = await member.signed_in(request, channel)
    try:
        cart = await _save_details(request, channel, held, form, signed)
        await carts.ask_tax(database_of(request), GUEST, held.cart, token=held.token)
        await _keep(request, channel, cart, form, signed)
        reserved = paying.held_for(await paying.reserved(request, held))
        whole = _now_due(form, channel, cart)
        rest = whole - reserved
        _check_shown(form, cart, reserved, rest)
        own = await tenders.own(request, channel, signed)
        parts = await tenders.parts(request, channel, own, form, rest)
        left = rest - sum(part.pays for part in parts)
        acting = tenders.acting(request, channel, signed)
        network = paying.network_way(channel, form, own)
        if left > 0 and network is not None:
            network.keep = signed is not None and form.has("keep_card") and network.token is None
            network.amount = left
            return await paying.begin(request, acting, held, network, parts, left)
        order = await _place(request, acting, channel, held, form, parts, left)
    except (CartClosed, AlreadyOrdered) as problem:
        return _closed(request, problem)
    except NotFound:
        return face.go(request, "/cart")
    except (carts.PriceChanged, carts.NotSellable):
        return await _back_to_cart(request, channel, CHANGED)
    except Problem as problem:
        return await _refused(request, channel, held, form, problem)
    answer = face.go(request, f"{order_pages.href(request, order.id)}?new=1")
    basket.keep(request, answer, cart.id, held.token, 0)
    return answer


def _now_due(form: Form, channel: Channel, cart: CartView) -> int:
    """What is paid now, minor units: all of it, or the deposit that was chosen.

    Raises:
        RestChanged: the deposit is another one than was shown, or none is offered any more.
    """
    if not form.has(DEPOSIT, "1"):
        return cart.totals.total
    offer = deposits.offered(channel, cart.delivery, cart.totals.total)
    if offer is None or form.whole("now") not in (None, offer):
        raise RestChanged(rest=offer or cart.totals.total)
    return offer


def _check_shown(form: Form, cart: CartView, reserved: int, rest: int) -> None:
    """Nobody pays what they did not see.

    Raises:
        TotalChanged: another total than was shown. RestChanged: a gift card that was held is free again, or the like.
    """
    if form.whole("total") != cart.totals.total:
        raise TotalChanged(total=cart.totals.total)
    shown = form.whole("reserved")
    if shown is not None and shown != reserved:
        raise RestChanged(f"{rest} is left to pay.", rest=rest)


async def _save_details(
    request: AnyRequest, channel: Channel, held: Basket, form: Form, signed: SignedIn | None
) -> CartView:
    """Who buys and how they get it; then hold everything where it will be handed over or sent from.

    A transaction of its own: what somebody has typed outlives a card that is declined.
    """
    cart = await basket.view(database_of(request), held, channel)
    if cart is None:
        raise await _gone(request, held)
    kept = await _kept_address(request, form, signed)
    way = await _way(request, channel, held, cart, form, kept)
    details = _details(request, channel, form, way, kept)
    person = DetailsInput(
        email=details.email,
        name=details.name,
        phone=details.phone,
        note=_said(form, "note", 1000),
        gift_note=_said(form, "gift_note", 500),
    )
    promise = way.promised(form.text("location"))
    if promise is not None:
        promise = await delivery.in_slot(
            database_of(request),
            promise,
            form.text(way.slot_field),
            locale=face.locale_of(request),
            country=channel.country,
        )
    if vat.is_asked(channel):
        person.vat_number = await vat.read(request, form)
    if channel.setting("deposit_offered") or cart.pays_deposit:
        person.pays_deposit = form.has(DEPOSIT, "1")

    async def verb(tx: Tx) -> CartView:
        before = await carts.set_details(tx, held.cart, person, token=held.token)
        if before.channel != channel.id:  # a till has opened it meanwhile: what it costs there counts
            raise carts.PriceChanged("Accept the new prices to go on.", lines=[])
        place = DetailsInput(address=details.address)
        if moves(way, None if details.location is None else str(details.location), before):
            place = details
        await carts.keep_promise(tx, held.cart, promise, token=held.token)
        cart = await carts.set_details(tx, held.cart, place, token=held.token)
        if cart.status is CartStatus.OPEN or seconds_left(cart, now()) == 0:
            cart = await carts.checkout(tx, held.cart, token=held.token)
        return cart

    return await _run(request, channel, verb)


async def _kept_address(request: AnyRequest, form: Form, signed: SignedIn | None) -> Address | None:
    """The address of the account that was chosen, if one was."""
    chosen_one = form.get("saved", NEW_ADDRESS)
    if signed is None or chosen_one == NEW_ADDRESS:
        return None
    known = await accounts.addresses(database_of(request), signed.account.id)
    return next((each.address for each in known if str(each.id) == chosen_one), None)


async def _keep(
    request: AnyRequest, channel: Channel, cart: CartView, form: Form, signed: SignedIn | None
) -> None:
    """What they want kept: the address in their account, the wish to be written to. The same form twice: once."""
    is_new = cart.delivery is Delivery.SHIP and form.get("saved", NEW_ADDRESS) == NEW_ADDRESS
    if signed is not None and form.has("keep_address") and is_new and cart.address is not None:
        given, key = cart.address, uuid5(cart.id, "address")
        with contextlib.suppress(Conflict):  # thirty are kept already: the order is more important
            await database_of(request).transaction(
                lambda tx: accounts.add_address(tx, signed, given, delivery=False, invoice=False, key=key),
                member.acting(request, channel, signed),
            )
    if form.has("news") and signed is not None:
        texts = await wordings.shown(database_of(request), form)
        answer = AnswerInput(
            purpose=NEWS,
            answer=Answer.GRANTED,
            text=texts.get(NEWS),
            channel=channel.id,
            event_id=f"checkout-{cart.id}",
        )
        await _run(
            request,
            channel,
            lambda tx: consent.record(
                tx, signed.customer.id, [answer], level=Level.VERIFIED, source="checkout"
            ),
        )


def _said(form: Form, name: str, most: int) -> str | msgspec.UnsetType | None:
    if not form.has(name):  # a form without the field leaves what there is
        return msgspec.UNSET
    return form.get(name).replace("\x00", "").strip()[:most] or None


async def _place(
    request: AnyRequest,
    acting: Context,
    channel: Channel,
    held: Basket,
    form: Form,
    parts: list[Part],
    left: int,
) -> orders.Order:
    paid = [*await paying.inputs(request, held), *(part.as_input() for part in parts)]
    if left > 0:
        paid.append(paying.local_way(channel, form))
    wanted = PlaceOrder(cart=held.cart, payments=paid, total=form.whole("total"))
    return (
        await database_of(request)
        .companion(orders.Placements)
        .transaction(lambda tx: orders.place(tx, wanted, token=held.token, is_last=True), acting)
    )


async def _refused(
    request: AnyRequest, channel: Channel, held: Basket, form: Form, problem: Problem
) -> Response[Any]:
    """The form once more, with what was wrong at its field, and the sums of now."""
    _ = face.words(request)
    cart = await basket.view(database_of(request), held, channel)
    if cart is None or not cart.lines:
        return face.go(request, "/cart")
    form.failed(problem, FIELDS)
    if isinstance(problem, PaymentDeclined):
        form.errors["payments"] = form.message = _(DECLINED)
    elif isinstance(problem, PaymentPending | NotClaimable):
        form.errors["payments"] = form.message = _(NOT_YET)
    elif any(error.field.startswith("payments") for error in problem.errors):
        form.errors["payments"] = form.message = _(NO_SUCH_WAY)
    elif isinstance(problem, TotalChanged):
        form.message = _(NEW_TOTAL)
    elif isinstance(problem, RestChanged):
        form.message = _(NEW_REST)
    elif isinstance(problem, SlotFull | SlotPast):
        has_next = problem.extra.get("next") is not None
        form.errors["slot"] = form.message = _(SLOT_GONE) if has_next else _(NO_SLOT)
    elif isinstance(problem, SoldOut):
        if (await _way(request, channel, held, cart, form)).delivery is not Delivery.PICKUP:
            return await _back_to_cart(request, channel, SOLD_OUT)
        form.errors["location"] = form.message = _(NOT_THERE)
    elif problem.errors:
        form.message = _("Something is missing or not right below. Nothing was ordered yet.")
    return await form_page(request, channel, cart, form)


async def _way(
    request: AnyRequest,
    channel: Channel,
    held: Basket,
    cart: CartView,
    form: Form,
    kept: Address | None = None,
    *,
    is_look: bool = False,
) -> Way:
    """The way of delivery that the form says, with its promise for the address that it says.

    One that does not go there is answered all the same, so that it is refused; a look answers the one in its place.
    """
    has_stores = bool(await stores.stores_of(request, channel))
    to = destination(form, channel) if kept is None else carts.destination(kept)
    ways = await ways_of(request, channel, held, cart, has_stores=has_stores, to=to)
    wanted = form.get("delivery")
    if to is not None and wanted and not is_look and wanted not in {way.value for way in ways}:
        ways = await ways_of(request, channel, held, cart, has_stores=has_stores)
    return chosen(ways, form.get("delivery"), cart)


async def _gone(request: AnyRequest, held: Basket) -> Problem:
    """Why there is no cart any more: it was ordered, or it never was."""
    found = await carts.view(database_of(request), GUEST, held.cart, token=held.token)
    return CartClosed("It is closed.", order=None if found.order_id is None else str(found.order_id))


def _details(
    request: AnyRequest, channel: Channel, form: Form, way: Way, kept: Address | None
) -> DetailsInput:
    """What was typed, checked as far as a form can; every fault at its field at once.

    Raises:
        InvalidInput: with all faults.
    """
    faults: list[FieldError] = []
    _ = face.words(request)
    faults += [
        FieldError(name, _("Please fill this in.")) for name in ("email", "name") if form.text(name) is None
    ]
    address = kept if way.needs_address else None
    if way.needs_address and kept is None:
        try:
            address = addresses.read(form, channel)
        except InvalidInput as problem:
            faults += [fault for fault in problem.errors if fault.field != "name"]
    found = DetailsInput()
    try:
        told = way.details(form.text("location"))
        person = Form({name: form.all(name) for name in PERSON}, translate=form.translate)
        found = person.into(DetailsInput, address=address, phone=form.text("phone"), **told)
    except InvalidInput as problem:
        faults.extend(problem.errors)
    if way.delivery is Delivery.PICKUP and form.text("location") is None:
        faults.append(FieldError("location", _("Please choose a store.")))
    if faults:
        raise InvalidInput("", errors=tuple(faults))
    return found


async def _run(request: AnyRequest, channel: Channel, work: Callable[[Tx], Awaitable[T]]) -> T:
    """A verb in one transaction on behalf of the guest."""
    return await database_of(request).transaction(work, shopper(request, channel))


async def _back_to_cart(request: AnyRequest, channel: Channel, said: str) -> Response[Any]:
    """Out of the checkout, so that the cart tells at each line what is the matter."""
    held = basket.read(request)
    if held is not None:
        with contextlib.suppress(NotFound, CartClosed):
            await _run(request, channel, lambda tx: carts.reopen(tx, held.cart, token=held.token))
    return face.go(request, "/cart", face.words(request)(said), kind="warning")


async def _limit(request: AnyRequest, channel: Channel) -> None:
    """Count a try, in a transaction of its own: a try that fails counts too."""
    await _run(
        request,
        channel,
        lambda tx: rate.limit(
            tx, "storefront.checkout", limits.who(request), per=limits.CHECKOUT_SECONDS, max=limits.CHECKOUTS
        ),
    )


def _closed(request: AnyRequest, problem: Problem) -> Response[Any]:
    """The cart was ordered already, by this form or in another window: there is the order."""
    order = problem.extra.get("order")
    if order is None:
        return face.go(request, "/cart")
    return face.go(request, f"{order_pages.href(request, UUID(order))}?new=1")


handlers = [start, checkout_page, look, buy]
