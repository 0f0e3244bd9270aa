"""Take what is still to be paid of an order, at any till: all of it, or a part. The money is in the drawer of this store.

By card the terminal reserves the money first, on a page that waits for the card; if that page never comes back the money is let
go by itself and nothing is paid.
"""

from functools import partial
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import orders, payments
from samlad.faces import page as face
from samlad.faces.design.formats import money
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos import waiting
from samlad.faces.pos.desk import Till, show, till_of
from samlad.faces.pos.returns import order_of
from samlad.faces.pos.waiting import Wait
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import Order, PayInput, balance
from samlad.payments import Attempt, PaymentInput, StartInput
from samlad.tills import terminals

PAID = marked("The payment is booked.")
AT_MOST = marked("At most %(amount)s is left to pay.")
REST_PAID = marked("It is paid. The goods can leave.")
THEN = marked(
    "The customer holds a card or phone to the terminal. It pays the order as soon as the money is reserved; this page looks by itself."
)
NOT_PAID = marked("Nothing was paid, and the card is not charged: look at what is left to pay.")


def due_of(order: Order) -> int:
    """What is still to be paid of an order and nothing promises yet (minor units)."""
    return balance.due_of(order, order.payments)


@get("/{code:str}/orders/{order_id:uuid}/pay")
async def balance_page(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """What was paid, and what is left."""
    till = await till_of(request, code)
    order = await order_of(request, till, order_id)
    return await _page(request, till, order, Form.of(version=order.version))


@post("/{code:str}/orders/{order_id:uuid}/pay", status_code=200)
async def take_payment(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """Take it. Pressed twice it is taken once: the second has an older version of the order."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    order = await order_of(request, till, order_id)
    try:
        amount = form.amount("amount", order.currency)
        due = due_of(order)
        if amount is not None and amount > due > 0:
            raise InvalidInput.at(
                "amount", _(AT_MOST) % {"amount": money(due, order.currency, face.locale_of(request))}
            )
        if waiting.is_by_terminal(till, form.get("way")):
            at = await waiting.terminal_for(request, till, form.get("way"))
            return await _to_terminal(request, till, order, amount or due, at)
        is_part = amount is not None and amount != due
        given = PaymentInput(provider=form.get("way", "cash"), amount=amount if is_part else None)
        data = PayInput(payments=[given], is_part=is_part, location=till.location.id)
        paid = await face.change(request, lambda tx: orders.pay(tx, order_id, data, version=form.version()))
    except Problem as problem:
        again = await orders.read(database_of(request), order_id)
        return await _page(request, till, again, form.failed(problem, {"payments": "amount"}))
    here = f"{till.base}/orders/{order_id}/pay"
    return face.go(request, here, _(PAID if due_of(paid) else REST_PAID))


async def _to_terminal(
    request: AnyRequest, till: Till, order: Order, amount: int, at: UUID | None
) -> Response[Any]:
    """Wake the terminal: on to the page that waits. One that is awake for this amount is gone on with."""
    wanted = StartInput(provider=terminals.PROVIDER, amount=amount, terminal=at)
    [begun] = await waiting.wake(
        request, lambda tx: balance.begin_payments(tx, order.id, [wanted], offered_by=till.channel)
    )
    return face.go(request, _waits_at(till, order.id, begun.id))


def _waits_at(till: Till, order: UUID, payment: UUID) -> str:
    return f"{till.base}/orders/{order}/pay/terminal/{payment}"


@get("/{code:str}/orders/{order_id:uuid}/pay/terminal/{payment_id:uuid}")
async def wait_page(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """What the terminal shows. It looks again every second (204: still the same); on as soon as that is known."""
    till = await till_of(request, code)
    order = await order_of(request, till, order_id)
    here = f"{till.base}/orders/{order_id}/pay"
    try:
        seen = await balance.look(database_of(request), order_id, payment_id)
    except NotFound:
        return face.go(request, here)
    if seen.order_id is not None:
        return face.go(request, here, face.words(request)(PAID))
    wait = Wait(
        till=till,
        seen=seen,
        href=_waits_at(till, order_id, payment_id),
        back=here,
        then=THEN,
        take=partial(_take_reserved, request, till, order, seen),
    )
    return await waiting.look(request, wait)


async def _take_reserved(request: AnyRequest, till: Till, order: Order, seen: Attempt) -> Response[Any]:
    here, _ = f"{till.base}/orders/{order.id}/pay", face.words(request)
    given = PaymentInput(provider=seen.provider, payment=seen.id, amount=seen.amount)
    is_part = seen.amount < due_of(order)
    data = PayInput(payments=[given], is_part=is_part, location=till.location.id)
    try:
        paid = await face.change(request, lambda tx: orders.pay(tx, order.id, data, offered_by=till.channel))
    except Problem:
        await _let_go(request, order.id, seen.id)
        return face.go(request, here, _(NOT_PAID), kind="danger")
    return face.go(request, here, _(PAID if due_of(paid) else REST_PAID))


@post("/{code:str}/orders/{order_id:uuid}/pay/terminal/{payment_id:uuid}/leave", status_code=303)
async def leave(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """Pay in another way: the terminal is told to stop, what it reserved is free again."""
    till = await till_of(request, code)
    await order_of(request, till, order_id)
    here = f"{till.base}/orders/{order_id}/pay"
    return await waiting.leave(request, here, partial(_let_go, request, order_id, payment_id))


@post("/{code:str}/orders/{order_id:uuid}/pay/terminal/{payment_id:uuid}/press", status_code=303)
async def play(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """Play the customer at the simulated terminal."""
    till = await till_of(request, code)
    return await waiting.play(request, payment_id, _waits_at(till, order_id, payment_id))


async def _let_go(request: AnyRequest, order: UUID, payment: UUID) -> None:
    """Whatever can be said against it (it has paid the order), the page that comes next finds out."""
    try:
        await face.change(request, lambda tx: balance.leave(tx, order, payment))
    except Problem:
        return
    await payments.pursue_payment(database_of(request), payment, patience=balance.PATIENCE_SECONDS)


async def _page(request: AnyRequest, till: Till, order: Order, form: Form) -> Response[Any]:
    _ = face.words(request)
    return show(
        request,
        till,
        "pos/balance.html",
        status=form.status,
        order=order,
        due=due_of(order),
        paid=order.paid - order.refunded,
        receipt_href=f"{till.base}/sales/{order.id}"
        if order.paid and order.channel == till.channel.id
        else None,
        form=form,
        ways=await waiting.ways(request, till),
    )


handlers = [balance_page, take_payment, wait_page, leave, play]
