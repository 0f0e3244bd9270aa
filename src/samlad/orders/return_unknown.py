"""Goods come back and nobody knows of which order: a return without a receipt."""

from uuid import UUID

import msgspec

from samlad import catalog, channels, credit, customers, stock
from samlad.access import audit
from samlad.carts import Delivery
from samlad.carts.taxing import Going, basis_of
from samlad.catalog import Sellable
from samlad.channels import Channel, Resource
from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.orders import change_rules, events, return_reasons, return_store, rules, store
from samlad.orders.change_model import Disposition, Notice, Past
from samlad.orders.change_store import past_of
from samlad.orders.model import LineKind, Order, OrderKind, OrderLine, OrderPayment, OrderStatus
from samlad.orders.order_page import read
from samlad.orders.permissions import OVERRIDE
from samlad.orders.placement import tell_placed
from samlad.orders.return_model import UnknownInput, UnknownPrice
from samlad.stock import Cause
from samlad.stock.lots_model import Named
from samlad.tax import CONSUMER, Decision, amounts


class UnknownPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What goods without a receipt are worth: their lowest price of some days (minor units), as store credit."""

    currency: str
    worth: int
    tax: int
    lines: list[OrderLine]
    notices: list[Notice]


async def preview_unknown(reader: Database | Tx, data: UnknownInput) -> UnknownPreview:
    """What such a return comes to. Nothing is written.

    Raises:
        InvalidInput: no store is there, something was never sold here, or an unknown reason.
    """
    channel = await _store_at(reader, data.location)
    lines, _goes = await _lines(reader, channel, data)
    worth = -sum(line.total for line in lines)
    days = channel.setting("signal_days")
    pool = channel.pools[Resource.ORDERS]
    past = await past_of(reader, pool, data.customer, channel.currency, days)
    notices = change_rules.signals(
        past if past.bought else Past(returns=past.returns),
        worth,
        most=channel.setting("signal_returns"),
        share_percent=channel.setting("signal_share"),
        days=days,
        no_receipt=True,
    )
    return UnknownPreview(
        currency=channel.currency,
        worth=worth,
        tax=-sum(line.tax for line in lines),
        lines=lines,
        notices=notices,
    )


async def take_unknown(tx: Tx, data: UnknownInput) -> Order:
    """Take goods back without a receipt: they become an order of kind return without a sale, and store credit.

    Only managers may, with a reason that is kept. The same ``id`` twice is done once.

    Raises:
        Forbidden. InvalidInput: as in `preview_unknown`. NotFound: no such customer.
    """
    tx.actor.require(OVERRIDE, location=data.location)
    cards.refuse([data.note, data.override], "note")
    return_id = data.id or new_id()
    await return_store.lock_id(tx, return_id)
    before = await store.head(tx, return_id)
    if before is not None:
        if before.kind is not OrderKind.RETURN or before.customer != data.customer:
            raise Conflict("This id was used for something else.")
        return await read(tx, return_id)
    channel = await _store_at(tx, data.location)
    customer = await customers.get(tx, data.customer)
    if customer is None or customer.pool != channel.pools[Resource.CUSTOMERS]:
        raise NotFound("There is no such customer of this shop.")
    lines, goes = await _lines(tx, channel, data)
    order = _order(return_id, channel, data, lines)
    number = await store.insert(tx, order, channel.setting("number_prefix"))
    order = msgspec.structs.replace(order, number=number)
    tell_placed(tx, order)
    worth = -order.total
    if worth:
        await credit.refund_to_credit(
            tx, data.customer, worth, channel.currency, refund=return_id, order=return_id, reason=data.note
        )
    await _book_in(tx, data, lines, goes, return_id)
    _tell(tx, order, data)
    return order


def _order(return_id: UUID, channel: Channel, data: UnknownInput, lines: list[OrderLine]) -> Order:
    """The order of kind return, without its number."""
    moment = now()
    return Order(
        id=return_id,
        pool=channel.pools[Resource.ORDERS],
        channel=channel.id,
        number="",
        kind=OrderKind.RETURN,
        status=OrderStatus.RETURNED,
        payment_status=OrderPayment.UNPAID,
        customer=data.customer,
        country=channel.country,
        currency=channel.currency,
        location=data.location,
        items=rules.goods_of(lines),
        tax=sum(line.tax for line in lines),
        total=sum(line.total for line in lines),
        placed_at=moment,
        local_day=local_day(moment, channel.time_zone),
        lines=lines,
    )


def _tell(tx: Tx, order: Order, data: UnknownInput) -> None:
    fact = events.ReturnedWithoutReceipt(
        number=order.number,
        currency=order.currency,
        total=order.total,
        tax=order.tax,
        credited=-order.total,
        location=data.location,
        reason=data.override,
        lines=[
            {
                "variant": line.variant,
                "sku": line.sku,
                "quantity": line.quantity,
                "tax": line.tax,
                "total": line.total,
            }
            for line in order.lines
        ],
    )
    log.append(tx, fact, subject=order.id, channel=order.channel, profile=data.customer)
    after = {"reason": data.override, "worth": -order.total}
    audit.record(tx, "order.returned-unknown", "order", order.id, after=after)


async def _store_at(reader: Database | Tx, location: UUID) -> Channel:
    place = await stock.location(reader, location)
    if place.channel is None:
        raise InvalidInput.at("location", "no store is here")
    return await channels.cached(reader, place.channel)


async def _lines(
    reader: Database | Tx, channel: Channel, data: UnknownInput
) -> tuple[list[OrderLine], list[Disposition]]:
    variants = [line.variant for line in data.lines]
    known = await return_reasons.reasons(reader, channel.pools[Resource.ORDERS])
    sold = await catalog.sellables(reader, channel, variants)
    prices = await return_store.lowest_prices(
        reader,
        variants,
        channel.pools[Resource.PRICES],
        channel.id,
        channel.currency,
        channel.setting("no_receipt_days"),
    )
    going = Going(
        delivery=Delivery.CARRY_OUT,
        location=data.location,
        address=None,
        buyer=CONSUMER,
        units=[(line.variant, line.quantity) for line in data.lines],
    )
    by = await basis_of(reader, going, channel, sold)  # as if it was bought here: nobody knows more
    lines, goes = [], []
    for index, given in enumerate(data.lines):
        reason = known.get(given.reason)
        if reason is None or not reason.is_active:
            raise InvalidInput.at(f"lines/{index}/reason", f"one of {', '.join(known)}")
        if given.variant not in sold or given.variant not in prices:
            raise InvalidInput.at(f"lines/{index}/variant", "this had no price here in that time")
        if sold[given.variant].parts:
            raise InvalidInput.at(
                f"lines/{index}/variant", "this is a set: it comes back as its parts; name those"
            )
        lines.append(
            _line(
                index + 1,
                sold[given.variant],
                given.quantity,
                prices[given.variant],
                by.of(sold[given.variant]),
            )
        )
        goes.append(return_reasons.disposition(reason, given.condition, None, channel))
    return lines, goes


def _line(position: int, sold: Sellable, quantity: int, price: UnknownPrice, decision: Decision) -> OrderLine:
    worth = amounts(
        price.amount, quantity, decision.rate, tax_included=price.tax_included, per=sold.sold_by.per
    )
    return OrderLine(
        position=position,
        kind=LineKind.ITEM,
        variant=sold.variant,
        sku=sold.sku,
        title=sold.title,
        options=sold.options,
        quantity=-quantity,
        unit_price=price.amount,
        sold_by=sold.sold_by,
        tax_included=price.tax_included,
        tax=-worth.tax,
        total=-worth.total,
        **rules.taxed_fields(decision),
    )


async def _book_in(
    tx: Tx, data: UnknownInput, lines: list[OrderLine], goes: list[Disposition], reference: UUID
) -> None:
    came = [(data.location, given.variant, given.quantity) for given in data.lines]
    named = [Named(each.variant, each.quantity, each.lot, each.expires_on) for each in data.lines]
    lots = await stock.resolve_lots(tx, named)
    await stock.restock(tx, came, reference=reference, lots=lots)
    for line, given, what, lot in zip(lines, data.lines, goes, lots, strict=True):
        if what is Disposition.QUARANTINE:
            aside = stock.Aside(data.location, given.variant, -line.quantity, given.reason, lot)
            await stock.put_aside(tx, [aside], reference=reference)
        elif what is not Disposition.SELL:
            units = [(data.location, given.variant, -line.quantity)]
            await stock.write_off(
                tx,
                units,
                cause=Cause.DAMAGE,
                reason=f"{what}: {given.reason}",
                reference=reference,
                lots=[lot],
            )
