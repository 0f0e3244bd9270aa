"""How a cart becomes an order's: the part of placing an order that is about the cart."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec

from samlad import channels, customers, promotions, stock
from samlad.carts import closing_store, delivery_choice, holding, pricing, rules, set_rules, store, taxing
from samlad.carts.access import access_of
from samlad.carts.cart_view import prices
from samlad.carts.model import (
    Cart,
    CartClosed,
    CartLine,
    CartPromotion,
    NotSellable,
    PriceChanged,
    PriceStep,
    Totals,
)
from samlad.carts.opening import check_orderable, check_prices, check_sellable
from samlad.carts.parcels import TaxedParcel
from samlad.carts.pricing import Priced
from samlad.carts.quoting import TaxedPart
from samlad.catalog import Sellable
from samlad.channels import Channel, Resource
from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.http import check_version
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.promotions import PromotionGone, Use
from samlad.tax import Amounts, Decision, NumberCheck


class ClosedLine(msgspec.Struct, frozen=True):
    """A line as it is bought: what it is, the steps from its list price to what is paid, what that is, and its tax.
    ``parts``: of a set what it is made of, each with its share of all that."""

    line: CartLine
    sold: Sellable
    unit_price: int
    steps: Sequence[PriceStep]
    amounts: Amounts
    tax: Decision
    parts: Sequence[TaxedPart] = ()


class ClosedCart(msgspec.Struct, frozen=True, kw_only=True):
    """A cart with its lines at the agreed prices, what they are, and what they come to.

    ``parcels`` are what delivery costs, by each way in which it is taxed. ``number_check`` is what was known of its VAT number.
    ``promotions`` are to be counted (`use_promotions`),
    ``stands`` as they were agreed to. ``may_be_held``: it was in checkout, or its channel holds in carts: its stock may
    be held under the cart's id.
    """

    cart: Cart
    channel: Channel
    sellables: Mapping[UUID, Sellable]
    lines: Sequence[ClosedLine]
    parcels: Sequence[TaxedParcel]
    number_check: NumberCheck | None
    promotions: Sequence[CartPromotion]
    totals: Totals
    stands: bool
    may_be_held: bool


async def close(
    tx: Tx, cart_id: UUID, order: UUID, *, token: str | None = None, version: int | None = None
) -> ClosedCart:
    """Take a cart for an order; of several that try at once the first gets it. Two statements, those of promotions, and
    one for a VAT number.

    In a checkout that has not run out the agreed prices stand, else they must be those of now.

    Raises:
        NotFound: no such cart, or it is not this actor's. CartClosed: it was ordered or given up before.
        Outdated: it is not the version that was seen.
        InvalidInput: it is empty, or something about the buyer is missing.
        SoldOut: of something in it nothing is left.
        NotSellable, PriceChanged: something in it cannot be had here any more, or costs something else now.
    """
    access = access_of(tx.actor, token)
    cart = await closing_store.close(tx, cart_id, access, order)
    if cart is None:
        closed = await store.read(tx, cart_id, access)
        if closed is None:
            raise NotFound("There is no such cart, or its token is not the right one.")
        check_orderable(closed)
        raise CartClosed(
            f"It is {closed.status}.", order=None if closed.order_id is None else str(closed.order_id)
        )
    check_version(version, cart.version - 1)
    cart = await delivery_choice.with_method(tx, cart)
    channel = await channels.cached(tx, cart.channel)
    if not cart.lines:
        raise InvalidInput.at("lines", "the cart is empty")
    missing = rules.missing_details(cart)
    if missing:
        raise InvalidInput("Something about the buyer is missing.", errors=tuple(missing))
    if holding.is_gone(cart, channel):
        await holding.refuse_short(tx, cart, channel)
    sellables = await prices(tx, cart, channel)
    cart = msgspec.structs.replace(cart, lines=set_rules.with_parts(cart.lines, sellables))
    stands = rules.prices_stand(cart, now())
    priced = await pricing.price(tx, cart, channel, sellables, stands=stands)
    if stands:
        gone = [str(line.variant) for line in cart.lines if line.variant not in sellables]
        if gone:
            raise NotSellable("Take these out to go on.", lines=gone)
    else:
        check_prices(cart, check_sellable(cart, sellables), priced.moved)
    weight = rules.weight_of(cart.lines, sellables)
    has_goods = any(sellables[line.variant].requires_shipping for line in cart.lines)
    unfit = rules.load_errors(cart, weight, has_goods=has_goods)
    if unfit:
        raise InvalidInput("The goods cannot go this way.", errors=tuple(unfit))
    return _closed(cart, channel, priced, stands=stands)


def _closed(cart: Cart, channel: Channel, priced: Priced, *, stands: bool) -> ClosedCart:
    taxing.refuse_silence(priced.taxes, channel)
    prices = {line.id: (line.unit_price, line.unit_price) for line in cart.lines}
    taxed = pricing.with_tax(cart, channel, priced, prices)
    lines = []
    for line in cart.lines:
        its = taxed.lines[line.id]
        sold = priced.sellables[line.variant]
        lines.append(ClosedLine(line, sold, its.unit_price, its.steps, its.amounts, its.decision, its.parts))
    return ClosedCart(
        cart=cart,
        channel=channel,
        sellables=priced.sellables,
        lines=lines,
        parcels=taxed.parcels,
        number_check=None if priced.taxes is None else priced.taxes.check,
        promotions=taxed.promotions,
        totals=taxed.totals,
        stands=stands,
        may_be_held=cart.checkout_until is not None or cart.held_until is not None,
    )


async def take_for(tx: Tx, cart_id: UUID, order: UUID) -> bool:
    """A cart whose goods a till sold on its own is that order's, and holds nothing any more; False if it cannot be."""
    if await closing_store.close(tx, cart_id, access_of(tx.actor, None), order) is None:
        return False
    await stock.release(tx, cart_id)
    return True


