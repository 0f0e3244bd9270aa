"""Tips: taken with a sale at a till, owed to the staff, given back only if somebody says so.

A tip is no part of its order's total: neither sales nor tax nor points nor what a return is worth know of it. The payments
of the order bring it, so they come to the total and the tip.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from samlad import payments
from samlad.access import audit
from samlad.carts import Cart, Delivery
from samlad.channels import Channel
from samlad.kernel import log
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import InvalidInput, NotFound
from samlad.orders import events, settling, store, tip_store
from samlad.orders.model import Order
from samlad.orders.permissions import CHANGE
from samlad.orders.tip_store import Tip

TIPPED = ("cash", "card")

TipAmount = Annotated[
    int,
    msgspec.Meta(
        ge=0, le=10**9, description="For the staff, beside the total; minor units", examples=[2_000]
    ),
]


class ClerkTips(msgspec.Struct, frozen=True, kw_only=True):
    """What was given for somebody (minor units), less what went back, and in how many sales."""

    clerk: UUID | None
    name: str
    currency: str
    sales: int
    amount: int


def check(amount: int, channel: Channel, cart: Cart, *, is_staff: bool) -> None:
    """Refuse a tip where none is taken.

    Raises:
        InvalidInput: the channel takes none, or the sale is not one of a till.
    """
    if not amount:
        return
    if not channel.setting("tips"):
        raise InvalidInput.at("tip", "this channel takes no tips")
    if cart.delivery is not Delivery.CARRY_OUT or cart.location is None or not is_staff:
        raise InvalidInput.at("tip", "only a sale at a till has one")


async def keep(
    tx: Tx, order: Order, amount: int, *, clerk: UUID | None, name: str, at: datetime | None = None
) -> None:
    """Note what was given with an order that this transaction makes; nothing for 0."""
    if amount <= 0 or order.location is None:
        return
    tender = max(order.payments, key=lambda each: each.amount).provider if order.payments else "cash"
    tip = Tip(
        order_id=order.id,
        amount=amount,
        currency=order.currency,
        channel=order.channel,
        location=order.location,
        clerk=clerk,
        clerk_name=name,
        tender=tender,
        at=at or order.placed_at,
    )
    await tip_store.insert(tx, tip)
    fact = events.OrderTipped(amount=amount, currency=order.currency, location=order.location, clerk=clerk)
    log.append(tx, fact, subject=order.id, channel=order.channel, occurred_at=at)


async def give_back(tx: Tx, order_id: UUID) -> Tip:
    """The tip of an order goes back to the customer with what paid it, the latest payment first. Twice is once.

    Raises:
        NotFound: the order has none.
        NotRefundable: so much did not come in, or it went back. PaymentDisputed: their bank takes it back.
    """
    found = await store.lock(tx, order_id)
    tip = None if found is None else await tip_store.of_order(tx, order_id)
    if found is None or tip is None:
        tx.actor.require(CHANGE)
        raise NotFound("This order has no tip.")
    tx.actor.require(CHANGE, location=tip.location)
    rest = tip.amount - tip.returned
    if not rest:
        return tip
    head = found[0]
    await payments.refund(tx, order_id, rest, channel=head.channel, reason="Tip")
    await tip_store.returned(tx, order_id, tip.amount)
    await settling.settle_order(tx, order_id)
    fact = events.TipReturned(amount=rest, currency=tip.currency, location=tip.location, clerk=tip.clerk)
    log.append(tx, fact, subject=order_id, channel=head.channel, profile=head.customer)
    audit.record(tx, "order.tip-returned", "order", order_id, after={"amount": rest})
    return msgspec.structs.replace(tip, returned=tip.amount)


async def by_clerk(
    reader: Reader, since: datetime, until: datetime, locations: Sequence[UUID] | None
) -> list[ClerkTips]:
    """What was given for each clerk in a time, within some locations if they are given."""
    return await tip_store.by_clerk(reader, ClerkTips, since, until, locations)
