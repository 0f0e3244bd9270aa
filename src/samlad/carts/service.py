"""The verbs of carts. Each takes the token of a guest; staff need none (`samlad.carts.access`)."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad import channels, promotions
from samlad.carts import delivery_choice, events, holding, pricing, rules, sharing_store, store
from samlad.carts.access import hash_token, new_token
from samlad.carts.cart_view import build, compose, prices
from samlad.carts.model import (
    Cart,
    CartInput,
    CartKind,
    CartStatus,
    CartView,
    Delivery,
    DetailsInput,
    GiftNote,
    LineChanged,
    LineInput,
    NewCart,
)
from samlad.carts.news import problem_of
from samlad.carts.opening import (
    after_change,
    check_location,
    check_orderable,
    check_prices,
    check_sellable,
    group_of,
    open_cart,
    put,
    take_out,
    till_of,
)
from samlad.carts.permissions import WRITE
from samlad.carts.pricing import Priced
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.promotions import HolderKind
from samlad.tax import checking
from samlad.tax.numbers import customer_number

ABANDONED_AFTER = timedelta(days=30)
SWEEP = 200


async def create(tx: Tx, data: CartInput, *, token: str | None = None) -> NewCart:
    """Begin a cart or a list of wishes in a channel, perhaps with lines. Who is no staff gets a token that opens it.

    A store's cart is a till's: staff sell there, and the goods are carried out of that store. A customer who has a
    live cart in this pool gets that one, with the lines in it, unless the new one has a name of its own. ``token``
    of a cart that its guest had before opens the new one too, so that what they saved stays with them.

    Raises:
        NotFound: no such channel, customer or variant.
        Forbidden: a till's cart, or somebody else's, by somebody who is not staff.
    """
    is_staff = tx.actor.may(WRITE)
    channel = await channels.cached(tx, data.channel)
    if not is_staff and (channel.kind is ChannelKind.STORE or data.customer is not None):
        raise Forbidden("Only staff can sell at a till or begin a cart for somebody.")
    customer = data.customer if is_staff else tx.actor.id if tx.actor.kind == "customer" else None
    wanted: dict[UUID, int] = {}
    for line in data.lines:
        wanted[line.variant] = wanted.get(line.variant, 0) + line.quantity
    planned = {line.variant: line.plan for line in data.lines}
    if customer is not None:
        await sharing_store.queue(tx, customer)
    if tx.actor.kind == "customer" and customer is not None and data.kind == "cart" and data.label is None:
        live = await sharing_store.live_of(tx, customer, channel.pools[Resource.CARTS])
        if live is not None:
            return await _more(tx, live, wanted, planned)
    cart = await new_cart(tx, channel, customer, kind=CartKind(data.kind), label=data.label)
    token = await admit(tx, cart, None if is_staff else token, is_needed=not is_staff)
    fact = events.CartCreated(currency=cart.currency, customer=customer)
    log.append(tx, fact, subject=cart.id, channel=channel.id, profile=customer)
    shown = (
        await put(tx, cart, channel, wanted, planned=planned)
        if wanted
        else build(cart, Priced(sellables={}), None, channel)
    )
    return as_new(shown, token)


async def new_cart(
    tx: Tx,
    channel: Channel,
    customer: UUID | None,
    *,
    kind: CartKind = CartKind.CART,
    label: str | None = None,
    **fields: Any,
) -> Cart:
    """A cart that `admit` writes."""
    moment = now()
    till = await till_of(tx, channel) if channel.kind is ChannelKind.STORE and kind is CartKind.CART else None
    is_only = await sharing_store.is_only(tx, customer, channel.pools[Resource.CARTS])
    return Cart(
        id=new_id(),
        pool=channel.pools[Resource.CARTS],
        channel=channel.id,
        customer=customer,
        customer_group=await group_of(tx, customer, channel),
        currency=channel.currency,
        status=CartStatus.OPEN,
        email=None,
        name=None,
        phone=None,
        address=None,
        delivery=None if till is None else Delivery.CARRY_OUT,
        location=None if till is None else till.id,
        checkout_until=None,
        order_id=None,
        version=1,
        created_at=moment,
        updated_at=moment,
        kind=kind,
        label=label,
        is_current=is_only and label is None,
        **fields,
    )


async def admit(tx: Tx, cart: Cart, token: str | None, *, is_needed: bool) -> str | None:
    """Write a new cart and say by which token it opens: the one that its guest has, else a new one if needed."""
    if token is not None and await sharing_store.is_known(tx, hash_token(token)):
        await store.insert(tx, cart, None)
        await sharing_store.add_token(tx, cart.id, hash_token(token), "kept")
        return token
    token, token_hash = new_token() if is_needed else (None, None)
    await store.insert(tx, cart, token_hash)
    return token


def as_new(shown: CartView, token: str | None) -> NewCart:
    """A cart's view with the token that is told only now."""
    return NewCart(**{name: getattr(shown, name) for name in CartView.__struct_fields__}, token=token)


