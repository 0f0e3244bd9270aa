"""A return at a till whose new goods cost more, paid at the card terminal: agreed to, reserved, made.

The terminal reserves the money first, so that nothing waits for a card. What was agreed to waits as one of `exchange_store`, whose id
is that of the change it becomes. Its payment is begun for the ticket that is sold along, or for the change itself where there is none.
The page of the till that waits makes it, as the clerk it is; if that page never comes back nothing changes hands: the money is let go
by its own end, the goods by theirs (`exchange_paying.end_stale`).
"""

from uuid import UUID

import msgspec

from samlad import payments, stock
from samlad.carts import paying
from samlad.channels import Channel
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import NotFound
from samlad.orders import change_apply, change_facts, exchange_paying, exchange_store
from samlad.orders.balance import AT_TILL
from samlad.orders.change_model import Changed, ChangeInput
from samlad.orders.exchange_paying import PATIENCE_SECONDS, RESERVED, ExchangeEnded
from samlad.orders.exchange_store import ExchangeState, ExchangeToPay
from samlad.payments import Attempt, Payment, PaymentInput, PaymentStatus, StartInput


async def begin(
    tx: Tx, order_id: UUID, data: ChangeInput, till: Channel, terminal: UUID | None = None
) -> ExchangeToPay | None:
    """Agree to a change and begin its payment at a terminal of a till's store; the terminal wakes after the commit (`look`). The same
    ``id`` twice is begun once. None if nothing is sold for money: `orders.apply_change` makes that at once.

    Another one of the same order that waits for its money is given up.

    Raises:
        NotFound, Forbidden, WrongState, InvalidInput, ChangeDiffers, NeedsOverride: as `orders.apply_change`.
        InvalidInput: it has no id, or the store has no terminal. SoldOut: the new goods are gone. CartClosed: the ticket was sold.
        SoldWithReturn: the ticket waits with a return of another order. TerminalBusy: the terminal waits for another card.
    """
    head, lines, known = await exchange_paying.lock_for(tx, order_id, data)
    if known is not None:
        return known
    change_facts.check_state(head)
    change_facts.check_actions(head, data)
    facts, planned = await exchange_paying.plan(tx, head, lines, data)
    if planned.preview.to_pay <= 0 or not planned.preview.sold_total:
        return None
    data = msgspec.structs.replace(data, payments=[], pay_later=False)
    # Goods of a ticket are in the customer's hand, as with any ticket that is paid by card; those of an exchange are held.
    asked = await exchange_paying.wait(tx, head, data, planned, channel=till, sold_in=facts.sold_in)
    await _begin_payment(tx, asked, till, terminal)
    return asked


async def _begin_payment(tx: Tx, asked: ExchangeToPay, till: Channel, terminal: UUID | None) -> None:
    wanted = StartInput(provider=AT_TILL, amount=asked.amount, terminal=terminal)
    ticket = asked.input.cart
    if ticket is not None:
        for each in await payments.begun(tx, ticket):  # the clerk had begun to sell it alone
            if each.order_id is None and each.status in (PaymentStatus.PENDING, *RESERVED):
                await payments.leave_begun(tx, ticket, each.id)
        await paying.begin(tx, ticket, wanted)
        await exchange_store.check_alone(tx, ticket, besides=asked.id)  # its cart is locked now
    else:
        await payments.begin(tx, asked.id, till, asked.amount, wanted, until=asked.expires_at)


def _begun_for(asked: ExchangeToPay) -> UUID:
    return asked.input.cart or asked.id


async def look(database: Database, exchange_id: UUID) -> tuple[ExchangeToPay, Attempt]:
    """What waits, and how its latest payment stands; the terminal is asked if that is not settled.

    Raises:
        NotFound: there is none.
    """
    asked = await exchange_store.read(database, exchange_id)
    payment = None if asked is None else await _latest(database, asked)
    if asked is None or payment is None:
        raise NotFound("There is no such exchange.")
    if payment.status is PaymentStatus.PENDING and not payment.is_leaving:
        await payments.pursue_payment(database, payment.id, patience=PATIENCE_SECONDS)
        payment = await payments.read_payment(database, payment.id) or payment
    return asked, payments.shown(payment)


async def _latest(reader: Database | Tx, asked: ExchangeToPay) -> Payment | None:
    begun = [each for each in await payments.begun(reader, _begun_for(asked)) if each.provider == AT_TILL]
    return await payments.read_payment(reader, begun[-1].id) if begun else None


async def complete(tx: Tx, exchange_id: UUID) -> Changed:
    """Make it with what the terminal has reserved. Made before, it is answered again: two at once make it once.

    Raises:
        NotFound: there is none. ExchangeEnded: it waits no more. PaymentPending, NotClaimable: it is not reserved.
        Those of `orders.apply_change`: it cannot be made (so) any more.
    """
    head, asked = await exchange_paying.lock(tx, exchange_id)
    if asked.state is ExchangeState.MADE:
        return await change_apply.apply(tx, head.id, asked.input)
    payment = await _latest(tx, asked)
    if asked.state is ExchangeState.ENDED or payment is None:
        raise ExchangeEnded("Nothing came of it and nothing was charged.", reason=asked.reason)
    await stock.release(tx, exchange_id)
    given = PaymentInput(provider=AT_TILL, payment=payment.id, amount=asked.amount)
    # First: its ticket waits no more (`placement`).
    await exchange_store.end(tx, exchange_id, ExchangeState.MADE)
    return await change_apply.apply(tx, head.id, msgspec.structs.replace(asked.input, payments=[given]))


async def again(tx: Tx, exchange_id: UUID, till: Channel, terminal: UUID | None = None) -> ExchangeToPay:
    """Another card for one whose payment came to nothing; what was agreed to stays as it is. One that is awake is gone on with.

    Raises:
        NotFound: there is none. ExchangeEnded: it waits no more. Conflict: too many cards were tried.
        InvalidInput: the ticket comes to less now.
    """
    _head, asked = await exchange_paying.lock(tx, exchange_id)
    if asked.state is not ExchangeState.OPEN:
        raise ExchangeEnded("Nothing came of it and nothing was charged.", reason=asked.reason)
    payment = await _latest(tx, asked)
    if (
        payment is None
        or payment.is_leaving
        or payment.status in (PaymentStatus.DECLINED, PaymentStatus.VOIDED)
    ):
        await _begin_payment(tx, asked, till, terminal)
    return asked


async def leave(tx: Tx, exchange_id: UUID) -> UUID | None:
    """Nothing comes of it: the terminal is told to stop (after the commit), goods and money are free again. Of one that was made, or
    given up before, nothing changes. The payment that is let go.

    Raises:
        NotFound: there is none.
    """
    _head, asked = await exchange_paying.lock(tx, exchange_id)
    payment = await _latest(tx, asked)
    if asked.state is not ExchangeState.OPEN:
        return None
    if payment is not None and payment.order_id is None:
        await payments.leave_begun(tx, _begun_for(asked), payment.id)
    await exchange_paying.give_up(tx, exchange_id, "clerk")
    return None if payment is None else payment.id
