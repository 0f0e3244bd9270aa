"""Make a return at a till, alone or in one ticket with a new sale. What it costs more is paid by hand at once, or at the card terminal,
which reserves the money first: then nothing comes back and nothing leaves before it has said yes (`samlad.orders.exchange_at_till`)."""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import orders, payments
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos import printing, returns, waiting
from samlad.faces.pos.desk import Till, cookie_of, current, till_of
from samlad.faces.pos.waiting import Wait
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import Order, SoldWithReturn, exchange_at_till, exchange_paying
from samlad.orders.change_model import Changed, ChangeInput
from samlad.orders.exchange_store import ExchangeState, ExchangeToPay

TAKEN = marked("Taken back.")
CHOOSE = marked("Choose what changes first.")
THEN = marked(
    "The customer holds a card or phone to the terminal. The goods change hands as soon as the money is reserved; this page looks by itself."
)
NOT_MADE = marked(
    "Nothing was changed, and the card is not charged: look at what comes back, then begin again."
)


@post("/{code:str}/returns/{order_id:uuid}", status_code=200)
async def take_back(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """Take back and, in the same ticket, sell: all of it in one transaction."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    order, cart = await returns.order_of(request, till, order_id), await current(request, till)
    if form.get("act") != "apply":
        said = await returns.previewed(request, till, order, form, cart)
        return await returns.show_return(request, till, order, form, said, cart)
    by_terminal = waiting.is_by_terminal(till, form.get("way"))
    try:
        data = await returns.change_of(request, till, order, form, cart)
        if not data.actions:
            raise InvalidInput(_(CHOOSE))
        if by_terminal:
            at = await waiting.terminal_for(request, till, form.get("way"))
            asked = await waiting.wake(
                request, lambda tx: exchange_at_till.begin(tx, order_id, data, till.channel, at)
            )
            if asked is not None:
                return face.go(request, waiting.page_of_exchange(till, order_id, asked.id))
        done = await face.change(
            request, lambda tx: orders.apply_change(tx, order_id, data, version=form.version())
        )
    except SoldWithReturn as problem:  # the ticket waits already
        before, exchange = UUID(problem.extra["order"]), UUID(problem.extra["exchange"])
        there = waiting.page_of_exchange(till, before, exchange)
        return face.go(request, there, _(waiting.WITH_RETURN), kind="warning")
    except Problem as problem:
        order = await orders.read(database_of(request), order_id)
        again = Form(form.fields, None, _)
        said = await returns.previewed(request, till, order, again, cart)
        form.failed(problem)
        return await returns.show_return(request, till, order, form, said, cart)
    if by_terminal and done.preview.to_pay:  # for the order itself, a fee for one: the terminal is a page on
        return face.go(request, f"{till.base}/orders/{order_id}/pay", _(TAKEN))
    return await _made(request, till, done, data)


async def _made(request: AnyRequest, till: Till, done: Changed, data: ChangeInput) -> Response[Any]:
    """On to what was sold or came back, with its paper."""
    told: str | None = face.words(request)(TAKEN)
    if done.placed is not None:
        placed = await orders.read(database_of(request), done.placed)
        target = f"{till.base}/sales/{placed.id}?new=1" if placed.channel == till.channel.id else till.base
    elif done.came_back is not None:
        # What is to be handed back, and the paper that says so: also when it was sold at another store.
        await printing.after_return(request, till, done.came_back)
        target, told = f"{till.base}/sales/{done.came_back}?new=1", None  # the page says it
    else:
        target = till.base
    answer = face.go(request, target, told)
    if data.cart is not None:
        answer.delete_cookie(cookie_of(till))
    return answer


async def _waiting_for(
    request: AnyRequest, till: Till, order_id: UUID, exchange: UUID
) -> tuple[Order, ExchangeToPay, payments.Attempt]:
    order = await returns.order_of(request, till, order_id)
    asked, seen = await exchange_at_till.look(database_of(request), exchange)
    if (asked.order_id, asked.channel) != (order_id, till.channel.id):
        raise NotFound("There is no such exchange.")
    return order, asked, seen


@get("/{code:str}/returns/{order_id:uuid}/terminal/{exchange_id:uuid}")
async def wait_page(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], exchange_id: FromPath[UUID]
) -> Response[Any]:
    """What the terminal shows. It looks again every second (204: still the same); on as soon as that is known."""
    till = await till_of(request, code)
    order, asked, seen = await _waiting_for(request, till, order_id, exchange_id)
    if asked.state is ExchangeState.ENDED:
        return face.go(request, f"{till.base}/returns/{order.id}")
    wait = Wait(
        till=till,
        seen=seen,
        href=waiting.page_of_exchange(till, order_id, exchange_id),
        back=f"{till.base}/returns/{order.id}",
        then=THEN,
        take=partial(_make, request, till, asked),
        keeps=True,
    )
    return await waiting.look(request, wait)


async def _make(request: AnyRequest, till: Till, asked: ExchangeToPay) -> Response[Any]:
    here = f"{till.base}/returns/{asked.order_id}"
    try:
        done = await face.change(request, lambda tx: exchange_at_till.complete(tx, asked.id))
    except exchange_paying.ExchangeEnded:
        return face.go(request, here)
    except Problem:
        await _let_go(request, asked.id)
        return face.go(request, here, face.words(request)(NOT_MADE), kind="danger")
    return await _made(request, till, done, asked.input)


@post("/{code:str}/returns/{order_id:uuid}/terminal/{exchange_id:uuid}/again", status_code=303)
async def again(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], exchange_id: FromPath[UUID]
) -> Response[Any]:
    """Try another card: what comes back and what is given instead stays as it was agreed to."""
    till, form = await till_of(request, code), await read_form(request)
    await _waiting_for(request, till, order_id, exchange_id)
    here = waiting.page_of_exchange(till, order_id, exchange_id)
    try:
        at = await waiting.terminal_for(request, till, form.get("with"))
        await waiting.wake(request, lambda tx: exchange_at_till.again(tx, exchange_id, till.channel, at))
    except exchange_paying.ExchangeEnded:
        return face.go(request, here)
    except Problem as problem:
        return face.go(
            request,
            here,
            Form(translate=face.words(request)).failed(problem).message or problem.title,
            kind="warning",
        )
    return face.go(request, here)


@post("/{code:str}/returns/{order_id:uuid}/terminal/{exchange_id:uuid}/leave", status_code=303)
async def leave(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], exchange_id: FromPath[UUID]
) -> Response[Any]:
    """Pay in another way: the terminal is told to stop, what it reserved and what was held is free again."""
    till = await till_of(request, code)
    await _waiting_for(request, till, order_id, exchange_id)
    return await waiting.leave(
        request, f"{till.base}/returns/{order_id}", partial(_let_go, request, exchange_id)
    )


@post("/{code:str}/returns/{order_id:uuid}/terminal/{exchange_id:uuid}/press", status_code=303)
async def play(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], exchange_id: FromPath[UUID]
) -> Response[Any]:
    """Play the customer at the simulated terminal."""
    till = await till_of(request, code)
    _order, _asked, seen = await _waiting_for(request, till, order_id, exchange_id)
    return await waiting.play(request, seen.id, waiting.page_of_exchange(till, order_id, exchange_id))


async def _let_go(request: AnyRequest, exchange: UUID) -> None:
    """Whatever can be said against it (it was made just now), the page that comes next finds out."""
    try:
        payment = await face.change(request, lambda tx: exchange_at_till.leave(tx, exchange))
    except Problem:
        return
    if payment is not None:
        await payments.pursue_payment(
            database_of(request), payment, patience=exchange_paying.PATIENCE_SECONDS
        )


handlers = [take_back, wait_page, again, leave, play]
