"""A cart on another device: by link, QR code or six digits, once, for minutes. Both stay in it; it is shared.

The link holds 256 random bits. The code is short, so that it can be read out and typed: it is good for minutes and
once, tries are limited for each address and in all (`count_try`), and what is kept is only a hash.
"""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec

from samlad import channels, stock
from samlad.access import rate
from samlad.carts import events, holding, sharing_store, store
from samlad.carts.access import access_of, hash_token, new_token
from samlad.carts.cart_view import compose, prices
from samlad.carts.model import OVER, Cart, CartClosed, CartKind, Delivery
from samlad.carts.opening import NO_CART, group_of, open_cart, till_of
from samlad.carts.permissions import WRITE
from samlad.carts.service import as_new
from samlad.carts.sharing_store import Device
from samlad.carts.view_model import CartView, NewCart
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Busy, Conflict, InvalidInput, NotFound, Problem

CODES = 10**6
TRIES, ALL_TRIES, TRY_SECONDS = 10, 600, 600
"""Codes that one address, and all that are not staff together, may try in so many seconds."""


class OfferGone(Problem):
    """This link or code is not good: it was used, it has run out, or it never was. Ask for a new one."""

    code, status, title = "offer-gone", 410, "This link or code is not good (any more)"


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """How a cart is opened elsewhere, told only now: by ``secret`` (it is in ``path``, for a link or a QR code) or
    ``code``. Either is good once, until ``expires_at``."""

    secret: str
    path: str
    code: str
    expires_at: datetime


class TakeOver(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A link's secret or a code, and the channel that it is opened in."""

    channel: Annotated[UUID, msgspec.Meta(description="Id of the channel that it is opened in")]
    secret: Annotated[str, msgspec.Meta(max_length=100, pattern=r"^[A-Za-z0-9_-]+$")] | None = None
    code: (
        Annotated[
            str,
            msgspec.Meta(max_length=20, pattern=r"^[0-9 ]+$", description="Six digits", examples=["204816"]),
        ]
        | None
    ) = None


async def offer(tx: Tx, cart_id: UUID, *, token: str | None = None) -> Offer:
    """Offer to open this cart elsewhere; an earlier offer is not good any more.

    Raises:
        NotFound: no such cart. CartClosed: it was ordered or given up.
    """
    cart, channel = await open_cart(tx, cart_id, token, None, reopen=False)
    until = now() + timedelta(seconds=channel.setting("handover_seconds"))
    secret = secrets.token_urlsafe(32)
    for _ in range(20):
        code = f"{secrets.randbelow(CODES):06d}"
        if await sharing_store.offer(tx, cart, hash_token(secret), _code_hash(cart.pool, code), until):
            fact = events.CartOffered(until=until)
            log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
            return Offer(secret=secret, path=f"/cart/continue/{secret}", code=code, expires_at=until)
    raise Busy("Too many codes are in use at the moment.")


async def withdraw(tx: Tx, cart_id: UUID, *, token: str | None = None) -> None:
    """Take the offer back, if there is one."""
    cart, _ = await open_cart(tx, cart_id, token, None, reopen=False)
    await sharing_store.withdraw_offer(tx, cart.id)


async def count_try(database: Database, context: Context) -> None:
    """Count a try of a code, in a transaction of its own so that a try that fails counts too.

    Raises:
        TooMany: from this address (of staff: by this person), or in all.
    """
    actor = context.actor
    is_staff = actor.kind in ("staff", "key", "system")
    who = actor.label if is_staff else context.remote or ""

    async def count(tx: Tx) -> None:
        await rate.limit(tx, "carts.code", who, per=TRY_SECONDS, max=TRIES * 10 if is_staff else TRIES)
        if not is_staff:
            await rate.limit(tx, "carts.code", "all", per=TRY_SECONDS, max=ALL_TRIES)

    await database.transaction(count, context)


async def take_over(tx: Tx, data: TakeOver, *, token: str | None = None) -> NewCart:
    """Open a cart that was offered. Who is not staff gets a token of their own for it; at a till it is a ticket.

    Call `count_try` first where a code was typed. ``token`` is one that the device has: if it opens this cart already, it stays
    the one.

    Raises:
        OfferGone: used, run out, or never made.
        CartClosed: the cart was ordered or given up.
        Conflict: this channel has other carts.
    """
    channel = await channels.cached(tx, data.channel)
    digits = (data.code or "").replace(" ", "")
    if (data.secret is None) == (not digits):
        raise InvalidInput.at("code", "either a code or a secret")
    cart_id = await sharing_store.take_offer(
        tx,
        secret_hash=hash_token(data.secret) if data.secret else None,
        code_hash=_code_hash(channel.pools[Resource.CARTS], digits) if digits else None,
        pool=channel.pools[Resource.CARTS],
    )
    cart = None if cart_id is None else await _goes_on(tx, cart_id)
    if cart is None:
        raise OfferGone("Ask for a new one on the device that has the cart.")
    if cart.status in OVER:
        raise CartClosed(f"It is {cart.status}.", order=None if cart.order_id is None else str(cart.order_id))
    if tx.actor.may(WRITE) or not await _opens(tx, cart.id, token):
        token = None
        how = "link" if data.secret else "code"
        if not tx.actor.may(WRITE):
            token, token_hash = new_token()
            await sharing_store.add_token(tx, cart.id, token_hash, how)
        fact = events.CartJoined(how=how)
        log.append(tx, fact, subject=cart.id, channel=channel.id, profile=cart.customer)
    if channel.kind is ChannelKind.STORE and cart.kind is CartKind.CART:
        return as_new(await bring(tx, cart.id, channel.id, token=token), token)
    cart, own = await open_cart(tx, cart.id, token, None, reopen=False)
    return as_new(await compose(tx, cart, own), token)


async def _opens(tx: Tx, cart: UUID, token: str | None) -> bool:
    return (
        token is not None
        and await store.read(tx, cart, store.Access(token_hash=hash_token(token))) is not None
    )


async def _goes_on(tx: Tx, cart_id: UUID) -> Cart | None:
    """The cart, or the one that it was merged into since."""
    cart = await store.read(tx, cart_id, store.Access(any=True))
    while cart is not None and cart.merged_into is not None:
        cart = await store.read(tx, cart.merged_into, store.Access(any=True))
    return cart


async def devices(
    database: Database, actor: Actor, cart_id: UUID, *, token: str | None = None
) -> list[Device]:
    """The devices that a cart was handed over to. The one that began it is not among them.

    Raises:
        NotFound: no such cart.
    """
    if await store.read(database, cart_id, access_of(actor, token)) is None:
        raise NotFound(NO_CART)
    return await sharing_store.devices(database, cart_id)


async def remove_device(tx: Tx, cart_id: UUID, device: UUID, *, token: str | None = None) -> None:
    """Shut a device out again. Done already, nothing happens."""
    cart, _ = await open_cart(tx, cart_id, token, None, reopen=False)
    if await sharing_store.forget_token(tx, cart.id, device):
        fact = events.CartDeviceRemoved(device=device)
        log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)


