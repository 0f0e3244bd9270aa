"""Which orders somebody of staff sees: all of them, or, bound to locations, those of these and those that these give a part of.

The till finds more: whoever takes goods back there may do it for any order of the shop (`samlad.orders.change_facts`).
"""

from uuid import UUID

from samlad.kernel.context import Actor
from samlad.kernel.database import Reader
from samlad.kernel.problems import NotFound
from samlad.orders import store
from samlad.stock import reach


async def check(reader: Reader, actor: Actor, order: UUID) -> None:
    """Nothing for whoever sees an order; no statement for those who are bound to no location.

    Raises:
        NotFound: it is not of their locations. Whether it is there at all is not said.
    """
    if actor.locations is not None and not await store.is_of(reader, order, sorted(actor.locations)):
        raise NotFound("There is no such order at your locations.")


def scope(actor: Actor) -> str | None:
    """The filter ``location`` of a list of orders: their locations, or None for all."""
    return None if actor.locations is None else ",".join(map(str, sorted(actor.locations)))


async def _of_payment(reader: Reader, actor: Actor, payment: UUID) -> None:
    if (order := await store.order_of_payment(reader, payment)) is not None:
        await check(reader, actor, order)


async def _of_refund(reader: Reader, actor: Actor, refund: UUID) -> None:
    if (order := await store.order_of_refund(reader, refund)) is not None:
        await check(reader, actor, order)


async def _of_part(reader: Reader, actor: Actor, part: UUID) -> None:
    if (order := await store.order_of_part(reader, part)) is not None:
        await check(reader, actor, order)


reach.belongs_by(("fulfilment_id",), _of_part)
reach.belongs_by(("payment_id",), _of_payment)
reach.belongs_by(("refund_id",), _of_refund)
