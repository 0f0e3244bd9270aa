"""Put the ticket aside with a deposit: it becomes an order that the customer picks up here once the rest is paid.

What the customer is called is kept with the ticket; that it is picked up is said in the very transaction that places the order, so
that a ticket whose card was declined is still one to carry out. By card the terminal reserves the money first (`terminal`).
"""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, orders, payments
from samlad.carts import CartClosed, CartView, Delivery, DetailsInput, paying
from samlad.faces import page as face
from samlad.faces.design.formats import money
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos import terminal, waiting
from samlad.faces.pos.desk import Till, cookie_of, current, in_hand, show, till_of
from samlad.faces.pos.waiting import Wait
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.kernel.i18n import marked
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import AlreadyOrdered, Order, PlaceOrder, deposits
from samlad.payments import Attempt, PaymentInput, StartInput
from samlad.stock import SoldOut
from samlad.tills import terminals

BACK = "/deposit"
WHO = marked("Say who picks it up: an e-mail address, or a customer on the ticket.")
HOW_MUCH = marked("Please write how much is paid now.")
LESS = marked("A deposit is less than the whole: %(amount)s.")
LEAST = marked("At least %(amount)s is paid now.")
DONE = marked("It is put aside. The goods leave once the rest is paid.")
SOLD_OUT = marked("Somebody was quicker: something on the ticket is sold out here. Nothing was put aside.")
THEN = marked(
    "The customer holds a card or phone to the terminal. The goods are put aside as soon as the money is reserved; this page looks by itself."
)
LET_GO = marked("Nothing was put aside, and the card is not charged: look at the ticket, then begin again.")
PERSON = ("email", "name", "phone")


