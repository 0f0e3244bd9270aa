"""What every verb begins and ends with: a cart locked for a change, its lines written, the cart shown."""

from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

import msgspec

from samlad import channels, customers, delivery, stock
from samlad.carts import delivery_choice, events, holding, pricing, rules, set_rules, sharing_store, store
from samlad.carts.access import access_of
from samlad.carts.cart_view import build, prices, show
from samlad.carts.model import (
    LARGEST_QUANTITY,
    MOST_LINES,
    OVER,
    Cart,
    CartClosed,
    CartKind,
    CartLine,
    CartStatus,
    MovedPromotion,
    NotSellable,
    PriceChanged,
)
from samlad.carts.news import problem_of
from samlad.carts.view_model import CartView
from samlad.catalog import Sellable
from samlad.channels import Channel, Resource
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.stock import Location

NO_CART = "There is no such cart, or its token is not the right one."
MOST_MERGES = 8
"""So many carts are followed from one that was merged to the one that goes on."""


async def open_cart(
    tx: Tx, cart_id: UUID, token: str | None, version: int | None, *, reopen: bool = True, looks: bool = False
) -> tuple[Cart, Channel]:
    """Lock a cart for a change, and take it out of checkout or parking unless the change leaves that alone.

    ``looks``: with a look at whether what is in it can be had (`holding.is_gone`). A cart that was merged stands for the one that it went into.

    Raises:
        NotFound: no such cart, or not this actor's. CartClosed: ordered or given up. Outdated: not the version seen.
    """
    access = access_of(tx.actor, token)
    cart = await store.lock(tx, cart_id, access, looks=looks)
    for _ in range(MOST_MERGES):
        if cart is None or cart.merged_into is None:
            break
        cart = await store.lock(tx, cart.merged_into, access, looks=looks)
    if cart is None:
        raise NotFound(NO_CART)
    if cart.status in OVER:
        raise CartClosed(f"It is {cart.status}.", order=None if cart.order_id is None else str(cart.order_id))
    check_version(version, cart.version - 1)
    channel = await channels.cached(tx, cart.channel)
    if cart.status is not CartStatus.OPEN and reopen:
        cart = await back_to_open(tx, cart, channel)
    return await delivery_choice.with_method(tx, cart), channel


async def open_known(tx: Tx, cart_id: UUID) -> tuple[Cart, Channel]:
    """Lock a cart that one this actor may open leads to, though they may not open it themselves."""
    cart = await store.lock(tx, cart_id, store.Access(any=True))
    assert cart is not None  # a cart is never deleted
    return await delivery_choice.with_method(tx, cart), await channels.cached(tx, cart.channel)


async def back_to_open(tx: Tx, cart: Cart, channel: Channel) -> Cart:
    """Out of a checkout or parking: what was held is free, or held on where the channel holds in carts."""
    if cart.promise is not None and cart.promise.slot is not None:
        await delivery.give_slot_back(tx, cart.id)
    until = await holding.let_go(tx, cart, channel)
    is_current = cart.is_current and (
        cart.status is CartStatus.CHECKOUT or await sharing_store.is_only(tx, cart.customer, cart.pool)
    )
    values = {
        "status": CartStatus.OPEN,
        "checkout_until": None,
        "held_until": until,
        "is_current": is_current,
    }
    await store.set_fields(tx, cart.id, values)
    fact = events.CartResumed() if cart.status is CartStatus.PARKED else events.CartReopened()
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)
    return msgspec.structs.replace(cart, **values)