async def order_of(tx: Tx, cart_id: UUID) -> UUID | None:
    """The order that a cart has become, or None."""
    found = await store.read(tx, cart_id, access_of(tx.actor, None))
    return None if found is None else found.order_id


async def buyer_of(tx: Tx, closed: ClosedCart) -> UUID | None:
    """The customer who buys. Where a promotion may be had only so many times by each, it must be known who that is.

    Raises:
        InvalidInput: neither a customer nor an e-mail address is known.
    """
    cart = closed.cart
    limited = [each.name for each in closed.promotions if each.once]
    if cart.customer is not None or not limited:
        return cart.customer
    if cart.email is None:
        raise InvalidInput.at("email", f"is needed: “{limited[0]}” is limited for each customer")
    person = customers.PersonInput(email=cart.email, name=cart.name, phone=cart.phone)
    pool = closed.channel.pools[Resource.CUSTOMERS]
    return (await customers.find_or_create(tx, pool, person, channel=closed.channel.id)).id


async def use_promotions(tx: Tx, closed: ClosedCart, order: UUID, buyer: UUID | None) -> None:
    """Count what the order has of promotions: exact, however many try at once. One statement if there are any.

    Raises:
        PriceChanged: one of them cannot be had any more, or not by this customer; says which and why.
    """
    if not closed.promotions:
        return
    if closed.stands and any(each.once for each in closed.promotions):
        await _check_person(tx, closed, buyer)
    uses = [
        Use(promotion=each.promotion, name=each.name, amount=each.amount, code=each.code_id)
        for each in closed.promotions
    ]
    try:
        await promotions.use(tx, order, uses, channel=closed.channel, customer=buyer, stands=closed.stands)
    except PromotionGone as gone:
        raise PriceChanged(gone.detail, lines=[], promotions=gone.extra["promotions"]) from None


async def _check_person(tx: Tx, closed: ClosedCart, buyer: UUID | None) -> None:
    """What was agreed to before it was known who buys is not for somebody who has had it, or ordered, before."""
    asking = promotions.Asking(channel=closed.channel, holders=[closed.cart.id], person=buyer)
    unavailable = (await promotions.offers(tx, asking, [])).unavailable
    gone = [
        {"promotion": str(each.promotion), "name": each.name, "reason": unavailable[each.promotion]}
        for each in closed.promotions
        if unavailable.get(each.promotion) in ("once", "first-order")
    ]
    if gone:
        names = ", ".join(f"“{each['name']}”" for each in gone)
        raise PriceChanged(f"This cannot be had any more: {names}.", lines=[], promotions=gone)
