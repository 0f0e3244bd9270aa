"""Orders as the gift cards see them that are sold with them (`samlad.credit.sold_with`)."""

from uuid import UUID

from samlad.credit import sold_with
from samlad.credit.sold_with import SoldWith
from samlad.kernel.database import Tx
from samlad.orders import store
from samlad.orders.model import OrderKind, OrderStatus


async def look(tx: Tx, order: UUID) -> SoldWith | None:
    """An order, locked; None if there is none."""
    found = await store.lock(tx, order)
    if found is None:
        return None
    head = found[0]
    return SoldWith(
        currency=head.currency,
        total=head.total - head.called_off,
        is_sale=head.kind is OrderKind.SALE,
        is_cancelled=head.status is OrderStatus.CANCELLED,
    )


sold_with.register(look)
