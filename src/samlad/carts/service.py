"""The verbs of carts. Each takes the token of a guest; staff need none (`samlad.carts.access`)."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from samlad import channels, customers, promotions, stock
from samlad.carts import delivery_choice, events, pricing, rules, store
from samlad.carts.access import access_of, new_token
from samlad.carts.cart_view import build, compose, prices, show
from samlad.carts.model import (
    LARGEST_QUANTITY,
    MOST_LINES,
    Cart,
    CartClosed,
    CartInput,
    CartLine,
    CartStatus,
    CartView,
    Delivery,
    DetailsInput,
    LineInput,
    MovedPromotion,
    NewCart,
    NotSellable,
    PriceChanged,
)
from samlad.carts.permissions import WRITE
from samlad.carts.pricing import Priced
from samlad.catalog import Sellable
from samlad.channels import Channel, ChannelKind, Resource
from samlad.kernel import cards, log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.promotions import HolderKind
from samlad.stock import HoldKind, HoldLine, Location

ABANDONED_AFTER = timedelta(days=30)
SWEEP = 200


async def create(tx: Tx, data: CartInput) -> NewCart:
    """Begin a cart in a channel, perhaps with lines. Who is no staff gets a token that opens it.

    A store's cart is a till's: staff sell there, and the goods are carried out of that store.

    Raises:
        NotFound: no such channel, customer or variant.
        Forbidden: a till's cart, or somebody else's, by somebody who is not staff.
    """
    is_staff = tx.actor.may(WRITE)
    channel = await channels.cached(tx, data.channel)
    if not is_staff and (channel.kind is ChannelKind.STORE or data.customer is not None):
        raise Forbidden("Only staff can sell at a till or begin a cart for somebody.")
    token, token_hash = (None, None) if is_staff else new_token()
    customer = data.customer if is_staff else tx.actor.id if tx.actor.kind == "customer" else None
    till = await _till(tx, channel) if channel.kind is ChannelKind.STORE else None
    moment = now()
    cart = Cart(
        id=new_id(),
        pool=channel.pools[Resource.CARTS],
        channel=channel.id,
        customer=customer,
        customer_group=await _group_of(tx, customer, channel),
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
    )
    await store.insert(tx, cart, token_hash)
    fact = events.CartCreated(currency=cart.currency, customer=customer)
    log.append(tx, fact, subject=cart.id, channel=channel.id, profile=customer)
    wanted: dict[UUID, int] = {}
    for line in data.lines:
        wanted[line.variant] = wanted.get(line.variant, 0) + line.quantity
    shown = (
        await _put(tx, cart, channel, wanted) if wanted else build(cart, Priced(sellables={}), None, channel)
    )
    return NewCart(**{name: getattr(shown, name) for name in CartView.__struct_fields__}, token=token)


async def add_line(
    tx: Tx, cart_id: UUID, data: LineInput, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Put something in; what is there already becomes more.

    Raises:
        NotFound: no such cart. CartClosed: it was ordered or given up. Outdated: not the version that was seen.
        NotSellable: the channel does not sell this variant.
        InvalidInput: too many of it, or too many lines.
    """
    cart, channel = await _open(tx, cart_id, token, version)
    before = {line.variant: line.quantity for line in cart.lines}
    return await _put(tx, cart, channel, {data.variant: before.get(data.variant, 0) + data.quantity})


async def change_line(
    tx: Tx,
    cart_id: UUID,
    line_id: UUID,
    quantity: int,
    *,
    token: str | None = None,
    version: int | None = None,
) -> CartView:
    """Set how many of a line there are; 0 takes it out."""
    cart, channel = await _open(tx, cart_id, token, version)
    line = next((line for line in cart.lines if line.id == line_id), None)
    if line is None:
        raise NotFound("There is no such line in this cart.")
    if quantity > 0:
        return await _put(tx, cart, channel, {line.variant: quantity})
    await store.delete_line(tx, line.id)
    _tell_line(tx, cart, line, 0)
    rest = [other for other in cart.lines if other is not line]
    return await after_change(tx, msgspec.structs.replace(cart, lines=rest), channel)