async def bring(
    tx: Tx, cart_id: UUID, channel_id: UUID, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Open a cart in another channel of its pool: from the phone to the till and back. It is the same cart.

    The prices and the stock of that channel count, and ``price_before`` says where a price is another one. In another
    currency what was agreed to means nothing, so there the prices of now are taken.

    Raises:
        Conflict: that channel has carts of its own.
        Forbidden: a till is for staff.
    """
    target = await channels.cached(tx, channel_id)
    till = None
    if target.kind is ChannelKind.STORE:
        till = await till_of(tx, target)
        tx.actor.require(WRITE, location=till.id)
    cart, channel = await open_cart(tx, cart_id, token, version)
    if target.pools[Resource.CARTS] != cart.pool:
        raise Conflict("That channel has carts of its own.")
    if target.id == cart.channel:
        return await compose(tx, cart, channel)
    values: dict[str, Any] = {
        "channel": target.id,
        "currency": target.currency,
        "customer_group": await _group_in(tx, cart, target),
    }
    if till is not None:
        values |= {"delivery": Delivery.CARRY_OUT, "location": till.id}
    elif cart.delivery is Delivery.CARRY_OUT or not await _hands_out(tx, cart, target):
        values |= {"delivery": None, "location": None}
    await store.set_fields(tx, cart.id, values)
    before, cart = cart, msgspec.structs.replace(cart, **values)
    if before.currency != cart.currency and cart.lines:
        cart = await _price_anew(tx, cart, target)
        await store.set_fields(tx, cart.id, {"agreed": None})
    cart = await holding.keep_up(tx, cart, target, moved=True)
    fact = events.CartMoved(origin=before.channel, currency=cart.currency)
    log.append(tx, fact, subject=cart.id, channel=target.id, profile=cart.customer)
    return await compose(tx, cart, target)


async def _price_anew(tx: Tx, cart: Cart, channel: Channel) -> Cart:
    sellables = await prices(tx, cart, channel)
    priced = []
    for line in cart.lines:
        sellable = sellables.get(line.variant)
        price = sellable.price if sellable is not None and sellable.price is not None else 0
        priced.append(msgspec.structs.replace(line, unit_price=price, price_until=None))
    await store.put_lines(tx, cart.id, priced)
    return msgspec.structs.replace(cart, lines=await store.lines_of(tx, cart.id), agreed=None)


async def _group_in(tx: Tx, cart: Cart, channel: Channel) -> str | None:
    """The customer's group, where the channel knows the customer."""
    try:
        return await group_of(tx, cart.customer, channel)
    except NotFound:
        return None


async def _hands_out(tx: Tx, cart: Cart, channel: Channel) -> bool:
    """Whether the channel can hand over where the cart says, if it says so."""
    if cart.location is None:
        return True
    places = await stock.locations(tx, channel.pools[Resource.STOCK])
    return cart.location in {place.id for place in places if place.is_active}


def _code_hash(pool: UUID, code: str) -> bytes:
    return hashlib.sha256(f"{pool} {code}".encode()).digest()
