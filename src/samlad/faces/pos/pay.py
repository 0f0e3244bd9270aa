"""Taking the money, and the receipt. The cart is the idempotency key: it is sold once, whoever presses how often."""

from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, documents, orders, payments
from samlad.carts import CartClosed, CartView
from samlad.carts.access import access_of
from samlad.faces import page as face
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.pos import printing, terminal, waiting
from samlad.faces.pos.desk import Till, cookie_of, current, in_hand, show, till_of
from samlad.faces.pos.stored import NOT_USABLE, Stored, stored_for
from samlad.faces.storefront import amounts
from samlad.faces.storefront.orders import address_lines
from samlad.faces.storefront.pay_ways import TEST_CARDS
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.money import decimal_text, exponent
from samlad.kernel.problems import InvalidInput, NotFound, Problem
from samlad.orders import AlreadyOrdered, Order, PlaceOrder, SoldWithReturn, TotalChanged
from samlad.payments import PaymentDeclined, PaymentInput, TerminalBusy
from samlad.stock import SoldOut
from samlad.tills import terminals

NOTES = (5, 10, 20, 50, 100, 200, 500, 1000)
"""Coins and notes that people hand over, in whole units of a currency with cents."""
MOST_QUICK = 5
WAYS = ("cash", "card", "gift", "credit")
TIPPED = ("cash", "card")
TOO_LARGE = marked("A tip is at most as much as the ticket.")
TOO_LITTLE = marked("This is less than there is to pay.")
CHANGED = marked("The ticket has changed. Look at it before you take the money.")
SOLD_OUT = marked("Somebody was quicker: something on the ticket is sold out here. Nothing was sold.")


@get("/{code:str}/pay")
async def pay_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """How much, and with what."""
    till = await till_of(request, code)
    cart = await current(request, till)
    if cart is None or not cart.lines or any(line.problem for line in cart.lines):
        return face.go(request, till.base)
    elsewhere = await waiting.with_return(request, till, cart.id)
    if elsewhere is not None:
        return elsewhere
    if terminals.is_here(till.channel) and (awake := await terminal.under_way(request, cart)) is not None:
        return face.go(request, terminal.page_of(till, awake.id))
    by = _way(request.query_params.get("by"))
    form = Form(
        {
            "tip": [request.query_params.get("tip", "")[:12]],
            "tip_text": [request.query_params.get("tip_text", "")[:12]],
        }
    )
    try:
        _tip(till, cart, by, form)
    except InvalidInput as problem:
        form.failed(problem)
    return await _pay_form(request, till, cart, by, form, await stored_for(request, till, cart, by, ""))


def _tip(till: Till, cart: CartView, by: str, form: Form) -> int:
    """What is given for the staff, as it was chosen or typed; minor units.

    Raises:
        InvalidInput: no amount, or more than the whole ticket.
    """
    if not till.channel.setting("tips") or by not in TIPPED or not cart.totals.total:
        return 0
    tip = form.amount("tip_text", till.channel.currency) or form.whole("tip") or 0
    if not 0 <= tip <= cart.totals.total:
        raise InvalidInput.at("tip_text", TOO_LARGE)
    return tip


def _way(text: str | None) -> str:
    return text if text in WAYS else WAYS[0]