@get("/{code:str}/deposit")
async def deposit_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """How much now, and who it is for."""
    till = await till_of(request, code)
    cart = await current(request, till)
    if cart is None or not cart.lines or any(line.problem for line in cart.lines):
        return face.go(request, till.base)
    elsewhere = await waiting.with_return(request, till, cart.id)
    if elsewhere is not None:
        return elsewhere
    least, coin = (
        deposits.least_of(cart.totals.total, till.channel),
        payments.coin_of(till.channel, cart.currency),
    )
    amount = (
        decimal_text(-(-least // coin.step) * coin.step, cart.currency) if least else None
    )  # in coins, too
    form = Form.of(email=cart.email, name=cart.name, phone=cart.phone, amount=amount)
    return await _page(request, till, cart, form)


async def _page(request: AnyRequest, till: Till, cart: CartView, form: Form) -> Response[Any]:
    _ = face.words(request)
    return show(
        request,
        till,
        "pos/deposit.html",
        status=form.status,
        cart=cart,
        form=form,
        ways=await waiting.ways(request, till),
        least=deposits.least_of(cart.totals.total, till.channel),
        until=deposits.due_day(till.channel, local_day(now(), till.channel.time_zone)),
    )


@post("/{code:str}/deposit", status_code=200)
async def put_aside(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Take the deposit and put the goods aside. Pressed twice it is one order: the ticket is its key."""
    till, form = await till_of(request, code), await read_form(request)
    cart = await current(request, till)
    if cart is None or form.get("cart") != str(cart.id):
        return face.go(request, till.base)
    elsewhere = await waiting.with_return(request, till, cart.id)
    if elsewhere is not None:
        return elsewhere
    try:
        amount = _amount(request, till, cart, form)
        typed = Form({name: form.all(name) for name in PERSON}, translate=form.translate)
        person = typed.into(DetailsInput)
        if cart.customer is None and not person.email:
            raise InvalidInput.at("email", face.words(request)(WHO))
        if waiting.is_by_terminal(till, form.get("way")):
            at = await waiting.terminal_for(request, till, form.get("way"))
            return await _to_terminal(request, till, cart, person, amount, at)
        given = PaymentInput(provider=form.get("way", "cash"), amount=amount)
        order = await in_hand(request, till, lambda tx: _place(tx, till, cart, person, given))
    except (CartClosed, AlreadyOrdered) as problem:
        return _closed(request, till, problem)
    except (NotFound, carts.PriceChanged, carts.NotSellable):
        return face.go(request, till.base)
    except SoldOut:
        return face.go(request, till.base, face.words(request)(SOLD_OUT), kind="danger")
    except Problem as problem:
        return await _page(
            request, till, cart, form.failed(problem, {"deposit": "amount", "payments": "amount"})
        )
    return _done(request, till, order.id, new=True)


def _amount(request: AnyRequest, till: Till, cart: CartView, form: Form) -> int:
    """What is paid now, minor units.

    Raises:
        InvalidInput: nothing, all of it, or less than the store takes.
    """
    _, total, locale = face.words(request), cart.totals.total, face.locale_of(request)
    amount = form.amount("amount", cart.currency)
    if amount is None or amount <= 0:
        raise InvalidInput.at("amount", _(HOW_MUCH))
    if amount >= total:
        raise InvalidInput.at("amount", _(LESS) % {"amount": money(total, cart.currency, locale)})
    least = deposits.least_of(total, till.channel)
    if amount < least:
        raise InvalidInput.at("amount", _(LEAST) % {"amount": money(least, cart.currency, locale)})
    return amount


async def _place(
    tx: Tx, till: Till, cart: CartView, person: DetailsInput | None, given: PaymentInput
) -> Order:
    """Say that it is picked up here, and place it with what is paid now as its deposit."""
    if person is not None:
        await carts.set_details(tx, cart.id, person)
    pickup = DetailsInput(delivery=Delivery.PICKUP, location=till.location.id)
    await carts.set_details(tx, cart.id, pickup)
    return await orders.place(tx, PlaceOrder(cart=cart.id, payments=[given], deposit=given.amount))


async def _to_terminal(
    request: AnyRequest, till: Till, cart: CartView, person: DetailsInput, amount: int, at: UUID | None
) -> Response[Any]:
    """Wake the terminal: on to the page that waits. One that is awake for this amount is gone on with."""
    found = await terminal.under_way(request, cart)
    if found is not None and (found.amount, found.terminal) != (amount, at or found.terminal):
        await terminal.let_go(request, cart.id, found.id)
        found = None

    async def verb(tx: Tx) -> payments.Attempt:
        await carts.set_details(tx, cart.id, person)
        wanted = StartInput(provider=terminals.PROVIDER, amount=amount, terminal=at)
        return await paying.begin(tx, cart.id, wanted)

    if found is None:
        found = await waiting.wake(request, verb)
    return face.go(request, _waits_at(till, found.id))


def _waits_at(till: Till, payment: UUID) -> str:
    return f"{till.base}/deposit/terminal/{payment}"


@get("/{code:str}/deposit/terminal/{payment_id:uuid}")
async def wait_page(request: AnyRequest, code: FromPath[str], payment_id: FromPath[UUID]) -> Response[Any]:
    """What the terminal shows. It looks again every second (204: still the same); on as soon as that is known."""
    return await waiting.look_at_ticket(request, code, payment_id, BACK, _wait)


def _wait(request: AnyRequest, till: Till, cart: CartView, seen: Attempt) -> Wait:
    return Wait(
        till=till,
        seen=seen,
        href=_waits_at(till, seen.id),
        back=till.base + BACK,
        then=THEN,
        take=partial(_place_reserved, request, till, cart, seen),
        whole=cart.totals.total,
    )


async def _place_reserved(request: AnyRequest, till: Till, cart: CartView, seen: Attempt) -> Response[Any]:
    given = PaymentInput(provider=terminals.PROVIDER, payment=seen.id, amount=seen.amount)
    try:
        order = await in_hand(request, till, lambda tx: _place(tx, till, cart, None, given))
    except (CartClosed, AlreadyOrdered) as problem:
        return _closed(request, till, problem)
    except Problem:
        await terminal.let_go(request, cart.id, seen.id)
        return face.go(request, till.base, face.words(request)(LET_GO), kind="danger")
    return _done(request, till, order.id, new=True)


@post("/{code:str}/deposit/terminal/{payment_id:uuid}/leave", status_code=303)
async def leave(request: AnyRequest, code: FromPath[str], payment_id: FromPath[UUID]) -> Response[Any]:
    """Pay in another way: the terminal is told to stop, what it reserved is free again."""
    till = await till_of(request, code)
    cart = await current(request, till)
    if cart is None:
        return face.go(request, till.base)
    elsewhere = await waiting.with_return(request, till, cart.id)
    if elsewhere is not None:
        return elsewhere
    return await waiting.leave(
        request, till.base + BACK, partial(terminal.let_go, request, cart.id, payment_id)
    )


@post("/{code:str}/deposit/terminal/{payment_id:uuid}/press", status_code=303)
async def play(request: AnyRequest, code: FromPath[str], payment_id: FromPath[UUID]) -> Response[Any]:
    """Play the customer at the simulated terminal."""
    till = await till_of(request, code)
    return await waiting.play(request, payment_id, _waits_at(till, payment_id))


def _closed(request: AnyRequest, till: Till, problem: Problem) -> Response[Any]:
    """The ticket was sold or put aside already, by this form or in another window: there it is."""
    order = problem.extra.get("order")
    return face.go(request, till.base) if order is None else _done(request, till, UUID(order), new=False)


def _done(request: AnyRequest, till: Till, order: UUID, *, new: bool) -> Response[Any]:
    said = face.words(request)(DONE) if new else None
    answer = face.go(request, f"{till.base}/orders/{order}/pay", said)
    answer.delete_cookie(cookie_of(till))
    return answer


handlers = [deposit_page, put_aside, wait_page, leave, play]
