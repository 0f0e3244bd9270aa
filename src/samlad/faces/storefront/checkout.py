"""Checkout: everything on one page, for guests. What is in the cart is held while they pay.

The cart is the idempotency key: it becomes one order, whoever presses how often. The form carries the cart's id, so
that an old page cannot buy a newer cart, and the total that was shown, so that nobody pays what they did not see.
"""

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar import Response, get, post

from samlad import accounts, carts, orders, payments
from samlad.access import rate
from samlad.accounts import SavedAddress, SignedIn
from samlad.carts import Address, CartClosed, CartStatus, CartView, Delivery, DetailsInput
from samlad.channels import Channel
from samlad.credit import GiftCard
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import amounts, basket, gift, joining, limits, member, paying, stores, vat
from samlad.faces.storefront import orders as order_pages
from samlad.faces.storefront.basket import Basket
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.faces.storefront.ways import Way, chosen, moves, ways_of
from samlad.kernel.clock import now
from samlad.kernel.context import GUEST
from samlad.kernel.database import Tx
from samlad.kernel.http import database_of
from samlad.kernel.i18n import collation_key, formatting_locale, marked
from samlad.kernel.problems import FieldError, InvalidInput, NotFound, Problem
from samlad.orders import AlreadyOrdered, PlaceOrder, TotalChanged
from samlad.payments import NotClaimable, PaymentDeclined, PaymentInput, PaymentPending, PaymentStatus
from samlad.stock import SoldOut

T = TypeVar("T")

COUNTRIES = [
    "AT",
    "BE",
    "CH",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GB",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "NL",
    "NO",
    "PL",
    "PT",
    "SE",
    "US",
]
"""Where parcels go; the shop's own country always."""
TEST_CARDS = (
    ("ok", marked("A card that pays"), marked("The order is paid at once.")),
    ("decline", marked("A card that is declined"), marked("The bank says no; nothing is ordered.")),
    ("pending", marked("A payment that takes time"), marked("The order is placed and waits for its money.")),
)
SOLD_OUT = marked("Somebody was quicker: something in the cart is sold out. Nothing was ordered.")
CHANGED = marked("Something in the cart has changed. Look at it before you go on; nothing was ordered.")
DECLINED = marked("The card was declined. Nothing was ordered and nothing was paid; try another one.")
NOT_YET = marked("A payment is not finished. Nothing was ordered; look below at how it stands.")
NO_SUCH_WAY = marked("One cannot pay like this here. Nothing was ordered; choose another way.")
NEW_TOTAL = marked("The total has changed with what you chose. Look at it, then place the order once more.")
NOT_THERE = marked("The store you chose does not have everything. Choose another one, or have it sent.")
FIELDS = {f"address/{name}": name for name in Address.__struct_fields__} | {"delivery_method": "delivery"}


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
    if cart is None or not cart.lines:
        return face.go(request, "/cart")
    if cart.moved_promotions or any(line.problem or line.price_before is not None for line in cart.lines):
        return await _back_to_cart(request, channel, CHANGED)
    signed = await member.signed_in(request, channel)
    own = await accounts.addresses(database_of(request), signed.account.id) if signed else []
    return await _form_page(request, channel, cart, _filled(cart, channel, signed, own))


@post("/checkout/sum", status_code=200)
async def change_delivery(request: AnyRequest) -> Response[Any]:
    """What it comes to when it gets there another way; the goods stay held."""
    limits.writes.check(limits.who(request))
    channel, held, form = await channel_of(request), basket.read(request), await read_form(request)
    cart = await basket.view(database_of(request), held, channel)
    if held is None or cart is None:
        return face.go(request, "/cart")
    way = await _way(request, channel, held, cart, form)

    async def verb(tx: Tx) -> CartView:
        details = DetailsInput(**way.details(None))
        await carts.set_details(tx, held.cart, details, token=held.token)
        return await carts.checkout(tx, held.cart, token=held.token)

    try:
        cart = await _run(request, channel, verb)
    except (NotFound, CartClosed, SoldOut, carts.PriceChanged, carts.NotSellable):
        return await _back_to_cart(request, channel, CHANGED)
    return await show(request, channel, "storefront/sum.html", cart=cart, **_sums(request, cart))


@post("/checkout/gift-card", status_code=200)
async def use_gift_card(request: AnyRequest) -> Response[Any]:
    """What a gift card can pay of this cart; nothing is taken from it yet."""
    channel, held, form = await channel_of(request), basket.read(request), await read_form(request)
    cart = await basket.view(database_of(request), held, channel)
    if cart is None or not cart.lines:
        return face.go(request, "/cart")
    card = None
    try:
        card = await gift.read(request, channel, form)
    except Problem as problem:
        form.failed(problem)
        form.message = None
    if not face.is_htmx(request):
        return await _form_page(request, channel, cart, form, card)
    return await show(
        request, channel, "storefront/gift.html", cart=cart, form=form, gift=gift.shown(card, cart)
    )


