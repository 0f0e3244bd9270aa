"""The verbs of carts. Each takes the token of a guest; staff need none (`samlad.carts.access`)."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any, cast
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
    Delivery,
    DetailsInput,
    GiftNote,
    LineChanged,
    LineInput,
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
from samlad.carts.view_model import CartView, NewCart
from samlad.channels import Channel, ChannelKind, Resource
from samlad.delivery import Promised
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.kernel.together import Together
from samlad.promotions import HolderKind
from samlad.stock import reach
from samlad.tax import checking
from samlad.tax.numbers import customer_number

AT_TILL = "Only staff can sell at a till or begin a cart for somebody."
ABANDONED_AFTER = timedelta(days=30)
SWEEP = 200


class NewCarts(Together):
    """Carts that are begun at the same time, in one transaction."""


async def create(tx: Tx, data: CartInput, *, token: str | None = None, is_last: bool = False) -> NewCart:
    """Begin a cart or a list of wishes in a channel, perhaps with lines. Who is no staff gets a token that opens it.

    A store's cart is a till's: staff sell there, and the goods are carried out of that store. A customer who has a
    live cart in this pool gets that one, with the lines in it, unless the new one has a name of its own. ``token``
    of a cart that its guest had before opens the new one too, so that what they saved stays with them. ``is_last``: the
    transaction does nothing with it afterwards, so it is written with the events.

    Raises:
        NotFound: no such channel, customer or variant.
        Forbidden: a till's cart, or somebody else's, by somebody who is not staff.
    """
    is_staff = tx.actor.may(WRITE)
    channel = await channels.cached(tx, data.channel)
    if not is_staff and (channel.kind is ChannelKind.STORE or data.customer is not None):
        raise Forbidden(AT_TILL)
    if is_staff:
        await reach.require(tx, Resource.CARTS, channel.pools[Resource.CARTS])
    customer = data.customer if is_staff else tx.actor.id if tx.actor.kind == "customer" else None
    details = _details_of_new(data)
    wanted: dict[UUID, int] = {}
    for line in data.lines:
        wanted[line.variant] = wanted.get(line.variant, 0) + line.quantity
    planned = {line.variant: line.plan for line in data.lines}
    if customer is not None:
        await sharing_store.queue(tx, customer)
    if tx.actor.kind == "customer" and customer is not None and data.kind == "cart" and data.label is None:
        live = await sharing_store.live_of(tx, customer, channel.pools[Resource.CARTS])
        if live is not None:
            return await _more(tx, live, wanted, planned, details)
    cart = await new_cart(tx, channel, customer, kind=CartKind(data.kind), label=data.label)
    cart, said = await _with_new(tx, cart, channel, details)
    admission = await _admission(tx, None if is_staff else token, is_needed=not is_staff)
    is_late = is_last and not admission.is_kept
    if not is_late:
        await _write_new(tx, cart, admission)
    fact = events.CartCreated(currency=cart.currency, customer=customer)
    log.append(tx, fact, subject=cart.id, channel=channel.id, profile=customer)
    _tell(tx, cart, said)
    write = partial(store.insert_later, tx, token_hash=admission.token_hash) if is_late else None
    if wanted:
        return as_new(await put(tx, cart, channel, wanted, planned=planned, write=write), admission.token)
    if write is not None:
        write(cart)
    return as_new(build(cart, Priced(sellables={}), None, channel), admission.token)


def _details_of_new(data: CartInput) -> dict[str, Any]:
    """What is said of who buys, with the cart.

    Raises:
        InvalidInput: something that the cart itself says.
    """
    details = {} if data.details is None else _said(data.details)
    for name in ("customer", "label"):
        if name in details:
            raise InvalidInput.at(f"details/{name}", f"say it as “{name}” of the cart")
    return details


async def new_cart(
    tx: Tx,
    channel: Channel,
    customer: UUID | None,
    *,
    kind: CartKind = CartKind.CART,
    label: str | None = None,
    **fields: Any,
) -> Cart:
    """A cart that `admit` writes.

    Raises:
        CardNumber: what it is called looks like one.
    """
    cards.refuse(label, "label")
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


class _Admission(msgspec.Struct, frozen=True):
    """By which token a new cart opens; ``is_kept``: its guest has had it before."""

    token: str | None
    token_hash: bytes | None
    is_kept: bool = False


async def admit(tx: Tx, cart: Cart, token: str | None, *, is_needed: bool) -> str | None:
    """Write a new cart and say by which token it opens: the one that its guest has, else a new one if needed."""
    admission = await _admission(tx, token, is_needed=is_needed)
    await _write_new(tx, cart, admission)
    return admission.token


async def _admission(tx: Tx, token: str | None, *, is_needed: bool) -> _Admission:
    if token is not None and await sharing_store.is_known(tx, hash_token(token)):
        return _Admission(token, hash_token(token), is_kept=True)
    return _Admission(*new_token()) if is_needed else _Admission(None, None)


async def _write_new(tx: Tx, cart: Cart, admission: _Admission) -> None:
    if not admission.is_kept:
        await store.insert(tx, cart, admission.token_hash)
        return
    await store.insert(tx, cart, None)
    await sharing_store.add_token(tx, cart.id, cast("bytes", admission.token_hash), "kept")


def as_new(shown: CartView, token: str | None) -> NewCart:
    """A cart's view with the token that is told only now."""
    return NewCart(**{name: getattr(shown, name) for name in CartView.__struct_fields__}, token=token)


