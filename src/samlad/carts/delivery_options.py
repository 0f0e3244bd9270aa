"""The ways in which a cart could be delivered, with what each costs and when it would be there."""

from uuid import UUID

import msgspec

from samlad import channels, delivery
from samlad.carts import rules, set_rules, store, taxing
from samlad.carts.access import access_of
from samlad.carts.cart_view import prices
from samlad.carts.delivery_choice import way_of, with_method
from samlad.carts.model import Cart, Delivery
from samlad.carts.pieces import at_home
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.delivery import COLLECTED, Destination, MethodKind, Promised, StorePromise
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import InvalidInput, NotFound


class DeliveryOption(msgspec.Struct, frozen=True, kw_only=True):
    """A method that a cart could be delivered by. ``price`` in minor units, as prices are quoted where it goes.

    ``promise`` is for all of the cart together; null where it is fetched (each of ``stores`` has its own) or unknown.
    """

    code: str
    kind: MethodKind
    delivery: Delivery
    name: str
    price: int
    is_chosen: bool
    promise: Promised | None
    stores: list[StorePromise]


async def options(
    database: Database,
    actor: Actor,
    cart_id: UUID,
    *,
    token: str | None = None,
    to: Destination | None = None,
    locale: str | None = None,
) -> list[DeliveryOption]:
    """The methods that a cart could be delivered by, with price and promise. ``to`` is for who has not said an address.

    Raises:
        NotFound: there is no such cart, or it is not this actor's to open.
    """
    cart = await store.read(database, cart_id, access_of(actor, token))
    if cart is None:
        raise NotFound("There is no such cart, or its token is not the right one.")
    channel = await channels.cached(database, cart.channel)
    cart = await with_method(database, cart)
    sellables = await prices(database, cart, channel)
    where = to or rules.destination(cart.address, channel.country)
    return await _options(database, cart, channel, sellables, where, locale or channel.locale)


async def promise_of(
    database: Database,
    actor: Actor,
    cart_id: UUID,
    *,
    token: str | None = None,
    locale: str | None = None,
    slot: str | None = None,
) -> Promised | None:
    """What is promised now for the method that a cart has chosen: at its store where it is fetched, in the slot that is named
    where it has slots (else in the one that was chosen before, else in the first with room). None without one.

    Raises:
        SlotFull, SlotPast: that slot cannot be had. InvalidInput: there is none to choose.
    """
    cart = await store.read(database, cart_id, access_of(actor, token))
    found = []
    if cart is not None and cart.delivery_method is not None:
        found = await options(database, actor, cart_id, token=token, locale=locale)
    chosen = next((each for each in found if each.is_chosen), None)
    promise = None if cart is None else chosen_promise(chosen, cart.location)
    if cart is None or promise is None:
        if slot is not None:
            raise InvalidInput.at("slot", "choose a delivery method with times first")
        return None
    channel = await channels.cached(database, cart.channel)
    return await delivery.in_slot(
        database,
        promise,
        slot or _kept(cart, promise),
        locale=locale or channel.locale,
        country=channel.country,
    )


def _kept(cart: Cart, promise: Promised) -> str | None:
    """The slot that was chosen before, while it can be had: who begins a checkout anew keeps it."""
    before = cart.promise
    if before is None or before.method != promise.method:
        return None
    return before.slot if before.slot in promise.free_slots else None


def chosen_promise(option: DeliveryOption | None, location: UUID | None) -> Promised | None:
    """The promise of an option, of the chosen store where there are several."""
    if option is None or option.promise is not None or not option.stores:
        return option.promise if option else None
    there = next((each.promise for each in option.stores if each.location == location), None)
    return there and msgspec.structs.replace(there, method=option.code)


async def keep_promise(tx: Tx, cart_id: UUID, promise: Promised | None, *, token: str | None = None) -> None:
    """Keep what the buyer is shown for the chosen method, for the order that the cart becomes. Part of the verbs of a
    checkout: it changes nothing that others could have seen, so there is no event and no new version.

    Raises:
        NotFound: no such cart, or it is not this actor's.
    """
    cart = await store.hold(tx, cart_id, access_of(tx.actor, token))
    if cart is None:
        raise NotFound("There is no such cart, or its token is not the right one.")
    if cart.promise != promise:
        await store.set_fields(tx, cart_id, {"promise": promise})


async def _options(
    database: Database,
    cart: Cart,
    channel: Channel,
    sellables: dict[UUID, Sellable],
    to: Destination,
    locale: str,
) -> list[DeliveryOption]:
    weight = rules.weight_of(cart.lines, sellables)
    sold = [sellables[line.variant] for line in cart.lines if line.variant in sellables]
    has_goods = any(each.requires_shipping for each in sold)
    goods = sum(
        amount.total
        for line in cart.lines
        if line.variant in sellables
        for _piece, amount in at_home(sellables[line.variant], line.unit_price, line.quantity)
    )
    by = await taxing.basis(database, cart, channel, sellables)
    quoted = taxing.shipping_shown(cart, channel, by, sellables)
    wanted = set_rules.demand(cart.lines)  # a set is there with the last of its parts
    found = await delivery.answer(database, channel, wanted, to, locale=locale, weight=weight, holder=cart.id)
    promises = {promised.method: promised for promised in found.delivered}
    return [
        DeliveryOption(
            code=method.code,
            kind=method.kind,
            delivery=way_of(method),
            name=method.name_in(locale),
            price=quoted(delivery.price(method.rate, goods=goods, weight=weight)),
            is_chosen=cart.method is not None and cart.method.id == method.id,
            promise=promises.get(method.code),
            stores=found.stores if method.kind in COLLECTED else [],
        )
        for method in delivery.reaching(await delivery.methods_of(database, channel), to, weight)
        if method.kind is not MethodKind.CARRY_OUT
        and (method.kind is not MethodKind.DIGITAL or not has_goods)
        and (method.kind is not MethodKind.SAME_DAY or method.code in promises)
    ]