async def _more(
    tx: Tx, cart_id: UUID, wanted: Mapping[UUID, int], planned: Mapping[UUID, UUID | None]
) -> NewCart:
    """A customer's live cart, with more in it."""
    cart, channel = await open_cart(tx, cart_id, None, None, reopen=bool(wanted))
    has = sharing_store.quantities(cart.lines)
    more = {variant: has.get(variant, 0) + quantity for variant, quantity in wanted.items()}
    shown = await put(tx, cart, channel, more, planned=planned) if more else await compose(tx, cart, channel)
    return as_new(shown, None)


async def add_line(
    tx: Tx, cart_id: UUID, data: LineInput, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Put something in; what is there already becomes more, and is bought by the selling plan that is named now.

    Raises:
        NotFound: no such cart. CartClosed: it was ordered or given up. Outdated: not the version that was seen.
        NotSellable: the channel does not sell this variant. SoldOut: it holds in carts, and there is not enough.
        InvalidInput: too many of it, or too many lines.
    """
    cart, channel = await open_cart(tx, cart_id, token, version)
    before = sharing_store.quantities(cart.lines)
    more = {data.variant: before.get(data.variant, 0) + data.quantity}
    return await put(tx, cart, channel, more, planned={data.variant: data.plan})


async def change_line(
    tx: Tx,
    cart_id: UUID,
    line_id: UUID,
    quantity: int | None = None,
    *,
    gift_note: GiftNote | msgspec.UnsetType | None = msgspec.UNSET,
    line_version: int | None = None,
    token: str | None = None,
    version: int | None = None,
) -> CartView:
    """Set how many of a line there are (0 takes it out), or the gift note on it.

    ``line_version`` is the one that was seen: two who change different lines never clash, of two who change the same
    one the later is told. Without it the later one has the last word.

    Raises:
        LineChanged: somebody changed or took out the line since.
    """
    cart, channel = await open_cart(tx, cart_id, token, version)
    line = next((line for line in cart.lines if line.id == line_id), None)
    if line_version is not None and (line is None or line.version != line_version):
        raise LineChanged(
            "It was taken out." if line is None else f"There are {line.quantity} of it now.",
            line=None if line is None else msgspec.to_builtins(line),
        )
    if line is None:
        raise NotFound("There is no such line in this cart (any more).")
    if quantity == 0:
        return await after_change(tx, await take_out(tx, cart, channel, line), channel)
    if gift_note is not msgspec.UNSET and gift_note != line.gift_note:
        noted = msgspec.structs.replace(line, gift_note=gift_note or None, changed_by=tx.actor.kind)
        await store.put_lines(tx, cart.id, [noted])
        fact = events.CartLineNoted(variant=line.variant, gift_note=gift_note or None)
        log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
        cart = msgspec.structs.replace(cart, lines=await store.lines_of(tx, cart.id))
    if quantity is None:
        return await compose(tx, await holding.keep_up(tx, cart, channel), channel)
    return await put(tx, cart, channel, {line.variant: quantity})


async def remove_line(
    tx: Tx,
    cart_id: UUID,
    line_id: UUID,
    *,
    line_version: int | None = None,
    token: str | None = None,
    version: int | None = None,
) -> CartView:
    """Take a line out."""
    return await change_line(tx, cart_id, line_id, 0, line_version=line_version, token=token, version=version)


async def set_details(
    tx: Tx, cart_id: UUID, data: DetailsInput, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Say who buys and how they get it. Another way of delivery or place ends a checkout that is under way.

    Raises:
        InvalidInput: the address or the VAT number cannot be right, the place is none where this channel's goods can be
            picked up.
        Forbidden: only staff may say whose cart it is.
    """
    wanted = {
        name: getattr(data, name)
        for name in DetailsInput.__struct_fields__
        if getattr(data, name) is not msgspec.UNSET
    }
    cards.refuse({name: wanted[name] for name in ("name", "address") if name in wanted})
    if "customer" in wanted and not tx.actor.may(WRITE):
        raise Forbidden("Only staff can say whose cart it is.")
    moves = bool({"delivery", "delivery_method", "location"} & wanted.keys())
    if wanted.get("customer") is not None:
        await sharing_store.queue(tx, wanted["customer"])
    cart, channel = await open_cart(tx, cart_id, token, version, reopen=moves)
    if wanted.get("address") is not None:
        faults = rules.address_errors(wanted["address"])
        if faults:
            raise InvalidInput("The address cannot be right.", errors=tuple(faults))
        wanted["address"] = rules.tidy(wanted["address"])
    if wanted.get("vat_number") is not None:
        wanted["vat_number"] = await _vat_number(tx, channel, wanted["vat_number"])
    if wanted.get("location") is not None:
        await check_location(tx, wanted["location"], channel)
    if "customer" in wanted:
        wanted["customer_group"] = await group_of(tx, wanted["customer"], channel)
        if wanted["customer"] != cart.customer:
            wanted["is_current"] = await sharing_store.is_only(tx, wanted["customer"], cart.pool)
        if wanted["customer"] is not None:
            await promotions.hand_on(tx, cart.id, wanted["customer"], HolderKind.CUSTOMER)
    cart, wanted = await delivery_choice.choose(tx, cart, channel, wanted)
    if wanted:
        await store.set_fields(tx, cart.id, wanted)
        told = msgspec.to_builtins(wanted)
        fact = events.CartDetailsSet(fields=sorted(set(wanted) - {"is_current"}), details=told)
        log.append(
            tx, fact, subject=cart.id, channel=cart.channel, profile=wanted.get("customer", cart.customer)
        )
    cart = msgspec.structs.replace(cart, **wanted)
    if cart.status is CartStatus.OPEN:
        cart = await holding.keep_up(tx, cart, channel, moved=moves)
    return await after_change(tx, cart, channel)


async def _vat_number(tx: Tx, channel: Channel, text: str) -> str | None:
    """A VAT number as it is kept, noted to be checked. Blank is none."""
    if not text.strip():
        return None
    if channel.setting("tax_vat_number") == "off" and not tx.actor.may(WRITE):
        raise InvalidInput.at("vat_number", f"{channel.code} does not sell by VAT number")
    number = customer_number(text)
    await checking.note(tx, number)
    return number


async def accept_prices(
    tx: Tx, cart_id: UUID, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Agree to the prices of now, and take note of what is short. The price of a quote stands while it lasts."""
    cart, channel = await open_cart(tx, cart_id, token, version)
    sellables = await prices(tx, cart, channel)
    current = check_sellable(cart, sellables)
    available = await holding.available(tx, cart, channel, list(current)) if current else {}
    agreed = [
        line
        if rules.price_stands(line, now())
        else msgspec.structs.replace(
            line,
            unit_price=current[line.variant],
            price_until=None,
            problem=problem_of(sellables[line.variant], available.get(line.variant, 0), line.quantity),
        )
        for line in cart.lines
    ]
    news = [line for line, before in zip(agreed, cart.lines, strict=True) if line != before]
    if news:
        await store.put_lines(tx, cart.id, news)
        moved = rules.moved_prices(
            [line for line in cart.lines if not rules.price_stands(line, now())], current
        )
        fact = events.CartPricesAccepted(lines=moved)
        log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
    cart = msgspec.structs.replace(cart, lines=await store.lines_of(tx, cart.id))
    priced = await pricing.price(tx, cart, channel, sellables)
    return build(cart, await pricing.keep(tx, cart, priced, accept=True), available, channel)


async def checkout(
    tx: Tx, cart_id: UUID, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Begin to pay: for `checkout_hold_seconds` prices stand, and stock is held if the channel's policy says so.

    Asked again it begins anew: the time runs from now.

    Raises:
        InvalidInput: the cart is empty.
        NotSellable, PriceChanged: something in it cannot be had here any more, or costs something else now.
        SoldOut: there is not enough; nothing is held.
    """
    cart, channel = await open_cart(tx, cart_id, token, version)
    check_orderable(cart)
    if not cart.lines:
        raise InvalidInput.at("lines", "the cart is empty")
    sellables = await prices(tx, cart, channel)
    priced = await pricing.price(tx, cart, channel, sellables)
    check_prices(cart, check_sellable(cart, sellables), priced.moved)
    priced = await pricing.keep(tx, cart, priced)
    until = now() + timedelta(seconds=channel.setting("checkout_hold_seconds"))
    is_held = await holding.for_checkout(tx, cart, channel, until)
    held_until = until if is_held and cart.held_until else None
    values = {"status": CartStatus.CHECKOUT, "checkout_until": until, "held_until": held_until}
    await store.set_fields(tx, cart.id, values)
    shown = build(
        msgspec.structs.replace(cart, **values),
        priced,
        None,
        channel,
    )
    fact = events.CheckoutStarted(total=shown.totals.total, currency=cart.currency, held=is_held)
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
    return shown


async def reopen(tx: Tx, cart_id: UUID, *, token: str | None = None) -> CartView:
    """Back to shopping: what was held is free again, prices are those of the moment."""
    cart, channel = await open_cart(tx, cart_id, token, None)
    return await compose(tx, cart, channel)


async def sweep(tx: Tx) -> tuple[int, int]:
    """Put back carts whose checkout ran out, close those that nobody touched for 30 days; how many of each.

    At most 200 of each at a time; run it again until it answers (0, 0). Their holds had an expiry of their own.
    """
    expired = await store.expired_checkouts(tx, SWEEP)
    for cart, channel in expired:
        log.append(tx, events.CartReopened(expired=True), subject=cart, channel=channel)
    abandoned = await store.abandon(tx, now() - ABANDONED_AFTER, SWEEP)
    for cart, channel, customer, lines in abandoned:
        log.append(tx, events.CartAbandoned(lines=lines), subject=cart, channel=channel, profile=customer)
    return len(expired), len(abandoned)
