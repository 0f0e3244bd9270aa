"""HTTP: paying for a cart before it is ordered. Guests send the token of their cart as ``Cart-Token``."""

from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.params import FromPath, JSONBody

from samlad import channels, payments
from samlad.carts import paying, store
from samlad.carts.access import access_of
from samlad.carts.api_inputs import CartToken
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, write
from samlad.kernel.problems import NotFound
from samlad.payments import Attempt, StartInput


class WayToPay(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that can pay for a cart. ``begins_first``: begin the payment for the cart, then place the order."""

    provider: str
    begins_first: bool
    staff_only: bool


@get("/carts/{cart_id:uuid}/payment-providers", summary="How a cart can be paid")
async def list_ways(request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None) -> list[WayToPay]:
    """The providers that the cart's channel offers, in its order."""
    database = database_of(request)
    cart = await store.read(database, cart_id, access_of(actor_of(request), token))
    if cart is None:
        raise NotFound("There is no such cart, or its token is not the right one.")
    channel = await channels.cached(database, cart.channel)
    found = [payments.provider(name) for name in payments.offered(channel)]
    return [
        WayToPay(provider=each.name, begins_first=not each.is_local, staff_only=each.staff_only)
        for each in found
    ]


@post("/carts/{cart_id:uuid}/payments", summary="Begin a payment for a cart", status_code=201)
async def begin_payment(
    request: AnyRequest, cart_id: FromPath[UUID], data: JSONBody[StartInput], token: CartToken = None
) -> Response[Attempt]:
    """Reserve money with a provider on the network before the order is placed. Send an ``Idempotency-Key``: asked again
    with it, the answer is how the same payment stands now.

    ``action`` says what the customer must do. Then place the order with ``{"provider": …, "payment": id}`` among its
    payments. What no order claims until ``expires_at`` is let go. A card number is never accepted: 422 ``card-number``.
    """
    version = if_match(request)
    begun = await write(
        request, lambda tx: paying.begin(tx, cart_id, data, token=token, version=version), status=201
    )
    made = msgspec.json.decode(begun.content, type=Attempt)
    shown = await paying.look(database_of(request), actor_of(request), cart_id, made.id, token=token)
    return Response(shown, status_code=201, headers=begun.headers)


@get("/carts/{cart_id:uuid}/payments", summary="List the payments that were begun for a cart")
async def list_payments(
    request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None
) -> list[Attempt]:
    """All of them, earliest first, as far as is known here; their providers are not asked."""
    database = database_of(request)
    await paying.check_access(database, actor_of(request), cart_id, token)
    return await payments.begun(database, cart_id)


@get("/carts/{cart_id:uuid}/payments/{payment_id:uuid}", summary="How a payment for a cart stands")
async def read_payment(
    request: AnyRequest, cart_id: FromPath[UUID], payment_id: FromPath[UUID], token: CartToken = None
) -> Attempt:
    """Its provider is asked if that is not settled, for at most ten seconds."""
    return await paying.look(database_of(request), actor_of(request), cart_id, payment_id, token=token)


@delete("/carts/{cart_id:uuid}/payments/{payment_id:uuid}", summary="Pay in another way", status_code=200)
async def leave_payment(
    request: AnyRequest, cart_id: FromPath[UUID], payment_id: FromPath[UUID], token: CartToken = None
) -> Response[Attempt]:
    """Let go of a payment that no order has claimed: what was reserved is free again."""
    return await write(request, lambda tx: paying.let_go(tx, cart_id, payment_id, token=token))


routes = [
    Router(
        path="/api",
        route_handlers=[list_ways, begin_payment, list_payments, read_payment, leave_payment],
        tags=["Carts"],
    )
]
