"""Take what is still to be paid of an order, at any till: all of it, or a part. The money is in the drawer of this store."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import orders, payments
from samlad.faces import page as face
from samlad.faces.design.formats import money
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show, till_of
from samlad.faces.pos.returns import order_of, pay_ways
from samlad.faces.pos.terminal import SAID_OF_REST, press_here
from samlad.kernel.http import actor_of, check_version, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import Order, OrderStatus, PayInput, rest_paying
from samlad.payments import Attempt, PaymentInput, StartInput
from samlad.payments.permissions import TERMINAL
from samlad.tills import terminals

TERMINAL_WAY = (terminals.PROVIDER, marked("Card"))
PAID = marked("The payment is booked.")
AT_MOST = marked("At most %(amount)s is left to pay.")
REST_PAID = marked("It is paid. The goods can leave.")


def due_of(order: Order) -> int:
    """What is still to be paid of an order and nothing promises yet (minor units)."""
    if order.status is OrderStatus.CANCELLED or order.imported is not None:
        return 0
    return max(0, order.total - order.called_off - sum(payment.promised for payment in order.payments))


@get("/{code:str}/orders/{order_id:uuid}/pay")
async def balance_page(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """What was paid, and what is left."""
    till = await till_of(request, code)
    order = await order_of(request, till, order_id)
    return _page(request, till, order, Form.of(version=order.version))


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
        is_part = amount is not None and amount != due
        if form.get("way") == terminals.PROVIDER and terminals.is_here(till.channel):
            check_version(form.version(), order.version)
            return await _to_terminal(request, till, order_id, amount if is_part else None)
        given = PaymentInput(provider=form.get("way", "cash"), amount=amount if is_part else None)
        data = PayInput(payments=[given], is_part=is_part, location=till.location.id)
        paid = await face.change(request, lambda tx: orders.pay(tx, order_id, data, version=form.version()))
    except Problem as problem:
        again = await orders.read(database_of(request), order_id)
        return _page(request, till, again, form.failed(problem, {"payments": "amount"}))
    here = f"{till.base}/orders/{order_id}/pay"
    return face.go(request, here, _(PAID if due_of(paid) else REST_PAID))


async def _to_terminal(request: AnyRequest, till: Till, order_id: UUID, amount: int | None) -> Response[Any]:
    wanted = StartInput(provider=terminals.PROVIDER, amount=amount)
    place = till.location.id
    begun = await face.change(
        request, lambda tx: rest_paying.begin(tx, order_id, wanted, till.channel, place)
    )
    return face.go(request, _at(till, order_id, begun.id))


def _at(till: Till, order_id: UUID, payment_id: UUID) -> str:
    return f"{till.base}/orders/{order_id}/pay/terminal/{payment_id}"


@get("/{code:str}/orders/{order_id:uuid}/pay/terminal/{payment_id:uuid}")
async def wait_page(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """What the terminal shows. It looks again every second (204: still the same); what is reserved is booked at once."""
    till, _ = await till_of(request, code), face.words(request)
    order = await order_of(request, till, order_id)
    back = f"{till.base}/orders/{order_id}/pay"
    try:
        seen = await rest_paying.look(database_of(request), order_id, payment_id)
    except NotFound:
        return face.go(request, back)
    if seen.order_id is not None:
        return face.go(request, back, _(PAID if due_of(order) else REST_PAID))
    state = terminals.state_of(seen)
    if state == "accepted":
        return await _book(request, till, order, seen)
    if state != "waiting":
        return face.go(request, back, _(SAID_OF_REST[state]), kind="warning")
    if face.is_htmx(request):
        return Response(None, status_code=204)
    return show(
        request,
        till,
        "pos/terminal.html",
        here=_at(till, order_id, payment_id),
        whole=due_of(order),
        payment=seen,
        plays=actor_of(request).may(TERMINAL),
        is_order=True,
    )


async def _book(request: AnyRequest, till: Till, order: Order, seen: Attempt) -> Response[Any]:
    given = PaymentInput(provider=seen.provider, payment=seen.id)
    data = PayInput(payments=[given], is_part=seen.amount < due_of(order), location=till.location.id)
    _, back = face.words(request), f"{till.base}/orders/{order.id}/pay"
    try:
        paid = await face.change(request, lambda tx: orders.pay(tx, order.id, data))
    except Problem as problem:
        now = await rest_paying.look(database_of(request), order.id, seen.id)
        if now.order_id is None:  # it was paid otherwise meanwhile, or called off: nothing is charged
            await _let_go(request, till, order.id, seen.id)
        return face.go(request, back, _(problem.detail), kind="warning")
    return face.go(request, back, _(PAID if due_of(paid) else REST_PAID))


async def _let_go(request: AnyRequest, till: Till, order_id: UUID, payment_id: UUID) -> None:
    """Whatever can be said against it (the order has claimed it), the page that comes next finds out."""
    try:
        await face.change(request, lambda tx: rest_paying.leave(tx, order_id, payment_id, till.location.id))
    except Problem:
        return
    await payments.pursue_payment(database_of(request), payment_id, patience=rest_paying.PATIENCE_SECONDS)


@post("/{code:str}/orders/{order_id:uuid}/pay/terminal/{payment_id:uuid}/leave", status_code=303)
async def leave(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """Pay in another way: the terminal is told to stop."""
    till, _form = await till_of(request, code), await read_form(request)
    await order_of(request, till, order_id)
    await _let_go(request, till, order_id, payment_id)
    said = face.words(request)(SAID_OF_REST["let-go"])
    return face.go(request, f"{till.base}/orders/{order_id}/pay", said, kind="")


@post("/{code:str}/orders/{order_id:uuid}/pay/terminal/{payment_id:uuid}/press", status_code=303)
async def play(
    request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID], payment_id: FromPath[UUID]
) -> Response[Any]:
    """Play the customer at the simulated terminal."""
    till = await till_of(request, code)
    return await press_here(request, payment_id, _at(till, order_id, payment_id))


def _page(request: AnyRequest, till: Till, order: Order, form: Form) -> Response[Any]:
    _ = face.words(request)
    return show(
        request,
        till,
        "pos/balance.html",
        status=form.status,
        order=order,
        due=due_of(order),
        paid=order.paid - order.refunded,
        form=form,
        ways=[(name, _(text)) for name, text in _ways(till)],
    )


def _ways(till: Till) -> list[tuple[str, str]]:
    ways = pay_ways(till)
    return [*ways[:1], TERMINAL_WAY, *ways[1:]] if terminals.is_here(till.channel) else ways


handlers = [balance_page, take_payment, wait_page, leave, play]