async def _more(
    tx: Tx,
    cart_id: UUID,
    wanted: Mapping[UUID, int],
    planned: Mapping[UUID, UUID | None],
    details: dict[str, Any],
) -> NewCart:
    """A customer's live cart, with more in it."""
    moves = not _MOVING.isdisjoint(details)
    cart, channel = await open_cart(tx, cart_id, None, None, reopen=bool(wanted) or moves)
    cart, said = await _with_new(tx, cart, channel, details)
    await _write(tx, cart, said)
    if moves:
        cart = await holding.keep_up(tx, cart, channel, moved=True)
    has = sharing_store.quantities(cart.lines)
    more = {variant: has.get(variant, 0) + quantity for variant, quantity in wanted.items()}
    if more:
        return as_new(await put(tx, cart, channel, more, planned=planned), None)
    shown = await (after_change if details else compose)(tx, cart, channel)
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
    cards.refuse(None if gift_note is msgspec.UNSET else gift_note, "gift_note")
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
        Forbidden: only staff may say whose cart it is, and that goods are carried out of a store.
    """
    wanted = _said(data)
    if "customer" in wanted and not tx.actor.may(WRITE):
        raise Forbidden("Only staff can say whose cart it is.")
    moves = not _MOVING.isdisjoint(wanted)
    if wanted.get("customer") is not None:
        await sharing_store.queue(tx, wanted["customer"])
    cart, channel = await open_cart(tx, cart_id, token, version, reopen=moves)
    cart, wanted = await _with(tx, cart, channel, wanted)
    await _write(tx, cart, wanted)
    if cart.status is CartStatus.OPEN:
        cart = await holding.keep_up(tx, cart, channel, moved=moves)
    return await after_change(tx, cart, channel)


_MOVING = frozenset({"delivery", "delivery_method", "location"})
"""What decides where the goods are taken from."""


_WORDS = ("name", "address", "label", "note", "gift_note")
"""What people write in their own words. A phone number of 13 digits could pass for a card's."""


def _said(data: DetailsInput) -> dict[str, Any]:
    """What is named, as it is to be.

    Raises:
        CardNumber: it looks like one.
    """
    said = {
        name: value
        for name in DetailsInput.__struct_fields__
        if (value := getattr(data, name)) is not msgspec.UNSET
    }
    cards.refuse({name: said[name] for name in _WORDS if name in said})
    return said


async def _with(tx: Tx, cart: Cart, channel: Channel, wanted: dict[str, Any]) -> tuple[Cart, dict[str, Any]]:
    """A cart as it is to be, and its columns that are said, once they were checked.

    Raises:
        InvalidInput: the address, the VAT number, the place or the method cannot be right.
        Forbidden: goods are carried out of a store, and nobody of its staff says so.
    """
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
            wanted["is_current"] = cart.label is None and await sharing_store.is_only(
                tx, wanted["customer"], cart.pool
            )
        if wanted["customer"] is not None:
            await promotions.hand_on(tx, cart.id, wanted["customer"], HolderKind.CUSTOMER)
    cart, wanted = await delivery_choice.choose(tx, cart, channel, wanted)
    if wanted.get("delivery") is Delivery.CARRY_OUT and not tx.actor.may(WRITE):
        raise Forbidden(AT_TILL)
    return msgspec.structs.replace(cart, **wanted), wanted


async def _with_new(
    tx: Tx, cart: Cart, channel: Channel, details: dict[str, Any]
) -> tuple[Cart, dict[str, Any]]:
    """The same for what is said with a new cart: what is wrong is wrong there."""
    try:
        return await _with(tx, cart, channel, details)
    except InvalidInput as refused:
        raise refused.under("details") from None


async def _write(tx: Tx, cart: Cart, said: dict[str, Any]) -> None:
    """Write and tell what is said of a cart that is there; nothing if nothing is."""
    if said:
        await store.set_fields(tx, cart.id, said)
        _tell(tx, cart, said)


def _tell(tx: Tx, cart: Cart, said: dict[str, Any]) -> None:
    if said:
        fact = events.CartDetailsSet(
            fields=sorted(set(said) - {"is_current"}), details=msgspec.to_builtins(said)
        )
        log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)


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
    available = await holding.available(tx, cart, channel) if current else {}
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
    tx: Tx,
    cart_id: UUID,
    *,
    token: str | None = None,
    version: int | None = None,
    promise: Promised | msgspec.UnsetType | None = msgspec.UNSET,
) -> CartView:
    """Begin to pay: for `checkout_hold_seconds` prices stand, and stock is held if the channel's policy says so.

    Asked again it begins anew: the time runs from now. ``promise``: what the buyer is shown for the chosen method, for
    the order that the cart becomes.

    Raises:
        InvalidInput: the cart is empty.
        NotSellable, PriceChanged: something in it cannot be had here any more, or costs something else now.
        SoldOut: there is not enough; nothing is held.
    """
    cart, channel = await open_cart(tx, cart_id, token, version, looks=True)
    check_orderable(cart)
    if not cart.lines:
        raise InvalidInput.at("lines", "the cart is empty")
    if channel.setting("hold_policy") != "none" and holding.is_gone(cart, channel):
        await holding.refuse_short(tx, cart, channel)
    sellables = await prices(tx, cart, channel)
    priced = await pricing.price(tx, cart, channel, sellables)
    check_prices(cart, check_sellable(cart, sellables), priced.moved)
    priced = await pricing.keep(tx, cart, priced)
    until = now() + timedelta(seconds=channel.setting("checkout_hold_seconds"))
    is_held = await holding.for_checkout(tx, cart, channel, until)
    held_until = until if is_held and cart.held_until else None
    values = {"status": CartStatus.CHECKOUT, "checkout_until": until, "held_until": held_until}
    if promise is not msgspec.UNSET:
        values["promise"] = promise
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
