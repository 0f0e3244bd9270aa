"""People with carts: what tests of shared carts do as a guest, a customer, and somebody of the store."""

from typing import Any
from uuid import UUID

from samlad import carts, customers
from samlad.access.permissions import Role, permissions_of
from samlad.carts import CartInput, CartView, LineInput, NewCart
from samlad.channels import Channel, Resource
from samlad.customers import PersonInput
from samlad.kernel.context import Actor, Context
from samlad.kernel.ids import new_id
from trade import GUEST, Trade

CLERK = Context(
    actor=Actor(
        kind="staff",
        id=new_id(),
        name="Sam",
        permissions=permissions_of(Role.STORE) | permissions_of(Role.SUPPORT),
    )
)


async def customer(trade: Trade, email: str) -> Context:
    """Somebody who is signed in."""
    pool = trade.web.pools[Resource.CUSTOMERS]
    made = await trade.db.transaction(lambda tx: customers.find_or_create(tx, pool, PersonInput(email=email)))
    return Context(actor=Actor(kind="customer", id=made.id))


async def begin(
    trade: Trade,
    *lines: tuple[UUID, int],
    who: Context = GUEST,
    channel: Channel | None = None,
    **fields: Any,
) -> NewCart:
    """A cart with lines, made by somebody; a guest by default."""
    data = CartInput(
        channel=(channel or trade.web).id,
        lines=[LineInput(variant=variant, quantity=quantity) for variant, quantity in lines],
        **fields,
    )
    return await trade.db.transaction(lambda tx: carts.create(tx, data), who)


def has(cart: CartView) -> dict[UUID, int]:
    """Quantity by variant."""
    return {line.variant: line.quantity for line in cart.lines}
