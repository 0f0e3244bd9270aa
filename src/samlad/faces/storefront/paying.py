"""Paying with a provider on the network: its own fields for the card, waiting for it, and what to do when it says no.

The money is reserved here, before the order is placed; the checkout holds the goods meanwhile. A payment is begun with
the wish to place the order, so that a customer who has paid gets it also if the browser never comes back.
"""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import orders, payments
from samlad.carts import CartClosed, CartView, paying
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.design.security import POLICY, policy_text
from samlad.faces.form import read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, limits
from samlad.faces.storefront import orders as order_pages
from samlad.faces.storefront.basket import Basket
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.kernel.context import GUEST
from samlad.kernel.http import database_of
from samlad.kernel.i18n import marked
from samlad.kernel.problems import NotFound, Problem
from samlad.orders import AlreadyOrdered, PlaceOrder
from samlad.payments import Attempt, PaymentInput, PaymentPending, PaymentStatus, StartInput

STRIPE_POLICY = policy_text(
    {
        **POLICY,
        "script-src": "'self' https://js.stripe.com",
        "frame-src": "https://js.stripe.com https://hooks.stripe.com",
        "connect-src": "'self' https://api.stripe.com",
    }
)
"""What Stripe's script needs, on this page alone (docs.stripe.com/security/guide#content-security-policy)."""

NAMES = {
    "stripe": (marked("Card"), marked("You type it into the fields of our payment provider.")),
    "invoice": (marked("Invoice"), marked("The goods come first; you pay within the days on the invoice.")),
    "bank_transfer": (
        marked("Bank transfer"),
        marked("You get a reference; we send when the money is here."),
    ),
    "on_delivery": (marked("Pay on delivery"), marked("You pay whoever brings it.")),
}
"""Ways to pay as customers read them; the test cards have texts of their own."""
STILL_OPEN = marked(
    "The payment provider has not answered yet. Nothing is lost: this page looks again by itself."
)
SAID_NO = marked("The payment did not go through. Nothing was ordered; try again or pay in another way.")


def ways(channel: Channel) -> list[str]:
    """How guests can pay here, apart from the test cards."""
    return [name for name in payments.offered(channel) if name in NAMES]


def has_test_cards(channel: Channel) -> bool:
    """Whether the shop is for trying out."""
    return "test" in payments.offered(channel)


async def begin(request: AnyRequest, channel: Channel, held: Basket, provider: str) -> Response[Any]:
    """Reserve the money with a provider on the network: on to its page. One that was begun is gone on with."""
    database, context = database_of(request), shopper(request, channel)
    open_ones = [
        each for each in await payments.begun(database, held.cart) if each.status is PaymentStatus.PENDING
    ]
    if not open_ones:
        data = StartInput(provider=provider, place=True)
        begun = await database.transaction(
            lambda tx: paying.begin(tx, held.cart, data, token=held.token), context
        )
        open_ones = [begun]
    return face.go(request, f"/checkout/pay/{open_ones[-1].id}")


async def reserved(request: AnyRequest, held: Basket) -> list[Attempt]:
    """What was begun for the cart and pays a part of it, or may still."""
    found = await payments.begun(database_of(request), held.cart)
    return [each for each in found if each.order_id is None and each.status is not PaymentStatus.VOIDED]


@get("/checkout/pay/{payment_id:uuid}")
async def pay_page(request: AnyRequest, payment_id: FromPath[UUID]) -> Response[Any]:
    """The provider's fields, or how far the payment is; on to the order as soon as the money is reserved."""
    channel, held = await channel_of(request), basket.read(request)
    if held is None:
        return face.go(request, "/cart")
    try:
        seen = await paying.look(database_of(request), GUEST, held.cart, payment_id, token=held.token)
    except NotFound:
        return face.go(request, "/cart")
    if seen.order_id is not None:
        return _ordered(request, held, seen.order_id)
    if seen.status in (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED):
        return await _place(request, channel, held)
    _ = face.words(request)
    if seen.status is not PaymentStatus.PENDING:
        return face.go(request, "/checkout", _(SAID_NO), kind="danger")
    cart = await basket.view(database_of(request), held, channel)
    if cart is None:
        return face.go(request, "/cart")
    return await show(
        request,
        channel,
        "storefront/pay.html",
        headers={"Content-Security-Policy": STRIPE_POLICY, "Referrer-Policy": "strict-origin"},
        payment=seen,
        cart=cart,
        waits=_(STILL_OPEN) if seen.action is None else None,
        failed=_(SAID_NO) if seen.reason else None,
        back=str(request.url.with_replacements(query="")),
    )


@post("/checkout/pay/{payment_id:uuid}/leave", status_code=303)
async def leave(request: AnyRequest, payment_id: FromPath[UUID]) -> Response[Any]:
    """Pay in another way: what was reserved is free again."""
    limits.writes.check(limits.who(request))
    channel, held = await channel_of(request), basket.read(request)
    await read_form(request)
    if held is None:
        return face.go(request, "/cart")
    try:
        await database_of(request).transaction(
            lambda tx: paying.let_go(tx, held.cart, payment_id, token=held.token), shopper(request, channel)
        )
    except Problem:
        return face.go(request, "/checkout")
    return face.go(request, "/checkout", face.words(request)(marked("Choose another way to pay.")), kind="")


async def inputs(request: AnyRequest, held: Basket, total: int, chosen: PaymentInput) -> list[PaymentInput]:
    """What pays an order: all that is reserved for the cart, and the chosen way for the rest."""
    known = [each for each in await reserved(request, held) if each.status is PaymentStatus.AUTHORIZED]
    found = [PaymentInput(provider=each.provider, payment=each.id) for each in known]
    return found if sum(each.amount for each in known) >= total else [*found, chosen]


async def _place(request: AnyRequest, channel: Channel, held: Basket) -> Response[Any]:
    _ = face.words(request)
    known = [each for each in await reserved(request, held) if each.status is not PaymentStatus.PENDING]
    wanted = PlaceOrder(
        cart=held.cart,
        payments=[
            PaymentInput(provider=each.provider, payment=each.id)
            for each in known
            if each.status is not PaymentStatus.DECLINED
        ],
    )
    try:
        order = await database_of(request).transaction(
            lambda tx: orders.place(tx, wanted, token=held.token), shopper(request, channel)
        )
    except (CartClosed, AlreadyOrdered) as problem:
        sold = problem.extra.get("order")
        return _ordered(request, held, UUID(sold)) if sold else face.go(request, "/cart")
    except PaymentPending:
        return face.go(request, "/checkout", _(STILL_OPEN), kind="warning")
    except Problem:
        text = _(
            "Your money is reserved, but the order could not be placed. Look at it and place it once more."
        )
        return face.go(request, "/checkout", text, kind="warning")
    return _ordered(request, held, order.id)


def _ordered(request: AnyRequest, held: Basket, order: UUID) -> Response[Any]:
    answer = face.go(request, f"{order_pages.href(request, order)}?new=1")
    basket.keep(request, answer, held.cart, held.token, 0)
    return answer


def rest(cart: CartView, begun: list[Attempt]) -> int:
    """What is left to pay when all that is reserved pays, minor units."""
    return cart.totals.total - sum(each.amount for each in begun if each.status is PaymentStatus.AUTHORIZED)


handlers = [pay_page, leave]
