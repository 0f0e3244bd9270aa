"""A cart as its buyer sees it: at most three statements (cart with lines, prices, stock), and those of promotions."""

import contextlib
from collections.abc import Mapping
from uuid import UUID

from samlad import catalog, channels
from samlad.carts import delivery_choice, holding, plans, pricing, rules, store, taxing
from samlad.carts.access import access_of
from samlad.carts.model import Cart, CartLine, CartStatus
from samlad.carts.news import news_of, problem_of
from samlad.carts.pricing import Priced
from samlad.carts.quoting import TaxedLine
from samlad.carts.view_model import CartView, LineTax, LineView
from samlad.catalog import Measure, Sellable
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.tax import Amounts, Decision, engines


async def view(database: Database | Tx, actor: Actor, cart_id: UUID, *, token: str | None = None) -> CartView:
    """A cart with prices and stock of this moment. One that was merged stands for the one that it went into.

    Raises:
        NotFound: there is no such cart, or it is not this actor's to open.
    """
    cart = await store.read(database, cart_id, access_of(actor, token))
    while cart is not None and cart.merged_into is not None:
        cart = await store.read(database, cart.merged_into, access_of(actor, token))
    if cart is None:
        raise NotFound("There is no such cart, or its token is not the right one.")
    cart = await delivery_choice.with_method(database, cart)
    return await compose(database, cart, await channels.cached(database, cart.channel))


async def ask_tax(database: Database, actor: Actor, cart_id: UUID, *, token: str | None = None) -> None:
    """Have an outside tax engine say now what a transaction will then read; nothing where no channel has one.

    Before checking out and placing an order, outside of any transaction. Whoever may not open the cart asks nothing.
    """
    everything = await channels.cached_all(database)
    if all(channel.setting("tax_engine") == engines.OWN for channel in everything):
        return
    with contextlib.suppress(NotFound):
        await view(database, actor, cart_id, token=token)


async def compose(reader: Database | Tx, cart: Cart, channel: Channel) -> CartView:
    """The view of a cart whose lines have been read; two statements, one if its stock is held already."""
    variants = [line.variant for line in cart.lines]
    if not variants:
        return build(cart, Priced(sellables={}), None, channel)
    priced = await pricing.price(reader, cart, channel, await prices(reader, cart, channel))
    return await show(reader, cart, priced, channel)


async def show(reader: Reader, cart: Cart, priced: Priced, channel: Channel) -> CartView:
    """The view of a cart that has been priced; asks for what could be promised now unless its stock is held."""
    variants = [line.variant for line in cart.lines]
    if not variants:
        return build(cart, priced, None, channel)
    is_open = cart.status is CartStatus.OPEN
    available = await holding.available(reader, cart, channel) if is_open else None
    return build(cart, priced, available, channel)


async def prices(reader: Reader, cart: Cart, channel: Channel) -> dict[UUID, Sellable]:
    """What the variants of a cart cost now, for its customer's group, its quantities and selling plans; one statement,
    and one more where a line has a plan."""
    found = await catalog.sellables(
        reader,
        channel,
        [line.variant for line in cart.lines],
        customer_group=cart.customer_group,
        quantities={line.variant: line.quantity for line in cart.lines},
    )
    moment = now()
    planned = {
        line.variant: line.plan
        for line in cart.lines
        if line.plan is not None and not rules.price_stands(line, moment)
    }
    return await plans.priced(reader, channel, planned, found) if planned else found


