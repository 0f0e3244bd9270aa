"""HTTP: carts. Guests send the token of their cart as ``Cart-Token``; staff need `carts.write`."""

from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, patch, post
from litestar.params import FromPath, JSONBody, PathParameter

from samlad.access import rate
from samlad.carts import api_sharing, codes, delivery_options, service
from samlad.carts.api_inputs import CartToken, LineVersion
from samlad.carts.cart_view import view
from samlad.carts.delivery_options import DeliveryOption
from samlad.carts.model import (
    LARGEST_QUANTITY,
    CartInput,
    CheckoutInput,
    CodeInput,
    DetailsInput,
    GiftNote,
    LineInput,
)
from samlad.carts.view_model import CartView, NewCart
from samlad.kernel.http import AnyRequest, actor_of, database_of, if_match, with_etag, write
from samlad.tax.api import check_for

CODES, CODE_SECONDS = 60, 600
"""Codes that one address may try in so many seconds: codes are not to be guessed."""


class LineChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How many of a line there are to be (0 takes it out), and its gift note. What is left out stays."""

    quantity: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_QUANTITY, examples=[3])] | None = None
    gift_note: GiftNote | msgspec.UnsetType | None = msgspec.UNSET
    version: LineVersion | None = None


@post("/carts", summary="Begin a cart", status_code=201)
async def create_cart(
    request: AnyRequest, data: JSONBody[CartInput], token: CartToken = None
) -> Response[NewCart]:
    """Begin a cart, or a list of wishes, in a channel. Without being staff you get a ``token``, only this once: keep it.

    Send the ``Cart-Token`` of the cart before, if there was one: it then opens this one too, and what was saved for
    later stays with it. A signed-in customer who has a live cart gets that one, unless the new one has a ``label``.

    Whoever knows it all at once says it at once, with ``lines`` and ``details``: the cart can then be ordered.
    """
    if data.details is not None and data.details.vat_number:
        await check_for(request, data.details.vat_number)
    return await write(
        request,
        lambda tx: service.create(tx, data, token=token, is_last=True),
        status=201,
        together=service.NewCarts,
    )


@get("/carts/{cart_id:uuid}", summary="Read a cart")
async def read_cart(
    request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None
) -> Response[CartView]:
    """A cart with prices and stock of this moment, and an ETag of its version.

    ``news`` on a line says what has changed since its buyer was last told, ``price_before`` what the price was.
    A cart that was merged into another one answers as that one.
    """
    cart = await view(database_of(request), actor_of(request), cart_id, token=token)
    return with_etag(cart, cart.version)


@post("/carts/{cart_id:uuid}/lines", summary="Put something into a cart", status_code=201)
async def add_line(
    request: AnyRequest, cart_id: FromPath[UUID], data: JSONBody[LineInput], token: CartToken = None
) -> Response[CartView]:
    """Put something in; of a variant that is there already there will be more."""
    version = if_match(request)
    return await write(
        request, lambda tx: service.add_line(tx, cart_id, data, token=token, version=version), status=201
    )


@patch("/carts/{cart_id:uuid}/lines/{line_id:uuid}", summary="Change a line")
async def change_line(
    request: AnyRequest,
    cart_id: FromPath[UUID],
    line_id: FromPath[UUID],
    data: JSONBody[LineChange],
    token: CartToken = None,
) -> Response[CartView]:
    """Set how many of a line there are (0 takes it out), or its gift note.

    Two who change different lines never clash. With the line's ``version`` the later of two who change the same one is
    told (409 ``line-changed``, with the line as it is now); without it the later one has the last word.
    """
    version = if_match(request)
    return await write(
        request,
        lambda tx: service.change_line(
            tx,
            cart_id,
            line_id,
            data.quantity,
            gift_note=data.gift_note,
            line_version=data.version,
            token=token,
            version=version,
        ),
    )


@delete("/carts/{cart_id:uuid}/lines/{line_id:uuid}", summary="Take a line out", status_code=200)
async def remove_line(
    request: AnyRequest, cart_id: FromPath[UUID], line_id: FromPath[UUID], token: CartToken = None
) -> Response[CartView]:
    """Take a line out; answers the cart without it."""
    version = if_match(request)
    return await write(
        request, lambda tx: service.remove_line(tx, cart_id, line_id, token=token, version=version)
    )


@patch("/carts/{cart_id:uuid}", summary="Say who buys and how they get it")
async def set_details(
    request: AnyRequest, cart_id: FromPath[UUID], data: JSONBody[DetailsInput], token: CartToken = None
) -> Response[CartView]:
    """E-mail, address, and delivery: ``ship``, ``pickup`` at a location, or ``carry_out`` of a store.

    A ``delivery_method`` says it more exactly, and what it costs. A ``vat_number`` is checked at once: see ``vat_check``.
    """
    version = if_match(request)
    if data.vat_number:
        await check_for(request, data.vat_number)
    return await write(
        request, lambda tx: service.set_details(tx, cart_id, data, token=token, version=version)
    )


@get("/carts/{cart_id:uuid}/delivery-options", summary="How a cart could be delivered")
async def list_delivery_options(
    request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None
) -> list[DeliveryOption]:
    """The channel's delivery methods that reach the cart's address and can carry it, with price and dated promise.

    Choose one with ``delivery_method`` in `PATCH /api/carts/{id}`. Where its ``promise`` has ``slots``, one of them is chosen
    by its ``key`` when the checkout begins.
    """
    return await delivery_options.options(database_of(request), actor_of(request), cart_id, token=token)


@post("/carts/{cart_id:uuid}/codes", summary="Type a code", status_code=200)
async def add_code(
    request: AnyRequest, cart_id: FromPath[UUID], data: JSONBody[CodeInput], token: CartToken = None
) -> Response[CartView]:
    """A code of a promotion. ``codes`` of the answer says whether it takes something off, or why not now.

    409 ``promotion-code`` with a ``reason``: ``unknown``, ``not-yet``, ``ended``, ``used-up``, ``elsewhere``.
    """
    version = if_match(request)
    who = request.client.host if request.client else "?"
    await database_of(request).transaction(
        lambda tx: rate.limit(tx, "carts.codes", who, per=CODE_SECONDS, max=CODES)
    )
    return await write(
        request, lambda tx: codes.add_code(tx, cart_id, data.code, token=token, version=version)
    )


@delete("/carts/{cart_id:uuid}/codes/{code:str}", summary="Take a code out", status_code=200)
async def remove_code(
    request: AnyRequest,
    cart_id: FromPath[UUID],
    code: Annotated[
        str, PathParameter(max_length=40, pattern=r"^[A-Za-z0-9 _-]{1,40}$", description="The code")
    ],
    token: CartToken = None,
) -> Response[CartView]:
    """What it took off is not taken off any more."""
    version = if_match(request)
    return await write(request, lambda tx: codes.remove_code(tx, cart_id, code, token=token, version=version))


@post("/carts/{cart_id:uuid}/prices", summary="Agree to the prices of now", status_code=200)
async def accept_prices(
    request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None
) -> Response[CartView]:
    """After ``price-changed``: show the new prices, then agree to them here."""
    version = if_match(request)
    return await write(request, lambda tx: service.accept_prices(tx, cart_id, token=token, version=version))


@post("/carts/{cart_id:uuid}/checkout", summary="Begin to pay", status_code=200)
async def begin_checkout(
    request: AnyRequest,
    cart_id: FromPath[UUID],
    data: JSONBody[CheckoutInput | None] = None,
    token: CartToken = None,
) -> Response[CartView]:
    """Prices stand and stock is held until ``checkout_until``; ``promise`` of the chosen method goes with the order. 409 ``price-changed``, ``sold-out``, ``not-sellable``.

    A method with ``slots`` is promised in the ``slot`` that the body names, else in the first with room: 409 ``slot-full`` and
    ``slot-past`` say in ``next`` which can be had. It is taken when the order is placed, which may be refused in the same way.
    """
    version = if_match(request)
    promise = await delivery_options.promise_of(
        database_of(request),
        actor_of(request),
        cart_id,
        token=token,
        slot=None if data is None else data.slot,
    )
    return await write(
        request, lambda tx: service.checkout(tx, cart_id, token=token, version=version, promise=promise)
    )


@delete("/carts/{cart_id:uuid}/checkout", summary="Back to shopping", status_code=200)
async def leave_checkout(
    request: AnyRequest, cart_id: FromPath[UUID], token: CartToken = None
) -> Response[CartView]:
    """What was held is free for others again."""
    return await write(request, lambda tx: service.reopen(tx, cart_id, token=token))


routes = [
    Router(
        path="/api",
        route_handlers=[
            create_cart,
            read_cart,
            add_line,
            change_line,
            remove_line,
            set_details,
            list_delivery_options,
            add_code,
            remove_code,
            accept_prices,
            begin_checkout,
            leave_checkout,
            *api_sharing.handlers,
        ],
        tags=["Carts"],
    )
]