@post("/checkout", status_code=200)
async def buy(request: AnyRequest) -> Response[Any]:
    """Place the order and pay. Asked twice it answers twice with the same order."""
    channel, held, form = await channel_of(request), basket.read(request), await read_form(request)
    await _limit(request, channel)
    if held is None or form.get("cart") != str(held.cart):
        text = face.words(request)("This page was older than your cart. Nothing was ordered; have a look.")
        return face.go(request, "/cart", text, kind="warning")
    try:
        cart = await _save_details(request, channel, held, form)
        await carts.ask_tax(database_of(request), GUEST, held.cart, token=held.token)
        if await _begins_first(request, channel, held, form, cart):
            return await paying.begin(request, channel, held, form.get("token"))
        order = await _place(request, channel, held, form)
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


async def _save_details(request: AnyRequest, channel: Channel, held: Basket, form: Form) -> CartView:
    """Who buys and how they get it; then hold everything where it will be handed over or sent from.

    A transaction of its own: what somebody has typed outlives a card that is declined.
    """
    cart = await basket.view(database_of(request), held, channel)
    if cart is None:
        raise await _gone(request, held)
    way = await _way(request, channel, held, cart, form)
    details = _details(request, form, way)
    person = DetailsInput(email=details.email, name=details.name, phone=details.phone)
    if vat.is_asked(channel):
        person.vat_number = await vat.read(request, form)

    async def verb(tx: Tx) -> CartView:
        before = await carts.set_details(tx, held.cart, person, token=held.token)
        place = DetailsInput(address=details.address)
        if moves(way, None if details.location is None else str(details.location), before):
            place = details
        cart = await carts.set_details(tx, held.cart, place, token=held.token)
        if cart.status is CartStatus.OPEN or _seconds_left(cart, now()) == 0:
            cart = await carts.checkout(tx, held.cart, token=held.token)
        return cart

    return await _run(request, channel, verb)


async def _begins_first(
    request: AnyRequest, channel: Channel, held: Basket, form: Form, cart: CartView
) -> bool:
    """Whether the chosen way to pay reserves money before the order is placed, and some is left to reserve.

    Raises:
        TotalChanged: another total than was shown.
        InvalidInput: a gift card was given too; it pays when the order is placed, which is later.
    """
    chosen = form.get("token")
    if chosen not in paying.ways(channel) or payments.provider(chosen).is_local:
        return False
    if form.whole("total") != cart.totals.total:
        raise TotalChanged(total=cart.totals.total)
    if form.text(gift.FIELD) is not None:
        raise InvalidInput.at(gift.FIELD, gift.NOT_TOGETHER)
    return paying.rest(cart, await paying.reserved(request, held)) > 0


def _chosen(channel: Channel, form: Form) -> PaymentInput:
    """The way to pay that was chosen; the first of those that there are if it is none."""
    chosen, ways = form.get("token"), paying.ways(channel)
    if chosen in ways:
        return PaymentInput(provider=chosen)
    if not paying.has_test_cards(channel) and ways:
        return PaymentInput(provider=ways[0])
    return PaymentInput(provider="test", token=chosen if chosen in {card[0] for card in TEST_CARDS} else "ok")


async def _place(request: AnyRequest, channel: Channel, held: Basket, form: Form) -> orders.Order:
    shown = form.whole("total")
    card = await gift.read(request, channel, form)
    left = (shown or 0) - gift.pays(card, shown)
    rest = await paying.inputs(request, held, left, _chosen(channel, form)) if left else []
    wanted = PlaceOrder(cart=held.cart, payments=gift.payments(card, form, shown, rest), total=shown)
    return await _run(request, channel, lambda tx: orders.place(tx, wanted, token=held.token))


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
    elif isinstance(problem, SoldOut):
        if (await _way(request, channel, held, cart, form)).delivery is not Delivery.PICKUP:
            return await _back_to_cart(request, channel, SOLD_OUT)
        form.errors["location"] = form.message = _(NOT_THERE)
    elif problem.errors:
        form.message = _("Something is missing or not right below. Nothing was ordered yet.")
    return await _form_page(request, channel, cart, form)


async def _way(request: AnyRequest, channel: Channel, held: Basket, cart: CartView, form: Form) -> Way:
    """The way of delivery that the form says."""
    has_stores = bool(await stores.stores_of(request, channel))
    ways = await ways_of(request, channel, held, cart, has_stores=has_stores)
    return chosen(ways, form.get("delivery"), cart)


async def _gone(request: AnyRequest, held: Basket) -> Problem:
    """Why there is no cart any more: it was ordered, or it never was."""
    found = await carts.view(database_of(request), GUEST, held.cart, token=held.token)
    return CartClosed("It is closed.", order=None if found.order_id is None else str(found.order_id))


