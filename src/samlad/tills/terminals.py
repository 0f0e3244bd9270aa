"""A card at a till that works by itself, as a kiosk does: the server asks the store's terminal, and nobody's word but the terminal's counts.

The payment is begun for the till's ticket, whose id the sale will have, as one for a cart is (`samlad.payments.attempts`). The till names
it, so that asking again after an answer was lost, or after a power cut, is the same payment. The entry of the journal that sells the
ticket claims what was reserved; what no entry claims in time is let go by the reconciler.
"""

from datetime import timedelta
from typing import Literal
from uuid import UUID

import msgspec

from samlad import payments
from samlad.channels import Channel
from samlad.kernel.clock import now
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.payments import Attempt, Payment, PaymentStatus, StartInput
from samlad.tills import store
from samlad.tills.desk import Desk
from samlad.tills.model import Objection, Paid, Sale
from samlad.tills.permissions import RECORD

PROVIDER = "terminal"
PATIENCE_SECONDS = 10.0
KEPT_FOR = timedelta(days=2)
"""How long money stays reserved once the till was told that it is: its entry may come late, as the network may fail in this very moment.
Card schemes hold what was reserved in person for two days and more."""
RESERVED = (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)

State = Literal["waiting", "accepted", "declined", "cancelled", "timed-out", "let-go"]
_ENDS: dict[str, State] = {"cancelled-at-the-terminal": "cancelled", "timed-out": "timed-out"}


class CardInput(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that a till begins for its ``ticket``: under which id, how much (minor units) and of which currency; at which of the
    store's terminals, else at its first one."""

    ticket: UUID
    payment: UUID
    amount: Paid
    currency: str
    terminal: UUID | None = None


class ByTerminal(msgspec.Struct, frozen=True, kw_only=True):
    """What of a sale was reserved at terminals and is the order's now, and what lacks of what the till took (minor units)."""

    payments: list[Payment] = []
    lacking: int = 0
    objections: list[Objection] = []


def is_here(channel: Channel) -> bool:
    """Whether the store takes cards at a terminal that we talk to."""
    return PROVIDER in payments.offered(channel)


def state_of(seen: Attempt) -> State:
    """How a payment stands, as whoever waits at the terminal needs to know it."""
    if seen.status in RESERVED:
        return "accepted"
    if seen.status is PaymentStatus.PENDING:
        return "waiting"
    said = _ENDS.get(seen.reason or "")
    if said is not None:
        return said
    return "let-go" if seen.status is PaymentStatus.VOIDED else "declined"


async def begin(tx: Tx, desk: Desk, data: CardInput) -> Attempt:
    """Begin a payment for a ticket; the terminal wakes after the commit (`look`). The same one again is answered as it stands; another
    one that was begun for this ticket is let go.

    Raises:
        InvalidInput: no terminal here, or another currency. Conflict: the ticket was sold, the id is another's, or too many were begun.
        TerminalBusy: it waits for another card.
    """
    tx.actor.require(RECORD, location=desk.location.id)
    if data.currency != desk.channel.currency:
        raise InvalidInput.at("currency", f"this store sells in {desk.channel.currency}")
    await payments.lock_ticket(tx, data.ticket)
    known = await payments.read_payment(tx, data.payment)
    if known is not None:
        if (known.cart, known.provider, known.amount) != (data.ticket, PROVIDER, data.amount):
            raise Conflict("Another payment has this id.")
        return payments.shown(known)
    if await store.read(tx, data.ticket) is not None:
        raise Conflict("This ticket was sold already.")
    for each in await payments.begun(tx, data.ticket):
        if each.status in (PaymentStatus.PENDING, *RESERVED):
            await payments.leave_begun(tx, data.ticket, each.id)
    wanted = StartInput(provider=PROVIDER, amount=data.amount, terminal=data.terminal)
    begun = await payments.begin(tx, data.ticket, desk.channel, data.amount, wanted, key=data.payment)
    return payments.shown(begun)


async def look(database: Database, context: Context, desk: Desk, ticket: UUID, payment_id: UUID) -> Attempt:
    """How a payment stands; its terminal is asked if that is not settled. From the moment that a till is told of it, what is reserved
    stays so for `KEPT_FOR`.

    Raises:
        NotFound: none of this id was begun here for this ticket.
    """
    context.actor.require(RECORD, location=desk.location.id)
    found = await _of_ticket(database, desk, ticket, payment_id)
    if found.status is PaymentStatus.PENDING and not found.is_leaving:
        await payments.pursue_payment(database, payment_id, patience=PATIENCE_SECONDS, context=context)
        found = await _of_ticket(database, desk, ticket, payment_id)
    if found.status in RESERVED and found.order_id is None:
        until = (found.created_at or now()) + KEPT_FOR
        await database.transaction(lambda tx: payments.keep_reserved(tx, payment_id, until), context)
        found = await _of_ticket(database, desk, ticket, payment_id)
    return payments.shown(found)


async def leave(tx: Tx, desk: Desk, ticket: UUID, payment_id: UUID) -> Attempt:
    """The customer does not pay so after all: the terminal is told to stop (after the commit), what it reserved is free again.

    Raises:
        NotFound: none of this id was begun here for this ticket. NotClaimable: the ticket was sold with it.
    """
    tx.actor.require(RECORD, location=desk.location.id)
    await _of_ticket(tx, desk, ticket, payment_id)
    return payments.shown(await payments.leave_begun(tx, ticket, payment_id))


async def _of_ticket(reader: Reader, desk: Desk, ticket: UUID, payment_id: UUID) -> Payment:
    found = await payments.read_payment(reader, payment_id)
    if found is None or (found.cart, found.provider, found.channel) != (ticket, PROVIDER, desk.channel.id):
        raise NotFound("No such payment was begun for this ticket.")
    return found


async def against(tx: Tx, desk: Desk, sale: Sale) -> list[Objection]:
    """An objection that blocks for each card of which no terminal ever told the till that it was accepted."""
    objections = []
    for tender in sale.tenders:
        if tender.payment is None:
            continue
        try:
            found = await _of_ticket(tx, desk, sale.id, tender.payment)
        except NotFound:
            objections.append(Objection(code="card", there=str(tender.payment), blocks=True))
            continue
        if not ((found.status in RESERVED and not found.is_leaving) or _was_told(found)):
            objections.append(
                Objection(code="card", here=found.status, there=str(tender.payment), blocks=True)
            )
    return objections


def _was_told(payment: Payment) -> bool:
    began, until = payment.created_at, payment.expires_at
    return began is not None and until is not None and until >= began + KEPT_FOR


async def take(tx: Tx, sale: Sale, order: UUID) -> ByTerminal:
    """Make the order's what was reserved at terminals for a sale. The goods have left: what is not reserved any more makes the order come
    to less, openly, and is on the managers' list."""
    wanted = {each.payment: each.amount for each in sale.tenders if each.payment is not None}
    claimed = await payments.claim_sold(tx, order, sale.id, list(wanted))
    lacking, objections = 0, []
    for payment, amount in wanted.items():
        there = claimed[payment].amount if payment in claimed else 0
        if there != amount:
            lacking += amount - there
            objections.append(Objection(code="card", here=str(there), there=str(amount)))
    return ByTerminal(payments=list(claimed.values()), lacking=lacking, objections=objections)
