"""Paying by card at a till: the terminal reserves the money first, then the ticket is sold; so nothing waits for a card.

The page that waits sells as soon as the money is reserved. If it never comes back the money is let go by itself, and the
ticket is still there, not sold. What a gift card pays beside is carried from page to page, sealed. A kiosk goes the same way by
itself (`samlad.tills.terminals`), with a journal in place of these pages.
"""

import base64
import binascii
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from samlad import carts, orders, payments
from samlad.carts import CartClosed, CartView, paying
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.faces.pos import printing, waiting
from samlad.faces.pos.desk import Till, cookie_of, current, in_hand, till_of
from samlad.faces.pos.stored import Stored
from samlad.faces.pos.waiting import Wait
from samlad.kernel.http import actor_of, database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import Problem
from samlad.kernel.vault import CannotOpen, Vault
from samlad.orders import AlreadyOrdered, PlaceOrder
from samlad.payments import Attempt, PaymentInput, PaymentStatus, StartInput
from samlad.tills.terminals import PROVIDER, RESERVED

STORED_SECONDS = 1_800
_SEALED = "pos.stored"
BACK = "/pay?by=card"
TICKET_THEN = marked(
    "The customer holds a card or phone to the terminal. The ticket is sold as soon as the money is reserved; this page looks by itself."
)
DECLINED = marked("The card was declined. Nothing was sold; try another card, or cash.")
CANCELLED = marked("Cancelled at the terminal. Nothing was sold.")
TOO_LONG = marked("Nobody held a card to the terminal. Nothing was sold.")
LET_GO = marked(
    "Nothing was sold, and the card is not charged: look at the ticket, then take the money again."
)
SAID = {"declined": DECLINED, "cancelled": CANCELLED, "timed-out": TOO_LONG, "let-go": waiting.OTHERWISE}


class Beside(msgspec.Struct, frozen=True):
    """What else pays the ticket: a gift card or the customer's credit, or nothing; and the tip. Minor units."""

    provider: str = ""
    token: str = ""
    amount: int = 0
    tip: int = 0


async def begin(
    request: AnyRequest, till: Till, cart: CartView, stored: Stored | None, tip: int = 0, *, at: UUID | None
) -> Response[Any]:
    """Wake a terminal for what is left to pay: on to the page that waits. One that is awake for it is gone on with."""
    amount = (cart.totals.total if stored is None else stored.rest) + tip
    found = await under_way(request, cart)
    if found is not None and (found.amount, found.terminal) != (amount, at or found.terminal):
        await let_go(request, cart.id, found.id)
        found = None
    if found is None:
        wanted = StartInput(provider=PROVIDER, amount=amount, tip=tip, terminal=at)
        found = await waiting.wake(request, lambda tx: paying.begin(tx, cart.id, wanted))
    answer = face.go(request, page_of(till, found.id))
    if stored is not None or tip:
        beside = (
            Beside(tip=tip) if stored is None else Beside(stored.provider, stored.token, stored.pays, tip)
        )
        sealed = base64.urlsafe_b64encode(_vault(request).seal(_SEALED, msgspec.json.encode(beside))).decode()
        answer.set_cookie(face.own_cookie(request, _cookie(till), sealed, STORED_SECONDS))
    else:
        answer.delete_cookie(_cookie(till))
    return answer


async def under_way(request: AnyRequest, cart: CartView) -> Attempt | None:
    """The payment that a terminal works on, or has reserved, for a ticket."""
    begun = await payments.begun(database_of(request), cart.id)
    live = [
        each
        for each in begun
        if each.provider == PROVIDER and each.status in (PaymentStatus.PENDING, *RESERVED)
    ]
    return live[-1] if live else None


def page_of(till: Till, payment: UUID) -> str:
    """The page that waits for a payment."""
    return f"{till.base}/pay/terminal/{payment}"


def _wait(request: AnyRequest, till: Till, cart: CartView, seen: Attempt) -> Wait:
    return Wait(
        till=till,
        seen=seen,
        href=page_of(till, seen.id),
        back=till.base + BACK,
        then=TICKET_THEN,
        take=partial(_sell, request, till, cart, seen),
        whole=cart.totals.total,
        said=SAID,
    )