async def remove_line(
    tx: Tx, cart_id: UUID, line_id: UUID, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Take a line out."""
    return await change_line(tx, cart_id, line_id, 0, token=token, version=version)


async def set_details(
    tx: Tx, cart_id: UUID, data: DetailsInput, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Say who buys and how they get it. Another way of delivery or place ends a checkout that is under way.

    Raises:
        InvalidInput: the address cannot be right, the place is none where this channel's goods can be picked up.
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
    cart, channel = await _open(tx, cart_id, token, version, reopen=moves)
    if wanted.get("address") is not None:
        faults = rules.address_errors(wanted["address"])
        if faults:
            raise InvalidInput("The address cannot be right.", errors=tuple(faults))
        wanted["address"] = rules.tidy(wanted["address"])
    if wanted.get("location") is not None:
        await _check_location(tx, wanted["location"], channel)
    if "customer" in wanted:
        wanted["customer_group"] = await _group_of(tx, wanted["customer"], channel)
        if wanted["customer"] is not None:
            await promotions.hand_on(tx, cart.id, wanted["customer"], HolderKind.CUSTOMER)
    cart, wanted = await delivery_choice.choose(tx, cart, channel, wanted)
    if wanted:
        await store.set_fields(tx, cart.id, wanted)
        told = msgspec.to_builtins(wanted)
        fact = events.CartDetailsSet(fields=sorted(wanted), details=told)
        log.append(
            tx, fact, subject=cart.id, channel=cart.channel, profile=wanted.get("customer", cart.customer)
        )
    return await after_change(tx, msgspec.structs.replace(cart, **wanted), channel)


async def accept_prices(
    tx: Tx, cart_id: UUID, *, token: str | None = None, version: int | None = None
) -> CartView:
    """Agree to the prices of now."""
    cart, channel = await _open(tx, cart_id, token, version)
    sellables = await prices(tx, cart, channel)
    current = check_sellable(cart, sellables)
    moved = rules.moved_prices(cart.lines, current)
    if moved:
        await store.put_lines(
            tx, cart.id, [(line.variant, line.quantity, current[line.variant]) for line in cart.lines]
        )
        log.append(tx, events.CartPricesAccepted(lines=moved), subject=cart.id, channel=cart.channel)
    agreed = [msgspec.structs.replace(line, unit_price=current[line.variant]) for line in cart.lines]
    cart = msgspec.structs.replace(cart, lines=agreed)
    priced = await pricing.price(tx, cart, channel, sellables)
    return await show(tx, cart, await pricing.keep(tx, cart, priced, accept=True), channel)


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
    cart, channel = await _open(tx, cart_id, token, version)
    if not cart.lines:
        raise InvalidInput.at("lines", "the cart is empty")
    sellables = await prices(tx, cart, channel)
    priced = await pricing.price(tx, cart, channel, sellables)
    check_prices(cart, check_sellable(cart, sellables), priced.moved)
    priced = await pricing.keep(tx, cart, priced)
    until = now() + timedelta(seconds=channel.setting("checkout_hold_seconds"))
    is_held = channel.setting("hold_policy") == "checkout"
    if is_held:
        await stock.take(
            tx, hold_lines(cart), channel=channel, kind=HoldKind.CHECKOUT, owner=cart.id, expires_at=until
        )
    await store.set_fields(tx, cart.id, {"status": CartStatus.CHECKOUT, "checkout_until": until})
    shown = build(
        msgspec.structs.replace(cart, status=CartStatus.CHECKOUT, checkout_until=until),
        priced,
        None,
        channel,
    )
    fact = events.CheckoutStarted(total=shown.totals.total, currency=cart.currency, held=is_held)
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
    return shown


async def reopen(tx: Tx, cart_id: UUID, *, token: str | None = None) -> CartView:
    """Back to shopping: what was held is free again, prices are those of the moment."""
    cart, channel = await _open(tx, cart_id, token, None)
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


def check_sellable(cart: Cart, sellables: dict[UUID, Sellable]) -> dict[UUID, int]:
    """The price of each variant in the cart.

    Raises:
        NotSellable: the channel does not sell one of them.
    """
    found, missing = {}, []
    for line in cart.lines:
        sellable = sellables.get(line.variant)
        if sellable is None or sellable.price is None or not sellable.is_available:
            missing.append(str(line.variant))
        else:
            found[line.variant] = sellable.price
    if missing:
        raise NotSellable("Take these out to go on.", lines=missing)
    return found


def check_prices(cart: Cart, current: dict[UUID, int], gone: Sequence[MovedPromotion] = ()) -> None:
    """Raises PriceChanged if a price is another one, or a promotion takes off less, than was last agreed to."""
    moved = rules.moved_prices(cart.lines, current)
    if moved or gone:
        raise PriceChanged(
            "Accept the new prices to go on.", lines=moved, promotions=msgspec.to_builtins(list(gone))
        )


def hold_lines(cart: Cart) -> list[HoldLine]:
    """What to hold: at the place of hand-over if there is one, else wherever stock is."""
    place = rules.held_at(cart)
    return [HoldLine(variant=line.variant, quantity=line.quantity, location=place) for line in cart.lines]


async def _open(
    tx: Tx, cart_id: UUID, token: str | None, version: int | None, *, reopen: bool = True
) -> tuple[Cart, Channel]:
    """Lock a cart for a change, and take it out of checkout unless the change leaves that alone."""
    cart = await store.lock(tx, cart_id, access_of(tx.actor, token))
    if cart is None:
        raise NotFound("There is no such cart, or its token is not the right one.")
    if cart.status in (CartStatus.ORDERED, CartStatus.ABANDONED):
        raise CartClosed(f"It is {cart.status}.", order=None if cart.order_id is None else str(cart.order_id))
    check_version(version, cart.version - 1)
    if cart.status is CartStatus.CHECKOUT and reopen:
        await stock.release(tx, cart.id)
        await store.set_fields(tx, cart.id, {"status": CartStatus.OPEN, "checkout_until": None})
        log.append(tx, events.CartReopened(), subject=cart.id, channel=cart.channel)
        cart = msgspec.structs.replace(cart, status=CartStatus.OPEN, checkout_until=None)
    cart = msgspec.structs.replace(cart, lines=await store.lines_of(tx, cart.id))
    return await delivery_choice.with_method(tx, cart), await channels.cached(tx, cart.channel)


async def _put(tx: Tx, cart: Cart, channel: Channel, wanted: dict[UUID, int]) -> CartView:
    """Set quantities of variants, at the prices of now, and show the cart."""
    before = {line.variant: line for line in cart.lines}
    for variant, quantity in wanted.items():
        if quantity > LARGEST_QUANTITY:
            raise InvalidInput.at("quantity", f"at most {LARGEST_QUANTITY} of one thing")
        line = before.get(variant) or CartLine(id=new_id(), variant=variant, quantity=0, unit_price=0)
        before[variant] = msgspec.structs.replace(line, quantity=quantity)
    if len(before) > MOST_LINES:
        raise InvalidInput.at("lines", f"at most {MOST_LINES} different things")
    was = {line.variant: line.quantity for line in cart.lines}
    cart = msgspec.structs.replace(cart, lines=list(before.values()))
    sellables = await prices(tx, cart, channel)
    touched = msgspec.structs.replace(cart, lines=[before[variant] for variant in wanted])
    current = check_sellable(touched, sellables)
    await store.put_lines(
        tx, cart.id, [(variant, quantity, current[variant]) for variant, quantity in wanted.items()]
    )
    for variant, quantity in wanted.items():
        line = msgspec.structs.replace(
            before[variant], quantity=was.get(variant, 0), unit_price=current[variant]
        )
        _tell_line(tx, cart, line, quantity)
    lines = await store.lines_of(tx, cart.id)
    cart = msgspec.structs.replace(cart, lines=lines)
    priced = await pricing.keep(tx, cart, await pricing.price(tx, cart, channel, sellables))
    available = await stock.atp(tx, channel, list(before), carry_out=cart.delivery is Delivery.CARRY_OUT)
    return build(cart, priced, available, channel)


async def after_change(tx: Tx, cart: Cart, channel: Channel) -> CartView:
    """The view after a change that may have changed what promotions take off: what is shown now is kept."""
    priced = await pricing.price(tx, cart, channel, await prices(tx, cart, channel) if cart.lines else {})
    return await show(tx, cart, await pricing.keep(tx, cart, priced), channel)


def _tell_line(tx: Tx, cart: Cart, line: CartLine, quantity: int) -> None:
    fact = events.CartLineChanged(
        variant=line.variant, quantity_before=line.quantity, quantity=quantity, unit_price=line.unit_price
    )
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)


async def _group_of(tx: Tx, customer: UUID | None, channel: Channel) -> str | None:
    """The customer's group. Raises NotFound for a customer of another pool."""
    if customer is None:
        return None
    found = await customers.get(tx, customer)
    if found is None or found.pool != channel.pools[Resource.CUSTOMERS]:
        raise NotFound("There is no such customer in this channel.")
    return found.group_name


async def _till(tx: Tx, channel: Channel) -> Location:
    """The location of a store's own stock. Raises InvalidInput if it has none."""
    for place in await stock.locations(tx, channel.pools[Resource.STOCK]):
        if place.channel == channel.id and place.is_active:
            return place
    raise InvalidInput.at("channel", "this store has no location of its own that is active")


async def _check_location(tx: Tx, location: UUID, channel: Channel) -> None:
    places = await stock.locations(tx, channel.pools[Resource.STOCK])
    if location not in {place.id for place in places if place.is_active}:
        raise InvalidInput.at("location", "goods of this channel cannot be handed over there")