async def put(
    tx: Tx,
    cart: Cart,
    channel: Channel,
    wanted: Mapping[UUID, int],
    *,
    carried: Mapping[UUID, CartLine] | None = None,
    planned: Mapping[UUID, UUID | None] | None = None,
    write: Callable[[Cart], None] | None = None,
) -> CartView:
    """Set quantities of variants, at the prices of now, and show the cart. What was in it keeps the price that its buyer was told, and
    says which it is now (`LineNews.PRICE`), until they agree.

    ``planned`` says by which selling plan a variant is bought (None: once); of others that stays as it is.

    ``carried`` are lines of another cart that these come from: they keep the price that was agreed to there, who put
    them in and their gift note, and come along though they may not be sold here (any more): the line then says so.

    ``write``: the cart is new, and is written with its lines when all is known.

    Raises:
        NotSellable: the channel does not sell one of them. SoldOut: it holds in carts, and there is not enough.
        InvalidInput: too many of it, or too many lines.
    """
    before = {line.variant: line for line in cart.lines}
    touched = [_line(tx, before.get(v), (carried or {}).get(v), v, q) for v, q in wanted.items()]
    if planned:
        touched = [
            msgspec.structs.replace(line, plan=planned.get(line.variant, line.plan)) for line in touched
        ]
    lines = before | {line.variant: line for line in touched}
    if len(lines) > MOST_LINES:
        raise InvalidInput.at("lines", f"at most {MOST_LINES} different things")
    cart = msgspec.structs.replace(cart, lines=list(lines.values()))
    sellables = await prices(tx, cart, channel)
    cart = msgspec.structs.replace(cart, lines=set_rules.with_parts(cart.lines, sellables))
    if carried is None:
        check_sellable(msgspec.structs.replace(cart, lines=touched), sellables)
    cart = await holding.keep_up(tx, cart, channel, wanted if carried is None else ())
    available = await holding.available(tx, cart, channel)
    agreed = [
        _agreed(
            line,
            sellables.get(line.variant),
            available,
            keeps=_was_told(before.get(line.variant), line) or (carried is not None and line.unit_price > 0),
        )
        for line in touched
    ]
    if write is None:
        written = {line.variant: line for line in await store.put_lines(tx, cart.id, agreed)}
    else:
        written = {line.variant: line for line in set_rules.with_parts(agreed, sellables)}
    for line in agreed:
        was = before.get(line.variant)
        tell_line(tx, cart, line, 0 if was is None else was.quantity, line.quantity)
    in_order = sorted((lines | written).values(), key=lambda line: line.id)
    cart = msgspec.structs.replace(cart, lines=in_order)
    priced = await pricing.price(tx, cart, channel, sellables)
    if write is None:
        priced = await pricing.keep(tx, cart, priced)
    else:
        write(pricing.keep_new(tx, cart, priced))
        store.add_lines(tx, cart.id, agreed)
    return build(cart, priced, available, channel)


async def after_change(tx: Tx, cart: Cart, channel: Channel) -> CartView:
    """The view after a change that may have changed what promotions take off: what is shown now is kept."""
    priced = await pricing.price(tx, cart, channel, await prices(tx, cart, channel) if cart.lines else {})
    return await show(tx, cart, await pricing.keep(tx, cart, priced), channel)


def _line(tx: Tx, old: CartLine | None, carried: CartLine | None, variant: UUID, quantity: int) -> CartLine:
    """A line as it is to be, with the price that was agreed to before."""
    if quantity > LARGEST_QUANTITY:
        raise InvalidInput.at("quantity", f"at most {LARGEST_QUANTITY} of one thing")
    kind = tx.actor.kind
    if old is not None:
        same = quantity == old.quantity
        line = msgspec.structs.replace(
            old, quantity=quantity, changed_by=kind, price_until=old.price_until if same else None
        )
        return with_carried(line, carried)
    if carried is not None:
        same = quantity == carried.quantity
        return msgspec.structs.replace(
            carried, id=new_id(), quantity=quantity, price_until=carried.price_until if same else None
        )
    return CartLine(
        id=new_id(), variant=variant, quantity=quantity, unit_price=0, added_by=kind, changed_by=kind
    )


def with_carried(line: CartLine, carried: CartLine | None) -> CartLine:
    """A line with what the line of another cart brings to it: its gift note where there is none, and the lower price of a quote that
    stands for this quantity."""
    if carried is None:
        return line
    line = msgspec.structs.replace(line, gift_note=line.gift_note or carried.gift_note)
    is_quoted = carried.quantity == line.quantity and rules.price_stands(carried, now())
    if not is_quoted or carried.plan != line.plan or carried.unit_price > line.unit_price:
        return line
    return msgspec.structs.replace(line, unit_price=carried.unit_price, price_until=carried.price_until)