@get("/{code:str}/pay/terminal/{payment_id:uuid}")
async def wait_page(request: AnyRequest, code: FromPath[str], payment_id: FromPath[UUID]) -> Response[Any]:
    """What the terminal shows. It looks again every second (204: still the same); on as soon as that is known."""
    return await waiting.look_at_ticket(request, code, payment_id, BACK, _wait)


async def _sell(request: AnyRequest, till: Till, cart: CartView, seen: Attempt) -> Response[Any]:
    beside = _beside(request, till)
    paid = [PaymentInput(provider=PROVIDER, payment=seen.id)]
    if beside is not None and beside.provider:
        paid.insert(0, PaymentInput(provider=beside.provider, token=beside.token, amount=beside.amount))
    tip = 0 if beside is None else beside.tip
    total = seen.amount + (0 if beside is None else beside.amount) - tip
    wanted = PlaceOrder(cart=cart.id, payments=paid, total=total, tip=tip)
    try:
        await carts.ask_tax(database_of(request), actor_of(request), cart.id)
        order = await in_hand(request, till, lambda tx: orders.place(tx, wanted))
    except (CartClosed, AlreadyOrdered) as problem:
        sold = problem.extra.get("order")
        return _done(request, till, f"{till.base}/sales/{sold}" if sold else till.base)
    except Problem:
        await let_go(request, cart.id, seen.id)
        return face.go(request, till.base, face.words(request)(LET_GO), kind="danger")
    await printing.after_sale(request, till, order)
    return _done(request, till, f"{till.base}/sales/{order.id}?new=1")


def _done(request: AnyRequest, till: Till, href: str) -> Response[Any]:
    answer = face.go(request, href)
    answer.delete_cookie(cookie_of(till))
    answer.delete_cookie(_cookie(till))
    return answer


@post("/{code:str}/pay/terminal/{payment_id:uuid}/leave", status_code=303)
async def leave(request: AnyRequest, code: FromPath[str], payment_id: FromPath[UUID]) -> Response[Any]:
    """Pay in another way: the terminal is told to stop, what it reserved is free again."""
    till = await till_of(request, code)
    cart = await current(request, till)
    if cart is None:
        return face.go(request, till.base)
    elsewhere = await waiting.with_return(request, till, cart.id)
    if elsewhere is not None:
        return elsewhere
    return await waiting.leave(request, till.base + BACK, partial(let_go, request, cart.id, payment_id))


@post("/{code:str}/pay/terminal/{payment_id:uuid}/press", status_code=303)
async def play(request: AnyRequest, code: FromPath[str], payment_id: FromPath[UUID]) -> Response[Any]:
    """Play the customer at the simulated terminal."""
    return await waiting.play(request, payment_id, page_of(await till_of(request, code), payment_id))


async def let_go(request: AnyRequest, cart: UUID, payment: UUID) -> None:
    """Let go of a payment of a ticket. Whatever can be said against it (an order has claimed it), the page that comes next finds out."""
    try:
        await face.change(request, lambda tx: paying.let_go(tx, cart, payment))
    except Problem:
        return
    await payments.pursue_payment(database_of(request), payment, patience=paying.PATIENCE_SECONDS)


def _cookie(till: Till) -> str:
    return f"{cookie_of(till)}-beside"


def _beside(request: AnyRequest, till: Till) -> Beside | None:
    text = request.cookies.get(_cookie(till))
    if not text:
        return None
    try:
        opened = _vault(request).open(_SEALED, base64.urlsafe_b64decode(text.encode()))
        return msgspec.json.decode(opened, type=Beside)
    except (CannotOpen, binascii.Error, msgspec.DecodeError, UnicodeError):
        return None


def _vault(request: AnyRequest) -> Vault:
    vault: Vault = request.app.state.runtime.vault
    return vault


handlers = [wait_page, leave, play]
