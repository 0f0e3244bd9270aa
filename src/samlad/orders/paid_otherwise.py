"""What a provider refused to give back of an order, given back by the bank, as store credit, or out of a drawer."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec

from samlad import credit
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.orders import settling, store
from samlad.orders.model import OrderHead
from samlad.payments import Payment, Refund, otherwise
from samlad.payments.model import Amount, Note, Way
from samlad.payments.permissions import RECEIVE


class PaidOtherwiseInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """How a refund that its provider refused was given back. Cash goes out of a drawer, by that drawer's own operation."""

    way: Literal["bank_transfer", "store_credit"]
    amount: Annotated[
        Amount | None, msgspec.Meta(description="A part of it, minor units; left out: all that is left")
    ] = None
    reference: Annotated[Note, msgspec.Meta(description="Of the bank transfer, which needs one")] = ""
    id: Annotated[UUID | None, msgspec.Meta(description="Your own id of it: the same again counts once")] = (
        None
    )


async def pay_back(tx: Tx, refund_id: UUID, data: PaidOtherwiseInput) -> Refund:
    """Say that a refund that failed was sent by bank, or make store credit of it. The same ``id`` again changes nothing.

    Raises:
        NotFound, InvalidInput, Conflict: as `samlad.payments.otherwise.pay`; a transfer has no reference; nobody is known whose credit it is.
    """
    tx.actor.require(RECEIVE)
    way, key = Way(data.way), data.id or new_id()
    reference = data.reference.strip()
    if way is Way.BANK_TRANSFER and not reference:
        raise InvalidInput.at("reference", "say by which transfer")
    head = await _lock_order(tx, refund_id)
    customer = head.customer if head else None
    if way is Way.STORE_CREDIT and customer is None:
        raise InvalidInput.at("way", "nobody is known whose store credit it could be")
    given, payment, is_new = await otherwise.pay(tx, refund_id, key, way, data.amount, reference=reference)
    if is_new and customer is not None and head is not None and way is Way.STORE_CREDIT:
        await credit.refund_to_credit(
            tx,
            customer,
            given.amount,
            payment.currency,
            refund=given.id,
            order=head.id,
            reason=given.reason,
        )
    await _settle(tx, head)
    return given


async def in_cash(
    tx: Tx, refund_id: UUID, key: UUID, amount: int | None, *, location: UUID, reason: str
) -> tuple[Refund, Payment, bool]:
    """The same in cash at a location; part of the verb of the drawer that it goes out of (`samlad.books.till_refunds`)."""
    head = await _lock_order(tx, refund_id)
    paid = await otherwise.pay(tx, refund_id, key, Way.CASH, amount, reason=reason, location=location)
    await _settle(tx, head)
    return paid


async def _lock_order(tx: Tx, refund_id: UUID) -> OrderHead | None:
    """The order first, as everywhere; None: the payment had none."""
    order = await store.order_of_refund(tx, refund_id)
    found = None if order is None else await store.lock(tx, order)
    return None if found is None else found[0]


async def _settle(tx: Tx, head: OrderHead | None) -> None:
    if head is not None:
        await settling.settle_order(tx, head.id)
