"""What follows from orders: sums by day, and whose order it is."""

from uuid import UUID

from samlad import channels, customers, promotions
from samlad.customers import PersonInput
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.followers import Follower
from samlad.kernel.log import Event
from samlad.orders import expected, store
from samlad.orders.events import OrderCustomerLinked
from samlad.orders.fulfilment_short import on_stock_lost
from samlad.orders.model import OrderHead, OrderKind


async def summarise(tx: Tx, event: Event) -> None:
    """Link an order to its customer and bring it into (or, cancelled, out of) the sums.

    Seen twice it does nothing the second time: what is counted is marked on the order itself.
    """
    order = event.subject
    if order is None:
        return
    head = await store.head(tx, order)
    if head is None:
        return
    if head.customer is None and head.email is not None:
        await _link(tx, head, head.email)
    counted = await store.count(tx, order)
    if counted is not None and counted.customer is not None:
        sign = -1 if counted.is_out else 1
        spend = customers.Spend(
            customer=counted.customer,
            currency=counted.currency,
            orders=sign * (counted.kind == OrderKind.SALE and not counted.is_empty),
            spent=sign * counted.total,
            last_order_at=counted.placed_at,
        )
        await customers.book_spend(tx, [spend])


async def _link(tx: Tx, head: OrderHead, email: str) -> UUID:
    """The customer with the order's e-mail address, who may be new."""
    channel = await channels.cached(tx, head.channel)
    person = PersonInput(email=email, name=head.name, phone=head.phone, country=head.country)
    pool = channel.pools[channels.Resource.CUSTOMERS]
    customer = await customers.find_or_create(tx, pool, person, channel=channel.id)
    if await store.link_customer(tx, head.id, customer.id):
        fact = OrderCustomerLinked(number=head.number, customer=customer.id)
        log.append(tx, fact, subject=head.id, channel=head.channel, profile=customer.id)
        if head.cart is not None:  # what they were shown before it was known who they are
            await promotions.hand_on(tx, head.cart, customer.id, promotions.HolderKind.CUSTOMER)
    return customer.id


FOLLOWERS = [
    Follower(name="order-sums", handle=summarise, types=("order.placed", "order.cancelled"), batch=50),
    Follower(name="order-expected", handle=expected.note, types=("fulfilment.opened",)),
    Follower(name="fulfilment-lost", handle=on_stock_lost, types=("stock.lost",), batch=10),
]
