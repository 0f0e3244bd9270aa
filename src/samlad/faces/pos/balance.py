"""Take what is still to be paid of an order, at any till: all of it, or a part. The money is in the drawer of this store."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import orders
from samlad.faces import page as face
from samlad.faces.design.formats import money
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, show, till_of
from samlad.faces.pos.returns import PAY_WAYS, order_of
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import InvalidInput, Problem
from samlad.orders import Order, OrderStatus, PayInput
from samlad.payments import PaymentInput

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
        given = PaymentInput(provider=form.get("way", "cash"), amount=amount if is_part else None)
        data = PayInput(payments=[given], is_part=is_part, location=till.location.id)
        paid = await face.change(request, lambda tx: orders.pay(tx, order_id, data, version=form.version()))
    except Problem as problem:
        again = await orders.read(database_of(request), order_id)
        return _page(request, till, again, form.failed(problem, {"payments": "amount"}))
    here = f"{till.base}/orders/{order_id}/pay"
    return face.go(request, here, _(PAID if due_of(paid) else REST_PAID))


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
        ways=[(name, _(text)) for name, text in PAY_WAYS],
    )


handlers = [balance_page, take_payment]