def _details(request: AnyRequest, form: Form, way: Way) -> DetailsInput:
    """What was typed, checked as far as a form can; every fault at its field at once.

    Raises:
        InvalidInput: with all faults.
    """
    faults: list[Any] = []
    _ = face.words(request)

    def read(kind: type[Any], **values: Any) -> Any:
        try:
            return form.into(kind, **values)
        except InvalidInput as problem:
            faults.extend(problem.errors)
            return None

    is_pickup = way.delivery is Delivery.PICKUP
    needed = ("email", "name", "line1", "city") if way.needs_address else ("email", "name")
    faults += [FieldError(name, _("Please fill this in.")) for name in needed if form.text(name) is None]
    address = read(Address) if way.needs_address and not faults else None
    told = way.details(form.text("location"))
    details = read(DetailsInput, address=address, phone=form.text("phone"), **told)
    if is_pickup and form.text("location") is None:
        faults.append(FieldError("location", _("Please choose a store.")))
    if faults:
        raise InvalidInput("", errors=tuple(faults))
    found: DetailsInput = details
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


def _filled(
    cart: CartView, channel: Channel, signed: SignedIn | None = None, own: Sequence[SavedAddress] = ()
) -> Form:
    """The form as the cart knows it; what it does not know, as the account of who is signed in does."""
    usual = next((each.address for each in own if each.is_delivery), None)
    given = cart.address or usual
    address = msgspec.structs.asdict(given) if given else {"country": channel.country}
    person = signed.customer if signed else None
    return Form.of(
        email=cart.email or (signed and signed.account.email) or (person and person.email),
        name=cart.name or address.pop("name", None) or (person and person.name),
        phone=cart.phone or (person and person.phone),
        vat_number=cart.vat_number,
        delivery=cart.delivery_method or cart.delivery,
        location=cart.location,
        **{name: value for name, value in address.items() if name != "name"},
    )


async def _form_page(
    request: AnyRequest, channel: Channel, cart: CartView, form: Form, card: GiftCard | None = None
) -> Response[Any]:
    _ = face.words(request)
    left = _seconds_left(cart, now())
    places = await stores.for_pickup(request, channel, [(line.variant, line.quantity) for line in cart.lines])
    held = basket.read(request)
    assert held is not None  # there is no cart without
    ways = await ways_of(request, channel, held, cart, has_stores=bool(places))
    way = chosen(ways, form.get("delivery"), cart)
    said = {place: text for each in ways for place, text in each.places.items()}
    context = {
        "form": form,
        "cart": cart,
        "countries": countries(request, channel),
        "asks_number": vat.is_asked(channel),
        "tax_news": amounts.tax_news(request, cart),
        "stores": [
            (str(place.id), f"{place.text} · {said[place.id]}" if place.id in said else place.text)
            for place in places
        ],
        "ways": ways,
        "way": way,
        "seconds_left": left,
        "minutes_left": None if left is None else f"{left // 60}:{left % 60:02d}",
        "gift": gift.shown(card, cart),
        "test_cards": [(token, _(text), _(note)) for token, text, note in TEST_CARDS]
        if paying.has_test_cards(channel)
        else [],
        "pay_ways": [(name, *(_(text) for text in paying.NAMES[name])) for name in paying.ways(channel)],
        "begun": await _begun(request),
        "problem_text": None,
        **_sums(request, cart),
    }
    return await show(
        request,
        channel,
        "storefront/checkout.html",
        status=form.status,
        cart_count=cart.totals.items,
        **context,
    )


async def _begun(request: AnyRequest) -> list[dict[str, Any]]:
    """The payments that were begun for the cart: how each stands, and what to do next."""
    _, held = face.words(request), basket.read(request)
    said = {
        PaymentStatus.PENDING: (_("Not finished"), "warning"),
        PaymentStatus.AUTHORIZED: (_("Reserved"), "success"),
        PaymentStatus.CAPTURED: (_("Paid"), "success"),
        PaymentStatus.DECLINED: (_("Did not go through"), "danger"),
    }
    return [
        {
            "payment": each,
            "name": _(paying.NAMES.get(each.provider, (each.provider, ""))[0]),
            "state": said[each.status],
        }
        for each in (await paying.reserved(request, held) if held else [])[-6:]
    ]


def _sums(request: AnyRequest, cart: CartView) -> dict[str, Any]:
    return {
        "sums": amounts.sums(request, cart),
        "tax_text": amounts.tax_text(request, cart.totals.tax, cart.currency, cart.tax_notes),
    }


def _seconds_left(cart: CartView, moment: datetime) -> int | None:
    """How long everything is still held; None when nothing is."""
    if cart.status is not CartStatus.CHECKOUT or cart.checkout_until is None:
        return None
    return max(0, int((cart.checkout_until - moment).total_seconds()))


def countries(request: AnyRequest, channel: Channel) -> list[tuple[str, str]]:
    """The countries that can be chosen, by their names in the reader's language."""
    locale = face.locale_of(request)
    names = formatting_locale(locale).territories
    codes = {*COUNTRIES, channel.country}
    return sorted(
        ((code, names.get(code, code)) for code in codes), key=lambda pair: collation_key(pair[1], locale)
    )


handlers = [start, checkout_page, change_delivery, use_gift_card, buy]
