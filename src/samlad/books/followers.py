"""The money book follows the log: every fact that moves money, or its meaning, is booked once.

Only types and payloads of events are known here; what is booked is what the tables say now, so that an event that is
told twice or replayed from the beginning books nothing that is there.
"""

from datetime import datetime
from uuid import UUID

from samlad.books import posting, rules, tills
from samlad.books.posting import Cause
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event

ORDER_EVENTS = (
    "order.placed",
    "order.paid",
    "order.fulfilled",
    "order.cancelled",
    "order.returned",
    "order.part_called_off",
    "order.changed",
    "fulfilment.substituted",
)
"""After these an order is looked at, and the return that they name."""
PAYMENT_EVENTS = ("payment.captured", "payment.claimed")
REFUND_EVENTS = (
    "payment.refunded",
    "payment.refund_begun",
    "payment.refund_failed",
    "payment.paid_otherwise",
)
TIP_EVENTS = ("order.tipped", "order.tip_returned")
CREDIT_EVENTS = (
    "gift_card.issued",
    "gift_card.charged",
    "gift_card.cancelled",
    "gift_card.expired",
    "store_credit.granted",
    "loyalty.rewarded",
)
POINTS_EVENTS = (
    "loyalty.earned",
    "loyalty.released",
    "loyalty.taken_back",
    "loyalty.expired",
    "loyalty.rewarded",
)
MONEY_EVENTS = (*ORDER_EVENTS, *PAYMENT_EVENTS, *REFUND_EVENTS, *TIP_EVENTS, *CREDIT_EVENTS)
"""What must be booked before a day is closed."""


async def follow(tx: Tx, event: Event) -> None:
    """Book what an event tells of."""
    cause = Cause(key=str(event.id), at=_when(event), actor=event.actor, event=event.id)
    payload, subject = event.payload, event.subject
    if event.type in ORDER_EVENTS and subject is not None:
        await posting.settle_order(tx, subject, cause)
        if payload.get("by"):
            await posting.settle_order(tx, UUID(payload["by"]), cause)
    elif event.type in PAYMENT_EVENTS:
        await posting.settle_payment(tx, UUID(payload["payment"]), cause)
        await tills.note_payment(tx, event)
        await _order_of(tx, event, cause)
    elif event.type in TIP_EVENTS and subject is not None:
        await posting.settle_tip(tx, subject, cause)
    elif event.type in REFUND_EVENTS:
        await posting.settle_refund(tx, UUID(payload["refund"]), cause)
        await tills.note_payment(tx, event)
        await _order_of(tx, event, cause)
    elif subject is not None and event.type in (*CREDIT_EVENTS, *POINTS_EVENTS):
        if event.type in CREDIT_EVENTS:
            await posting.settle_credit(tx, subject, cause)
        if event.type in POINTS_EVENTS:
            await posting.settle_points(tx, subject, cause)
    else:
        await _book_other(tx, event, cause)


async def _book_other(tx: Tx, event: Event, cause: Cause) -> None:
    """What is no order's, payment's or customer's: money at the bank or a provider, goods, the past."""
    payload = event.payload
    if event.type == "payment.unmatched":
        await posting.settle_receipt(tx, UUID(payload["receipt"]), cause)
    elif event.type == "payment.settled":
        await posting.settle_settlement(tx, UUID(payload["settlement"]), cause)
    elif event.type == "supplier_return.changed" and event.subject is not None:
        await posting.settle_supplier_return(tx, event.subject, cause)
    elif event.type == "stock.moved":
        await _stock(tx, event, cause)
    elif event.type == "order.imported" and await posting.posts_imports(tx, event.channel):
        for order in payload["orders"]:
            await posting.settle_order(tx, UUID(order), cause)


async def _order_of(tx: Tx, event: Event, cause: Cause) -> None:
    """The order that money came for: it may have changed with it."""
    order = event.payload.get("order")
    if order is not None:
        await posting.settle_order(tx, UUID(order), cause)


async def _stock(tx: Tx, event: Event, cause: Cause) -> None:
    payload = event.payload
    if payload["cause"] not in rules.BOOKED_CAUSES:
        return
    levels = [(UUID(line["location"]), UUID(line["variant"])) for line in payload["lines"]]
    reference = UUID(payload["reference"]) if payload.get("reference") else None
    await posting.settle_stock(tx, event.id, reference, levels, cause)


def _when(event: Event) -> datetime:
    """When it happened: of a sale that a till rang up offline that is earlier than when we heard of it."""
    return min(event.occurred_at, event.recorded_at)


FOLLOWERS = [
    Follower(
        name="books",
        handle=follow,
        types=(
            *MONEY_EVENTS,
            *(kind for kind in POINTS_EVENTS if kind not in CREDIT_EVENTS),
            "payment.unmatched",
            "payment.settled",
            "stock.moved",
            "supplier_return.changed",
            "order.imported",
        ),
        batch=50,
    )
]
"""One follower, so that vouchers are numbered in the order of the log."""
