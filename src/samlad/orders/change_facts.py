"""What a change needs to know before it is planned, and who may make it. Only reads."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID

from samlad import carts, catalog, channels, payments, stock
from samlad.carts.taxing import Basis
from samlad.catalog import Sellable
from samlad.channels import Channel, Resource
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import InvalidInput
from samlad.orders import change_store as rows
from samlad.orders import change_taxing, return_reasons, return_store, return_windows, seeing, store
from samlad.orders.change_model import (
    AddAction,
    ChangeInput,
    ClaimAction,
    ExchangeAction,
    FeeAction,
    GoodwillAction,
    NoteAction,
    Past,
    QuantityAction,
    ReturnAction,
)
from samlad.orders.change_planned import Facts, Offer
from samlad.orders.change_rules import DROP_DAYS
from samlad.orders.model import LineKind, OrderHead, OrderKind, OrderLine, OrderStatus, WrongState
from samlad.orders.permissions import CHANGE
from samlad.stock.scanning import read

_ANYWHERE = (ReturnAction, ExchangeAction, ClaimAction, GoodwillAction, FeeAction, NoteAction)
"""What any store of the pool may do with an order of another; what has not left is its own store's business."""

_COMES_BACK = (ReturnAction, ExchangeAction, ClaimAction, GoodwillAction)


def check_state(head: OrderHead) -> None:
    """Refuse what nothing can come back of.

    Raises:
        WrongState: it is cancelled, or no sale.
    """
    if head.kind is not OrderKind.SALE:
        raise WrongState(f"It is a {head.kind}, not a sale.", state=head.status)
    if head.status is OrderStatus.CANCELLED:
        raise WrongState("It is cancelled.", state=head.status)


def check_ours(head: OrderHead) -> None:
    """Refuse what was sold, paid and sent elsewhere: it can be taken back, exchanged and made good, nothing else.

    Raises:
        WrongState: it is history that was imported.
    """
    if head.imported is not None:
        raise WrongState(
            "It was sold and sent elsewhere: its goods can be taken back or exchanged, nothing else.",
            state=head.status,
        )


def check_actions(head: OrderHead, data: ChangeInput) -> None:
    """Refuse actions on history that are for orders which are still to be served.

    Raises:
        WrongState: it is history, and more is asked for than to take back, exchange or make good.
    """
    is_back = any(isinstance(action, _COMES_BACK) for action in data.actions)
    fits = all(
        isinstance(action, _ANYWHERE) and (is_back or not isinstance(action, FeeAction))
        for action in data.actions
    )
    if not fits:
        check_ours(head)


async def require(reader: Database | Tx, actor: Actor, head: OrderHead, data: ChangeInput) -> None:
    """Ask for the permission: at the order's place, or, for what any store may do, where the change happens.

    Raises:
        Forbidden: not here. InvalidInput: no such location, or one of another shop.
    """
    places = {data.location, *(a.location for a in data.actions if isinstance(a, ReturnAction))} - {None}
    for place in sorted(places, key=str):
        assert place is not None
        actor.require(CHANGE, location=place)
        await _same_shop(reader, head, place)
    is_elsewhere = data.location is not None and all(isinstance(a, _ANYWHERE) for a in data.actions)
    if not is_elsewhere:
        actor.require(CHANGE, location=head.location)
        await seeing.check(reader, actor, head.id)


async def _same_shop(reader: Database | Tx, head: OrderHead, place: UUID) -> None:
    location = await stock.location(reader, place)
    if location.channel is not None:
        there = await channels.cached(reader, location.channel)
        fits = there.pools[Resource.ORDERS] == head.pool
    else:
        fits = location.pool == (await channels.cached(reader, head.channel)).pools[Resource.STOCK]
    if not fits:
        raise InvalidInput.at("location", "this place belongs to another shop, with orders of its own")


async def gather(
    reader: Database | Tx,
    actor: Actor,
    head: OrderHead,
    lines: Sequence[OrderLine],
    data: ChangeInput,
    *,
    toward: UUID | None = None,
) -> Facts:
    """Read what planning needs. ``toward`` is a sale that what comes back pays for (an exchange that is settled).

    Raises:
        NotFound: there is no such cart. InvalidInput: it is in another currency.
    """
    channel = await channels.cached(reader, head.channel)
    sold_in = await _selling_channel(reader, head, channel, data)
    more = [a.variant for a in data.actions if isinstance(a, AddAction)]
    raised = {a.position for a in data.actions if isinstance(a, QuantityAction)}
    more += [line.variant for line in lines if line.position in raised and line.variant]
    instead = [a.variant for a in data.actions if isinstance(a, ExchangeAction) and a.variant]
    again = {a.position for a in data.actions if isinstance(a, ExchangeAction | ClaimAction)}
    same = [line.variant for line in lines if line.position in again and line.variant]
    bought = {line.position: line.variant for line in lines if line.variant}
    products = await rows.products_of(reader, [*bought.values(), *instead])
    by_position = {position: products[variant] for position, variant in bought.items() if variant in products}
    parts = await stock.parts_of(reader, [*more, *instead]) if more or instead else {}
    more_units, new_units = (
        [*each, *(part for v in each for part in parts.get(v, ()))] for each in (more, [*instead, *same])
    )
    free = await stock.atp(reader, channel, more_units) if more else {}
    if instead or same:
        free = free | await stock.atp(reader, sold_in, new_units, carry_out=data.hand_over)
    return Facts(
        channel=channel,
        sold_in=sold_in,
        today=return_windows.today(now(), return_windows.zones_of(head.country, channel)),
        payments=await paid_by(reader, head),
        reasons=await return_reasons.reasons(reader, head.pool),
        terms=await return_reasons.terms(reader, head, channel, by_position),
        products=products,
        adding=await _offer(
            reader, channel, more, lambda *at: change_taxing.of_added(reader, head, lines, data, *at)
        ),
        giving=await _offer(
            reader, sold_in, instead, lambda *at: change_taxing.of_given(reader, head, lines, data, *at)
        ),
        free=free,
        codes=await _codes(reader, channel, data),
        past=await _past(reader, head, channel),
        reserved=await return_store.announced(reader, head.id, exchanges=True, without=toward),
        owed=await _owed(reader, toward),
        cart_total=await _cart_total(reader, actor, head, data),
        coin=await _coin(reader, channel, head, data.location),
        prices=await _prices(reader, channel, head, lines, data),
        has_given_others=await _has_given_others(reader, head, lines, data),
    )


