"""A buyer calls their own order off, for as long as nobody has begun to pack it."""

from collections.abc import Sequence
from uuid import UUID

from samlad import credit
from samlad.kernel.database import Reader, Tx
from samlad.orders import changes, fulfilment_store, store
from samlad.orders.fulfilment_model import Fulfilment, FulfilmentState
from samlad.orders.model import CancelInput, Order, OrderHead, OrderKind, OrderLine, OrderStatus, WrongState
from samlad.orders.order_page import read

UNTOUCHED = (FulfilmentState.OPEN, FulfilmentState.WAITING, FulfilmentState.NEEDS_CUSTOMER)
"""Nobody has taken anything of it off a shelf."""
ENDED = (FulfilmentState.REJECTED, FulfilmentState.CANCELLED)
BY_BUYER = "By the buyer"


def is_open(head: OrderHead, lines: Sequence[OrderLine], still_to_go: Sequence[Fulfilment]) -> bool:
    """Whether an order can be called off by who placed it: a sale of ours of which nothing was packed, sent or called off.

    What was agreed with staff (a deposit, an exchange) is called off with them.
    """
    return (
        head.kind is OrderKind.SALE
        and head.status in (OrderStatus.PLACED, OrderStatus.PAID)
        and head.imported is None
        and head.deposit is None
        and head.changes is None
        and not any(line.fulfilled or line.returned or line.cancelled for line in lines)
        and all(each.state in UNTOUCHED for each in still_to_go)
    )


async def can_cancel(reader: Reader, order: Order) -> bool:
    """Whether its page offers it. At most two statements."""
    if not is_open(order, order.lines, ()):
        return False
    if await credit.is_card_sent(reader, order.id):
        return False
    found = await fulfilment_store.of_order(reader, order.id)
    return is_open(order, order.lines, [each for each in found if each.state not in ENDED])


async def cancel(tx: Tx, order_id: UUID) -> Order:
    """Call it off as the buyer: nothing is sent, and what was paid goes back. Asked twice it is once.

    The caller has made sure whose it is, and lends the permission for this one verb.

    Raises:
        NotFound: no such order.
        WrongState: somebody has begun to pack it, or it is none that its buyer can call off.
    """
    found = await store.lock(tx, order_id)
    if found is not None and found[0].status is OrderStatus.CANCELLED:
        return await read(tx, order_id)
    if found is not None and not is_open(*found, await fulfilment_store.lock(tx, order_id)):
        raise WrongState(
            "It is being packed already. When you have it, you can send it back.", state=found[0].status
        )
    if found is not None and await credit.is_card_sent(
        tx, order_id
    ):  # whoever sends it locks the order first
        raise WrongState("The gift card has been sent already.", state=found[0].status)
    return await changes.cancel(tx, order_id, CancelInput(reason=BY_BUYER))
