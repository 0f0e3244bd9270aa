"""Paying with a provider on the network: its own fields for the card, waiting for it, and what to do when it says no.

The money is reserved here, before the order is placed; the checkout holds the goods meanwhile. A payment is begun with
the wish to place the order, so that a customer who has paid gets it also if the browser never comes back.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from samlad import orders, payments
from samlad.carts import CartClosed, paying
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.design.security import POLICY, policy_text
from samlad.faces.form import Form, read_form
from samlad.faces.page import AnyRequest
from samlad.faces.storefront import basket, limits
from samlad.faces.storefront import orders as order_pages
from samlad.faces.storefront.basket import Basket
from samlad.faces.storefront.pay_ways import NAMES, TEST_CARDS, has_test_cards, ways
from samlad.faces.storefront.place import channel_of, shopper, show
from samlad.faces.storefront.tenders import Own, Part
from samlad.kernel.context import GUEST, Context
from samlad.kernel.database import Tx
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

STILL_OPEN = marked(
    "The payment provider has not answered yet. Nothing is lost: this page looks again by itself."
)
SAID_NO = marked("The payment did not go through. Nothing was ordered; try again or pay in another way.")


def offered(request: AnyRequest, channel: Channel) -> dict[str, Any]:
    """The ways to pay as pages show them, beside what somebody has to pay a part with."""
    _ = face.words(request)
    return {
        "test_cards": [(token, _(text), _(note)) for token, text, note in TEST_CARDS]
        if has_test_cards(channel)
        else [],
        "pay_ways": [(name, *(_(text) for text in NAMES[name])) for name in ways(channel)],
    }


def network_way(channel: Channel, form: Form, own: Own) -> StartInput | None:
    """The payment to begin, if the chosen way reserves money before the order is placed: a provider on the network, or a
    card that it keeps."""
    chosen_way = form.get("token")
    card = next((each for each in own.kept if chosen_way == f"kept:{each.id}"), None)
    if card is not None:
        return StartInput(provider=card.provider, token=chosen_way, place=True)
    if chosen_way in ways(channel) and not payments.provider(chosen_way).is_local:
        return StartInput(provider=chosen_way, place=True)
    return None


def local_way(channel: Channel, form: Form) -> PaymentInput:
    """The way to pay that was chosen; the first of those that there are if it is none."""
    chosen_way, there = form.get("token"), ways(channel)
    if chosen_way in there:
        return PaymentInput(provider=chosen_way)
    if not has_test_cards(channel) and there:
        return PaymentInput(provider=there[0])
    known = {card[0] for card in TEST_CARDS}
    return PaymentInput(provider="test", token=chosen_way if chosen_way in known else "ok")


def told(request: AnyRequest, begun: Sequence[Attempt]) -> list[dict[str, Any]]:
    """The payments that were begun for a cart, or an exchange: how each stands, and what to do next."""
    _ = face.words(request)
    said = {
        PaymentStatus.PENDING: (_("Not finished"), "warning"),
        PaymentStatus.AUTHORIZED: (_("Reserved"), "success"),
        PaymentStatus.CAPTURED: (_("Paid"), "success"),
        PaymentStatus.DECLINED: (_("Did not go through"), "danger"),
    }
    return [
        {
            "payment": each,
            "name": _(NAMES.get(each.provider, (each.provider, ""))[0]),
            "state": said[each.status],
        }
        for each in begun[-6:]
    ]


async def begin(
    request: AnyRequest, acting: Context, held: Basket, rest: StartInput, parts: Sequence[Part], left: int
) -> Response[Any]:
    """Hold what pays a part and have the rest reserved with a provider on the network, in one transaction: on to its page.

    A payment that was begun with it for this rest is gone on with; one for another rest is let go.
    """
    database = database_of(request)

    async def verb(tx: Tx) -> UUID:
        for part in parts:
            await paying.begin(tx, held.cart, part.as_start(), token=held.token)
        for each in await payments.begun(tx, held.cart):
            if each.status is not PaymentStatus.PENDING or each.order_id is not None:
                continue
            is_same = each.provider == rest.provider and each.amount == left
            if is_same and not parts and rest.token is None and not rest.keep:
                return each.id
            await paying.let_go(tx, held.cart, each.id, token=held.token)
        return (await paying.begin(tx, held.cart, rest, token=held.token)).id

    return face.go(request, f"/checkout/pay/{await database.transaction(verb, acting)}")


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
    if await basket.view(database_of(request), held, channel) is None:
        return face.go(request, "/cart")
    return await show(
        request,
        channel,
        "storefront/pay.html",
        headers={"Content-Security-Policy": STRIPE_POLICY, "Referrer-Policy": "strict-origin"},
        payment=seen,
        waits=_(STILL_OPEN) if seen.action is None else None,
        failed=_(SAID_NO) if seen.reason else None,
        crumbs=[(_("Cart"), "/cart"), (_("Checkout"), "/checkout")],
        leave_href=f"/checkout/pay/{seen.id}/leave",
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


async def inputs(request: AnyRequest, held: Basket) -> list[PaymentInput]:
    """All that is reserved for the cart, for the order that it pays."""
    return [
        PaymentInput(provider=each.provider, payment=each.id)
        for each in await reserved(request, held)
        if each.status is PaymentStatus.AUTHORIZED
    ]


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
        order = (
            await database_of(request)
            .companion(orders.Placements)
            .transaction(
                lambda tx: orders.place(tx, wanted, token=held.token, is_last=True), shopper(request, channel)
            )
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


def held_for(begun: list[Attempt]) -> int:
    """What is reserved for a cart so far, minor units."""
    return sum(each.amount for each in begun if each.status is PaymentStatus.AUTHORIZED)


handlers = [pay_page, leave]