def _was_told(before: CartLine | None, line: CartLine) -> bool:
    """Whether the price on a line is one that its buyer was told; another selling plan is their own choice of another price."""
    if before is None or before.plan != line.plan:
        return False
    return before.unit_price > 0 or rules.price_stands(before, now())


def _agreed(
    line: CartLine, sellable: Sellable | None, available: Mapping[UUID, int], *, keeps: bool
) -> CartLine:
    """The line with the problem that its buyer is told now, and with its price if it does not keep the one that they know."""
    problem = problem_of(sellable, available.get(line.variant, 0), line.quantity)
    price = line.unit_price
    if (
        not keeps
        and not rules.price_stands(line, now())
        and sellable is not None
        and sellable.price is not None
    ):
        price = sellable.price
    return msgspec.structs.replace(line, unit_price=price, problem=problem)


async def take_out(tx: Tx, cart: Cart, channel: Channel, line: CartLine) -> Cart:
    """Take a line out of a cart, and give back what was held of it."""
    await store.delete_lines(tx, [line.id])
    tell_line(tx, cart, line, line.quantity, 0)
    rest = [other for other in cart.lines if other.id != line.id]
    cart = msgspec.structs.replace(await without(tx, cart, {line.variant}), lines=rest)
    return await holding.keep_up(tx, cart, channel)


async def without(tx: Tx, cart: Cart, gone: Collection[UUID]) -> Cart:
    """A cart without the lots and discounts that staff chose for variants that are not in it any more."""
    kept = [each for each in cart.discounts if each.variant not in gone]
    lots = [each for each in cart.lots if each.variant not in gone]
    if len(kept) == len(cart.discounts) and len(lots) == len(cart.lots):
        return cart
    await store.set_fields(tx, cart.id, {"discounts": kept, "lots": lots})
    return msgspec.structs.replace(cart, discounts=kept, lots=lots)


def tell_line(tx: Tx, cart: Cart, line: CartLine, before: int, after: int) -> None:
    """Tell the log that there are more or fewer of something."""
    if before == after:
        return
    fact = events.CartLineChanged(
        variant=line.variant,
        quantity_before=before,
        quantity=after,
        unit_price=line.unit_price,
        kind=cart.kind,
    )
    log.append(tx, fact, subject=cart.id, channel=cart.channel, profile=cart.customer)


def check_sellable(cart: Cart, sellables: Mapping[UUID, Sellable]) -> dict[UUID, int]:
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
    """Raises PriceChanged if a price is another one, or a promotion takes off less, than was last agreed to.

    The prices of a quote stand.
    """
    loose = [line for line in cart.lines if not rules.price_stands(line, now())]
    moved = rules.moved_prices(loose, current)
    if moved or gone:
        raise PriceChanged(
            "Accept the new prices to go on.", lines=moved, promotions=msgspec.to_builtins(list(gone))
        )


def check_orderable(cart: Cart) -> None:
    """Raises InvalidInput for a list and for a quote that was not accepted."""
    if cart.kind is not CartKind.CART:
        raise InvalidInput.at("cart", f"this is a {cart.kind}, not a cart")


async def group_of(tx: Tx, customer: UUID | None, channel: Channel) -> str | None:
    """The customer's group. Raises NotFound for a customer of another pool."""
    if customer is None:
        return None
    found = await customers.get(tx, customer)
    if found is None or found.pool != channel.pools[Resource.CUSTOMERS]:
        raise NotFound("There is no such customer in this channel.")
    return found.group_name


async def till_of(tx: Tx, channel: Channel) -> Location:
    """The location of a store's own stock. Raises InvalidInput if it has none."""
    for place in await stock.locations(tx, channel.pools[Resource.STOCK]):
        if place.channel == channel.id and place.is_active:
            return place
    raise InvalidInput.at("channel", "this store has no location of its own that is active")


async def check_location(tx: Tx, location: UUID, channel: Channel) -> None:
    """Raises InvalidInput for a place where this channel hands nothing over."""
    places = await stock.locations(tx, channel.pools[Resource.STOCK])
    if location not in {place.id for place in places if place.is_active}:
        raise InvalidInput.at("location", "goods of this channel cannot be handed over there")