@post("/{code:str}/pay", status_code=200)
async def pay(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """Sell what is on the ticket: paid, out of stock and on the receipt in one transaction."""
    till, form = await till_of(request, code), await read_form(request)
    by = _way(form.get("by"))
    try:
        cart_id = UUID(form.get("cart"))
    except ValueError:
        return face.go(request, till.base)
    _ = face.words(request)
    try:
        async with _turn(request, cart_id):
            cart = await carts.view(database_of(request), actor_of(request), cart_id)
            if cart.channel != till.channel.id:
                raise NotFound("This ticket is of another store.")
            elsewhere = await waiting.with_return(request, till, cart.id)
            if elsewhere is not None:
                return elsewhere
            stored = await stored_for(request, till, cart, by, form.get("code"))
            if by in ("gift", "credit") and (
                stored is None or not form.has("rest" if stored.rest else "take")
            ):
                return await _look_first(request, till, cart, by, form, stored)
            goes = waiting.is_by_terminal(till, form.get("rest") or form.get("with"))
            order = None if goes else await _sell(request, till, cart, form, by, stored)
        if order is None:
            return await _to_terminal(request, till, cart, form, stored)
    except (CartClosed, AlreadyOrdered) as problem:
        sold = problem.extra.get("order")
        return face.go(request, f"{till.base}/sales/{sold}" if sold else till.base)
    except NotFound:
        return face.go(request, till.base)
    except SoldWithReturn:  # begun in this very moment
        return await waiting.with_return(request, till, cart_id) or face.go(request, till.base)
    except SoldOut:
        return face.go(request, till.base, _(SOLD_OUT), kind="danger")
    except (TotalChanged, carts.PriceChanged, carts.NotSellable):
        return face.go(request, till.base, _(CHANGED), kind="warning")
    except (PaymentDeclined, InvalidInput, TerminalBusy) as problem:
        return await _refused(request, till, cart, by, form, problem)
    await printing.after_sale(request, till, order)
    answer = face.go(request, f"{till.base}/sales/{order.id}?new=1")
    answer.delete_cookie(cookie_of(till))
    return answer


_REST = {"card": "test", payments.OWN_TERMINAL: payments.OWN_TERMINAL}
"""By which button the rest beside a gift card is paid; cash without any. The terminal goes another way."""


def _turn(request: AnyRequest, cart: UUID) -> AbstractAsyncContextManager[None]:
    """A turn to sell among all who order; what a till has leased here can be had, too."""
    wanted = carts.WantedCart(cart, access_of(actor_of(request), None), at_till=True)
    return orders.turn(database_of(request), orders.Question(carts.gone_among, wanted))


async def _look_first(
    request: AnyRequest, till: Till, cart: CartView, by: str, form: Form, stored: Stored | None
) -> Response[Any]:
    """What the card can pay, and what is left to pay some other way; or that it cannot."""
    if stored is None and by == "gift":
        form.failed(InvalidInput.at("code", NOT_USABLE))
    return await _pay_form(request, till, cart, by, form, stored)


async def _to_terminal(
    request: AnyRequest, till: Till, cart: CartView, form: Form, stored: Stored | None
) -> Response[Any]:
    if form.whole("total") != cart.totals.total:
        raise TotalChanged("The ticket has changed.", total=cart.totals.total)
    at = await waiting.terminal_for(request, till, form.get("rest") or form.get("with"))
    return await terminal.begin(request, till, cart, stored, _tip(till, cart, form.get("by"), form), at=at)


async def _sell(
    request: AnyRequest, till: Till, cart: CartView, form: Form, by: str, stored: Stored | None
) -> Order:
    shown = form.whole("total")
    if stored is not None:
        paid = [PaymentInput(provider=stored.provider, token=stored.token, amount=stored.pays)]
        if stored.rest:
            paid.append(PaymentInput(provider=_REST.get(form.get("rest"), "cash")))
    else:
        paid = [_one_payment(request, till, cart, form, by)]
    tip = _tip(till, cart, by, form)
    wanted = PlaceOrder(cart=cart.id, payments=paid if cart.totals.total else [], total=shown, tip=tip)
    await carts.ask_tax(database_of(request), actor_of(request), wanted.cart)
    return await in_hand(request, till, lambda tx: orders.place(tx, wanted))


def _one_payment(request: AnyRequest, till: Till, cart: CartView, form: Form, by: str) -> PaymentInput:
    currency = till.channel.currency
    if by == "card" and form.get("with") == payments.OWN_TERMINAL:
        payment = PaymentInput(provider=payments.OWN_TERMINAL)
    elif by == "card":
        token = form.get("token") if form.get("token") in {card[0] for card in TEST_CARDS} else "ok"
        payment = PaymentInput(provider="test", token=token)
    else:
        given = form.amount("other", currency) or form.amount("tendered", currency)
        due = _due(till, cart, by, _tip(till, cart, by, form))
        if given is None or given < due:
            raise InvalidInput.at("tendered", face.words(request)(TOO_LITTLE))
        payment = PaymentInput(provider="cash", tendered=given)
    return payment


async def _refused(
    request: AnyRequest, till: Till, cart: CartView, by: str, form: Form, problem: Problem
) -> Response[Any]:
    form.failed(problem, {"payments/0/tendered": "tendered", "other": "tendered"})
    if isinstance(problem, PaymentDeclined):
        form.message = face.words(request)(TOO_LITTLE if by == "cash" else terminal.DECLINED)
    stored = await stored_for(request, till, cart, by, form.get("code"))
    return await _pay_form(request, till, cart, by, form, stored)


async def _pay_form(
    request: AnyRequest, till: Till, cart: CartView, by: str, form: Form, stored: Stored | None = None
) -> Response[Any]:
    _, currency, total = face.words(request), till.channel.currency, cart.totals.total
    try:
        tip = _tip(till, cart, by, form)
    except InvalidInput:
        tip = 0
    due = _due(till, cart, by, tip)
    return show(
        request,
        till,
        "pos/pay.html",
        status=form.status,
        cart=cart,
        by=by,
        due=due,
        exact=total + tip,
        tip=tip,
        tips=_tips_to_choose(till, cart, by),
        stored=stored,
        quick=[(minor, decimal_text(minor, currency)) for minor in quick_amounts(due, currency)],
        form=form,
        problem_text=None,
        has_terminal=terminals.is_here(till.channel),
        terminals=[(waiting.way_of(one), one) for one in await waiting.terminals_here(request, till)],
        has_own=payments.OWN_TERMINAL in payments.offered(till.channel),
        test_cards=[(token, _(text), _(note)) for token, text, note in TEST_CARDS[:2]]
        if "test" in payments.offered(till.channel)
        else [],
    )


def _due(till: Till, cart: CartView, by: str, tip: int) -> int:
    whole = cart.totals.total + tip
    if by != "cash":
        return whole
    return payments.round_cash(whole, payments.coin_of(till.channel, till.channel.currency))


def _tips_to_choose(till: Till, cart: CartView, by: str) -> list[tuple[int, int]] | None:
    """Pairs (percent or 0, minor units); None where no tip is asked for."""
    setting = till.channel.setting
    if not setting("tips") or by not in TIPPED or not cart.totals.total:
        return None
    return orders.tips_offered(
        cart.totals.total, setting("tip_percents"), setting("tip_amounts"), till.channel.currency
    )


def quick_amounts(due: int, currency: str) -> list[int]:
    """What a customer is likely to hand over (minor units): the exact amount, then the next round ones."""
    scale = 10 ** (exponent(currency) or 2)  # yen and the like come in hundreds
    rounded = {-(-due // (note * scale)) * note * scale for note in NOTES}
    return [due, *sorted(amount for amount in rounded if amount > due)][:MOST_QUICK]


@get("/{code:str}/sales/{order_id:uuid}")
async def receipt_page(request: AnyRequest, code: FromPath[str], order_id: FromPath[UUID]) -> Response[Any]:
    """The receipt of a sale of this store, or of what was taken back here."""
    await face.listen_from_here(request)
    till = await till_of(request, code)
    order = await orders.read(database_of(request), order_id)
    printing.of_here(till, order)
    change = sum(payment.change_due or 0 for payment in order.payments)
    return show(
        request,
        till,
        "pos/done.html",
        order=order,
        serials=await orders.serials_of(database_of(request), order),
        tip=await orders.tip_of(database_of(request), order.id),
        is_new=request.query_params.get("new") == "1",
        change_due=change or None,
        given_back=await orders.given_back(database_of(request), order),
        provider_names=printing.PROVIDERS,
        store_lines=address_lines(till.location.address),
        taxes=tax_rows(order, face.locale_of(request)),
        receipt_footer=till.channel.setting("receipt_footer"),
        served_by=None,
        **await printing.paper_of(request, till, order),
        printer_href=f"/api/orders/{order.id}/receipt.escpos"
        if actor_of(request).may(documents.READ)
        else None,
    )


def tax_rows(order: Order, locale: str) -> list[tuple[str, int, int]]:
    """Tax by rate: (rate in words, net, tax), the highest first; minor units."""
    by_rate: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for line in order.lines:
        by_rate[line.tax_rate][0] += line.total - line.tax
        by_rate[line.tax_rate][1] += line.tax
    return [
        (amounts.rate_text(rate, locale), by_rate[rate][0], by_rate[rate][1])
        for rate in sorted(by_rate, reverse=True)
        if rate
    ]


handlers = [pay_page, pay, receipt_page]