def build(cart: Cart, priced: Priced, available: Mapping[UUID, int] | None, channel: Channel) -> CartView:
    """The view from what was read. In checkout the agreed prices stand, else those of now."""
    stands, moment = cart.status not in (CartStatus.OPEN, CartStatus.PARKED), now()
    fixed = {line.id: stands or rules.price_stands(line, moment) for line in cart.lines}
    current = {
        line.id: line.unit_price if fixed[line.id] else pricing.price_now(line, priced.sellables)
        for line in cart.lines
    }
    prices = {line.id: (current[line.id], line.unit_price) for line in cart.lines}
    taxed, by = pricing.with_tax(cart, channel, priced, prices), priced.taxes
    before = by.before if by is not None and cart.status is CartStatus.OPEN else None
    then = None if before is None else pricing.with_tax(cart, channel, priced, prices, before).totals
    lines = [
        _line(
            line,
            priced,
            taxed.lines[line.id],
            None if available is None else available.get(line.variant, 0),
            now_price=current[line.id],
            is_open=cart.status is CartStatus.OPEN,
        )
        for line in cart.lines
    ]
    return CartView(
        id=cart.id,
        channel=cart.channel,
        currency=cart.currency,
        status=cart.status,
        customer=cart.customer,
        email=cart.email,
        name=cart.name,
        phone=cart.phone,
        address=cart.address,
        delivery=cart.delivery,
        delivery_method=None if cart.method is None else cart.method.code,
        location=cart.location,
        checkout_until=cart.checkout_until,
        order_id=cart.order_id,
        lines=lines,
        totals=taxed.totals,
        version=cart.version,
        updated_at=cart.updated_at,
        promotions=taxed.promotions,
        moved_promotions=priced.moved,
        shipping_steps=taxed.shipping_steps,
        codes=priced.codes,
        gifts=priced.gifts,
        discounts=[each.shown() for each in cart.discounts],
        lots=cart.lots,
        kind=cart.kind,
        label=cart.label,
        is_current=cart.is_current,
        gift_note=cart.gift_note,
        note=cart.note,
        promise=cart.promised,
        pays_deposit=cart.pays_deposit,
        held_until=cart.held_until,
        quoted_until=cart.quoted_until,
        vat_number=cart.vat_number,
        vat_check=None if by is None or by.check is None else by.check.status,
        tax_notes=sorted({way.note for each in taxed.lines.values() for way, _ in each.taxes if way.note}),
        tax_news=None if by is None else taxing.news(cart, channel, by, taxed.totals, then),
        tax_is_provisional=by is not None and by.is_silent,
    )


def _line(
    line: CartLine,
    priced: Priced,
    taxed: TaxedLine,
    available: int | None,
    *,
    now_price: int,
    is_open: bool,
) -> LineView:
    sellable = priced.sellables.get(line.variant)
    amount, decision = taxed.amounts, taxed.decision
    problem = problem_of(sellable, available, line.quantity)
    return LineView(
        id=line.id,
        variant=line.variant,
        product=sellable.product if sellable else line.variant,
        handle=sellable.handle if sellable else "",
        sku=sellable.sku if sellable else "",
        title=sellable.title if sellable else "",
        options=sellable.options if sellable else "",
        image=sellable.image if sellable else None,
        quantity=line.quantity,
        unit_price=taxed.unit_price,
        price_before=None if now_price == line.unit_price else taxed.price_before,
        tax_included=sellable.tax_included if sellable else True,
        tax_rate=decision.rate,
        net=amount.net,
        tax=amount.tax,
        total=amount.total,
        available=available,
        problem=problem,
        version=line.version,
        steps=taxed.steps,
        news=news_of(line, now_price, problem) if is_open else [],
        added_by=line.added_by,
        changed_by=line.changed_by,
        gift_note=line.gift_note,
        price_until=line.price_until,
        tax_category=decision.category,
        tax_treatment=decision.treatment,
        tax_country=decision.country,
        tax_note=decision.note,
        plan=line.plan,
        sold_by=sellable.sold_by if sellable else Measure.PIECE,
        taxes=[_way(*each) for each in taxed.taxes] if len(taxed.taxes) > 1 else [],
    )


def _way(decision: Decision, amount: Amounts) -> LineTax:
    return LineTax(
        tax_rate=decision.rate,
        tax_category=decision.category,
        tax_treatment=decision.treatment,
        tax_country=decision.country,
        tax_note=decision.note,
        net=amount.net,
        tax=amount.tax,
        total=amount.total,
    )
