"""Discounts by hand: a line or the sale for less, with a reason; a manager approves what is more than a clerk may give."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts
from samlad.access import pins
from samlad.access.pins import Approver
from samlad.access.problems import ApprovalRefused
from samlad.carts import CartClosed, CartView, DiscountInput, DiscountKind, LineView, NeedsApproval
from samlad.carts.permissions import DISCOUNT, DISCOUNT_ANY
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos.desk import Till, current, show, till_of
from samlad.kernel.http import actor_of, context_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.money import format_money
from samlad.kernel.problems import InvalidInput, NotFound, Problem

KINDS = {
    DiscountKind.PERCENT: marked("Percent off"),
    DiscountKind.AMOUNT: marked("Amount off"),
    DiscountKind.PRICE: marked("Price for each piece"),
}
TOO_MUCH = marked(
    "You may take off %(allowed)s yourself; this comes to %(amount)s. A manager has to approve it."
)


@get("/{code:str}/discount")
async def discount_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """The form for a line (``line``), or for the sale."""
    till = await till_of(request, code)
    actor_of(request).require(DISCOUNT, location=till.location.id)
    cart = await current(request, till)
    if cart is None or not cart.lines:
        return face.go(request, till.base)
    return _page(request, till, cart, Form.of(line=request.query_params.get("line", ""), kind="percent"))


def _line_of(cart: CartView, form: Form) -> LineView | None:
    return next((line for line in cart.lines if str(line.id) == form.get("line")), None)


def _page(
    request: AnyRequest, till: Till, cart: CartView, form: Form, *, asks_manager: bool = False
) -> Response[Any]:
    _, line = face.words(request), _line_of(cart, form)
    kinds = [(str(kind), _(text)) for kind, text in KINDS.items() if line or kind is not DiscountKind.PRICE]
    return show(
        request,
        till,
        "pos/discount.html",
        status=form.status,
        cart=cart,
        line=line,
        kinds=kinds,
        form=form,
        asks_manager=asks_manager or form.has("email"),
    )


@post("/{code:str}/discount", status_code=200)
async def give(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Take it off; when it is too much the form asks for a manager."""
    till, form, _ = await till_of(request, code), await read_form(request), face.words(request)
    actor_of(request).require(DISCOUNT, location=till.location.id)
    cart = await current(request, till)
    if cart is None:
        return face.go(request, till.base)
    asks = False
    try:
        data = _wanted(request, till, cart, form)
        approved = await _approved(request, till, form)
        await face.change(request, lambda tx: carts.give_discount(tx, cart.id, data, approved=approved))
    except (CartClosed, NotFound):
        return face.go(request, till.base)
    except NeedsApproval as problem:
        asks = True
        form.failed(problem)
        form.message = _(TOO_MUCH) % {
            name: format_money(int(problem.extra[name]), cart.currency, face.locale_of(request))
            for name in ("allowed", "amount")
        }
    except Problem as problem:
        asks = isinstance(problem, ApprovalRefused)
        form.failed(problem)
    else:
        return face.go(request, till.base, _("It is taken off."))
    return _page(request, till, cart, form, asks_manager=asks)


def _wanted(request: AnyRequest, till: Till, cart: CartView, form: Form) -> DiscountInput:
    _, line = face.words(request), _line_of(cart, form)
    if form.get("kind") == DiscountKind.PERCENT:
        text = form.get("value").strip().replace(",", ".")
        try:
            value = round(float(text) * 100)
        except (ValueError, OverflowError):
            raise InvalidInput.at("value", _("Please write a number.")) from None
        if not 0 < value <= 10_000:
            raise InvalidInput.at("value", _("Please write a number from 0 to 100."))
    else:
        amount = form.amount("value", till.channel.currency)
        if amount is None or amount < 0:
            raise InvalidInput.at("value", _("Please fill this in."))
        value = amount
    if not form.get("reason").strip():
        raise InvalidInput.at("reason", _("Please say why: it stands on the receipt."))
    return form.into(DiscountInput, line=None if line is None else str(line.id), value=value)


async def _approved(request: AnyRequest, till: Till, form: Form) -> Approver | None:
    email, pin = form.get("email").strip(), form.get("pin").strip()
    if not email and not pin:
        return None
    database, context = database_of(request), context_of(request)
    return await pins.approve(database, context, email[:254], pin[:8], DISCOUNT_ANY, till.location.id)


@post("/{code:str}/discount/{discount:uuid}/take-back", status_code=303)
async def take_back(request: AnyRequest, code: FromPath[str], discount: FromPath[UUID]) -> Response[Any]:
    """The usual price again."""
    till, _form = await till_of(request, code), await read_form(request)
    cart = await current(request, till)
    if cart is not None:
        await face.change(request, lambda tx: carts.take_discount_back(tx, cart.id, discount))
    return face.go(request, till.base)


handlers = [discount_page, give, take_back]