async def _offer(
    reader: Database | Tx,
    channel: Channel,
    variants: Sequence[UUID],
    by: Callable[[Channel, Mapping[UUID, Sellable]], Awaitable[Basis]],
) -> Offer:
    """What is sold of variants, and by what it is taxed. No statement for none."""
    if not variants:
        return Offer(channel=channel, sellables={}, by=Basis(decisions={}))
    sellables = await catalog.sellables(reader, channel, variants)
    return Offer(channel=channel, sellables=sellables, by=await by(channel, sellables))


async def paid_by(reader: Database | Tx, head: OrderHead) -> list[payments.Payment]:
    """The payments of an order; of history that nothing was done with yet, what it says itself."""
    known = await payments.of_order(reader, head.id)
    if known or head.imported is None:
        return known
    return payments.history(head.id, head.paid, head.refunded, head.currency)


async def _coin(
    reader: Database | Tx, channel: Channel, head: OrderHead, place: UUID | None
) -> payments.Coin:
    """The smallest coin where money goes back: of the store whose drawer it is, else of the order's channel."""
    here = None if place is None else (await stock.location(reader, place)).channel
    there = channel if here is None else await channels.cached(reader, here)
    return payments.coin_of(there, head.currency)


async def _selling_channel(
    reader: Database | Tx, head: OrderHead, channel: Channel, data: ChangeInput
) -> Channel:
    """Who sells new goods: the store that hands them over, else the channel of the order."""
    if not data.hand_over:
        return channel
    if data.location is None:
        raise InvalidInput.at("location", "say where the new goods are handed over")
    place = await stock.location(reader, data.location)
    if place.channel is None:
        raise InvalidInput.at("location", "no store is here; goods cannot be handed over")
    there = await channels.cached(reader, place.channel)
    if there.currency != head.currency:
        raise InvalidInput.at(
            "location", f"this store sells in {there.currency}, the order is in {head.currency}"
        )
    return there


async def _codes(reader: Database | Tx, channel: Channel, data: ChangeInput) -> dict[str, UUID | None]:
    scanned = {a.scanned for a in data.actions if isinstance(a, ReturnAction | ExchangeAction) and a.scanned}
    found: dict[str, UUID | None] = {}
    pool = channel.pools[Resource.CATALOGUE]
    for code in sorted(scanned):
        variant = await catalog.variant_by_code(reader, pool, read(code).code)
        found[code] = variant.id if variant else None
    return found


async def _past(reader: Database | Tx, head: OrderHead, channel: Channel) -> Past:
    if head.customer is None:
        return Past()
    return await rows.past_of(reader, head.pool, head.customer, head.currency, channel.setting("signal_days"))


async def _prices(
    reader: Database | Tx, channel: Channel, head: OrderHead, lines: Sequence[OrderLine], data: ChangeInput
) -> dict[UUID, int]:
    """The lowest price of the last days of what comes back, where it is quoted as the line is (with tax, or without)."""
    back = {a.position for a in data.actions if isinstance(a, ReturnAction)}
    quoted = {
        line.variant: line.tax_included
        for line in lines
        if line.position in back and line.variant is not None
    }
    if not quoted:
        return {}
    found = await return_store.lowest_prices(
        reader, list(quoted), channel.pools[Resource.PRICES], channel.id, head.currency, DROP_DAYS
    )
    return {
        variant: price.amount for variant, price in found.items() if price.tax_included == quoted[variant]
    }


async def _has_given_others(
    reader: Database | Tx, head: OrderHead, lines: Sequence[OrderLine], data: ChangeInput
) -> bool:
    """Whether goods of it were exchanged before. No statement where it has no delivery that could go back."""
    is_back = any(isinstance(action, ReturnAction) for action in data.actions)
    if not is_back or not any(line.kind is LineKind.SHIPPING for line in lines):
        return False
    return await rows.has_given_others(reader, head.id)


async def _owed(reader: Database | Tx, sale: UUID | None) -> int:
    """What of a sale is still to be paid, 0 without one."""
    head = None if sale is None else await store.head(reader, sale)
    return 0 if head is None else max(0, head.total - head.called_off - head.paid)


async def _cart_total(reader: Database | Tx, actor: Actor, head: OrderHead, data: ChangeInput) -> int:
    if data.cart is None:
        return 0
    cart = await carts.view(reader, actor, data.cart)
    if cart.currency != head.currency:
        raise InvalidInput.at("cart", f"it is in {cart.currency}, the order is in {head.currency}")
    return cart.totals.total
