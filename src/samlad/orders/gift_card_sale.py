"""A gift card that a customer buys in the shop for somebody: an order of its own, paid like any that was placed unpaid.

It is no goods: nothing is held, packed or taxed (it is taxed when it is spent). Nobody who does not pay is waited for for long.
"""

from functools import partial
from typing import Annotated
from uuid import UUID, uuid5

import msgspec

from samlad import channels, credit
from samlad.channels import Channel, ChannelKind, Resource
from samlad.credit import MailInput
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import InvalidInput
from samlad.orders import changes, store
from samlad.orders.model import CancelInput, LineKind, Order, OrderKind, OrderLine, OrderPayment, OrderStatus
from samlad.orders.order_page import read
from samlad.orders.placement import tell_placed
from samlad.tax import Treatment, plain_category

PATIENCE_HOURS = 24
NOT_PAID = "Not paid in time"
SWEEP = 100


class GiftCardSale(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What somebody buys: ``amount`` in minor units, their own address, who gets the card. ``key``: the same twice is once."""

    key: UUID
    amount: Annotated[int, msgspec.Meta(ge=1, le=10**12)]
    email: Annotated[
        str, msgspec.Meta(max_length=254, pattern=r"^[^@\s\x00]{1,64}@[^@\s\x00]+\.[^@\s\x00.]+$")
    ]
    to: MailInput


async def sell(tx: Tx, channel_id: UUID, data: GiftCardSale) -> Order:
    """Place the order of a gift card; it waits for its payment. Whoever may look at the shop may buy one.

    Raises:
        InvalidInput: the shop sells none, or none of this amount; the day cannot be.
        Conflict: the same key was used before: the order is `order_of` it.
    """
    channel = await channels.cached(tx, channel_id)
    most = int(channel.setting("gift_card_shop_limit"))
    if most == 0 or channel.kind in (ChannelKind.STORE, ChannelKind.MARKETPLACE):
        raise InvalidInput.at("amount", "no gift cards are sold here")
    if data.amount > most:
        raise InvalidInput.at("amount", "so much cannot be put onto a gift card here")
    order = _order(tx, channel, data)
    # The card first: of two with the same key the second waits here, and is told.
    await credit.sell_by_mail(tx, channel, uuid5(data.key, "card"), data.amount, order.id, data.to)
    number = await store.insert(tx, order, channel.setting("number_prefix"))
    order = msgspec.structs.replace(order, number=number)
    tell_placed(tx, order)
    return await read(tx, order.id)


def order_of(key: UUID) -> UUID:
    """The order that a sale with this key made."""
    return uuid5(key, "order")


def _order(tx: Tx, channel: Channel, data: GiftCardSale) -> Order:
    moment = now()
    line = OrderLine(
        position=1,
        kind=LineKind.GIFT_CARD,
        title="Gift card",
        quantity=1,
        unit_price=data.amount,
        tax_included=bool(channel.setting("prices_include_tax")),
        total=data.amount,
        tax_rate=0,
        tax_category=plain_category(0),
        tax_treatment=Treatment.DOMESTIC,
        tax_country=channel.country,
    )
    return Order(
        id=order_of(data.key),
        pool=channel.pools[Resource.ORDERS],
        channel=channel.id,
        number="",
        kind=OrderKind.SALE,
        status=OrderStatus.PLACED,
        payment_status=OrderPayment.UNPAID,
        customer=tx.actor.id if tx.actor.kind == "customer" else None,
        email=data.email,
        country=channel.country,
        currency=channel.currency,
        items=0,
        tax=0,
        total=data.amount,
        placed_at=moment,
        local_day=local_day(moment, channel.time_zone),
        lines=[line],
    )


async def end_unpaid(database: Database) -> int:
    """Call off what nobody has paid for a day; how many orders. What waits for a provider or a transfer is left."""
    rows = await database.rows(
        """SELECT o.id FROM gift_card_mail m JOIN orders o ON o.id = m.order_id
           WHERE o.status = 'placed' AND o.payment_status = 'unpaid' AND o.items = 0 AND o.cart IS NULL AND m.sent_at IS NULL
             AND o.placed_at < now() - make_interval(hours => $1) ORDER BY o.placed_at LIMIT $2""",
        PATIENCE_HOURS,
        SWEEP,
    )
    ended = 0
    for row in rows:
        ended += await database.transaction(partial(_end, order=row["id"]), Context(actor=SYSTEM))
    return ended


async def _end(tx: Tx, order: UUID) -> bool:
    found = await store.lock(tx, order)
    if found is None:
        return False
    head, lines = found
    if head.status is not OrderStatus.PLACED or head.payment_status is not OrderPayment.UNPAID:
        return False  # paid or called off in this very moment
    await changes.cancel_locked(tx, head, lines, CancelInput(reason=NOT_PAID))
    return True
