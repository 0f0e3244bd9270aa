"""Money that comes by bank or by hand, later: bank transfers, invoices, payment on delivery.

They answer at once (*pending*), in the order's own transaction. What comes in is booked by a person or by a program that
reads the bank's statements, in parts if it comes so, and finds its payment by the reference that the payer was told: a
structured creditor reference (ISO 11649, ``RF32 10001``), whose check digits catch what was typed wrongly.
"""

import re
from datetime import date, timedelta
from uuid import UUID, uuid5

import msgspec
from stdnum import iso11649

from samlad.kernel import cards, log
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Database, Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.jobs import JobContext, job, periodic
from samlad.kernel.problems import Conflict, InvalidInput, NotFound
from samlad.payments import at_till, elsewhere, events, manual_store, store
from samlad.payments.model import (
    Outcome,
    Payment,
    PaymentDisputed,
    PaymentStatus,
    Receipt,
    ReceivedInput,
    Refund,
    RefundStatus,
    Request,
)
from samlad.payments.permissions import RECEIVE
from samlad.payments.providers import is_network, provider, register
from samlad.payments.pursuit import give_back
from samlad.payments.telling import tell, tell_refund

_REFERENCE = re.compile(r"RF[0-9]{2}[0-9]{5,12}")
REMINDER_DAYS, MOST_REMINDERS = 7, 3
BATCH = 200


class Manual:
    """What these three have in common: nobody is called, nothing is held, money goes back by hand."""

    is_local, staff_only, needs_offer, comes_later, pays_alone = True, False, True, True, True

    def __init__(self, name: str, *, has_reference: bool) -> None:
        self.name = name
        self._has_reference = has_reference

    async def authorize(self, tx: Tx, request: Request) -> Outcome:
        """Agreed, and still to be paid: by a day, with a reference, unless it is collected on delivery."""
        if not self._has_reference:
            return Outcome(status=PaymentStatus.PENDING, reference=f"{self.name}-{request.payment}")
        days = int(request.channel.setting("payment_days")) if request.channel else 14
        today = local_day(now(), request.channel.time_zone if request.channel else "UTC")
        reference = reference_of(await manual_store.next_number(tx))
        return Outcome(status=PaymentStatus.PENDING, reference=reference, due_on=today + timedelta(days=days))

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """There is nothing to take: it comes by itself."""
        return Outcome(status=PaymentStatus.PENDING, reference=reference)

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """To be sent back by a person, who then says so (`refunded`)."""
        return Outcome(status=PaymentStatus.PENDING, reference=f"{self.name}-{refund}")

    async def void(self, tx: Tx, payment: UUID, reference: str | None) -> Outcome:  # noqa: ARG002
        """It is not due any more."""
        return Outcome(status=PaymentStatus.VOIDED, reference=reference)


def reference_of(number: int) -> str:
    """A structured creditor reference of a number: ``RF``, two check digits (ISO 7064 mod 97-10), the number."""
    check = 98 - int(f"{number}271500") % 97  # R = 27, F = 15
    return str(iso11649.validate(f"RF{check:02d}{number}"))


def find_reference(text: str) -> str | None:
    """The reference in what a payer wrote, however it is spaced; None if there is none or its check digits are wrong."""
    for found in _REFERENCE.findall(re.sub(r"[^0-9A-Z]", "", text.upper())):
        for end in range(len(found), 8, -1):
            if iso11649.is_valid(found[:end]):
                return str(found[:end])
    return None


async def receive(tx: Tx, data: ReceivedInput) -> Receipt:
    """Book money that came in: it pays what its reference says, in parts if need be. What is too much, or for nothing
    that we know, is kept for a person to look at. The same ``bank_id`` again changes nothing.

    Raises:
        CardNumber: something in it looks like a card number.
    """
    tx.actor.require(RECEIVE)
    cards.refuse(data)
    reference = find_reference(data.reference)
    receipt = Receipt(
        id=new_id(),
        payment=None,
        reference=reference or data.reference,
        currency=data.currency,
        amount=data.amount,
        matched=0,
        received_on=data.received_on or now().date(),
        bank_id=data.bank_id,
        note=data.note,
    )
    if not await manual_store.insert_receipt(tx, receipt):
        known = await manual_store.receipt_of(tx, data.bank_id or "")
        assert known is not None
        if (known.amount, known.currency) != (data.amount, data.currency):
            raise Conflict.at("bank_id", "was booked before with another amount")
        return known
    payment = await manual_store.lock_by_reference(tx, reference) if reference else None
    if payment is not None and payment.currency == data.currency:
        return await _match(tx, receipt, payment)
    _tell_unmatched(tx, receipt)
    return receipt


async def collect(tx: Tx, payment_id: UUID, amount: int, *, note: str = "") -> Receipt:
    """Book money that was handed over for a payment that is pending: on delivery, or an invoice paid at the counter.

    Raises:
        NotFound: no such payment. InvalidInput: it is none of these, or more than is still due of it.
    """
    tx.actor.require(RECEIVE)
    cards.refuse(note, "note")
    payment = await store.lock(tx, payment_id)
    if payment is None:
        raise NotFound("There is no such payment.")
    if payment.provider not in NAMES or payment.status is not PaymentStatus.PENDING:
        raise InvalidInput(
            f"It is {payment.status} with {payment.provider}; nothing can be collected for it."
        )
    left = payment.amount - payment.captured
    if amount > left:
        raise InvalidInput.at("amount", f"at most {left} is still due")
    receipt = Receipt(
        id=new_id(),
        payment=None,
        reference=payment.reference,
        currency=payment.currency,
        amount=amount,
        matched=0,
        received_on=now().date(),
        note=note,
    )
    await manual_store.insert_receipt(tx, receipt)
    return await _match(tx, receipt, payment)


async def refunded(tx: Tx, refund_id: UUID) -> None:
    """Say that money that goes back by hand or by a marketplace was sent. Said twice it is the same.

    Raises:
        NotFound: no such refund. InvalidInput: a provider sends it, which says so itself.
    """
    tx.actor.require(RECEIVE)
    refund = await manual_store.refund(tx, refund_id)
    payment = await store.lock(tx, refund.payment) if refund else None
    if refund is None or payment is None:
        raise NotFound("There is no such refund.")
    if payment.provider not in SENT_BY_HAND:
        raise InvalidInput(f"{payment.provider} sends it and says so itself.")
    if await store.end_refund(tx, refund_id, RefundStatus.DONE, None, None):
        tell_refund(tx, events.PaymentRefunded, payment, refund)


async def forget_rest(tx: Tx, order: UUID) -> None:
    """What is still expected by bank or by hand for an order of which nothing is due any more: nobody is reminded of it."""
    for payment in await store.lock_of_order(tx, order):
        if payment.provider in NAMES and payment.status is PaymentStatus.PENDING:
            ended = PaymentStatus.CAPTURED if payment.captured else PaymentStatus.VOIDED
            changed = msgspec.structs.replace(payment, status=ended)
            await store.change(tx, changed)
            if ended is PaymentStatus.VOIDED:
                tell(tx, changed)


def again_key(refund: UUID) -> UUID:
    """The id of the refund by which a failed one is tried again."""
    return uuid5(refund, "again")


async def try_again(tx: Tx, refund_id: UUID) -> Refund:
    """Ask a provider on the network once more for a refund that failed, as a new one. Said twice it is the same.

    Raises:
        NotFound: no such refund. InvalidInput: it did not fail, or so much cannot go back any more. PaymentDisputed: the bank takes it back.
    """
    tx.actor.require(RECEIVE)
    refund, payment = await refund_of(tx, refund_id)
    if refund.status is not RefundStatus.FAILED or not is_network(provider(payment.provider)):
        raise InvalidInput(f"It is {refund.status}; only what a provider refused is tried again.")
    key = again_key(refund.id)
    again = await manual_store.refund(tx, key)
    if again is not None:
        return again
    if await store.paid_otherwise(tx, refund.id):
        raise InvalidInput("It was paid back in another way: the provider is not asked again.")
    if payment.refundable < refund.amount and payment.disputed:
        raise PaymentDisputed.of(payment.refundable)
    if payment.refundable < refund.amount:
        raise InvalidInput(f"Only {payment.refundable} (minor units) of this payment can still go back.")
    again = await give_back(tx, payment, refund.amount, refund.reason, key=key)
    await store.note_again(tx, key, refund.id)
    return again


async def known_refund(reader: Reader, refund_id: UUID) -> Refund:
    """A refund as it is at this moment. Raises NotFound."""
    known = await manual_store.refund(reader, refund_id)
    if known is None:
        raise NotFound("There is no such refund.")
    return known


async def refund_of(tx: Tx, refund_id: UUID) -> tuple[Refund, Payment]:
    """A refund and its payment, which nobody changes until the commit. Raises NotFound."""
    known = await manual_store.refund(tx, refund_id)
    payment = await store.lock(tx, known.payment) if known else None
    refund = await manual_store.refund(tx, refund_id)
    if refund is None or payment is None:
        raise NotFound("There is no such refund.")
    return refund, payment


async def _match(tx: Tx, receipt: Receipt, payment: Payment) -> Receipt:
    left = payment.amount - payment.captured if payment.status is PaymentStatus.PENDING else 0
    matched = min(receipt.amount, left)
    receipt = msgspec.structs.replace(receipt, payment=payment.id, matched=matched)
    await manual_store.match(tx, receipt.id, payment.id, matched)
    if matched:
        is_all = matched == left
        changed = msgspec.structs.replace(
            payment,
            captured=payment.captured + matched,
            status=PaymentStatus.CAPTURED if is_all else PaymentStatus.PENDING,
        )
        await store.change(tx, changed)
        tell(tx, changed, came_in=matched)
    if matched < receipt.amount:
        _tell_unmatched(tx, receipt)
    return receipt


def _tell_unmatched(tx: Tx, receipt: Receipt) -> None:
    fact = events.MoneyUnmatched(
        receipt=receipt.id, amount=receipt.amount - receipt.matched, currency=receipt.currency
    )
    log.append(tx, fact, subject=receipt.id)


@job("payments.remind")
@periodic("10 6 * * *")
async def remind(ctx: JobContext) -> None:
    """Each morning: an event for what is overdue, three times a week apart. The mail follows from the event, once there
    are messages; until then the order's page and the log show it."""
    await remind_of(ctx.database, now().date())


async def remind_of(database: Database, today: date) -> int:
    """Tell of everything that is overdue on a day and was not told of lately; how many."""

    async def work(tx: Tx) -> int:
        late = await manual_store.overdue(tx, today, every=REMINDER_DAYS, most=MOST_REMINDERS, limit=BATCH)
        for payment, count in late:
            assert payment.due_on is not None
            fact = events.PaymentOverdue(
                order=payment.order_id,
                payment=payment.id,
                provider=payment.provider,
                amount=payment.amount - payment.captured,
                currency=payment.currency,
                due_on=payment.due_on,
                reminder=count,
                reference=payment.reference,
            )
            log.append(tx, fact, subject=payment.order_id, channel=payment.channel)
        return len(late)

    total = 0
    while found := await database.transaction(work):
        total += found
    return total


TRANSFER = Manual("bank_transfer", has_reference=True)
INVOICE = Manual("invoice", has_reference=True)
ON_DELIVERY = Manual("on_delivery", has_reference=False)
NAMES = frozenset({TRANSFER.name, INVOICE.name, ON_DELIVERY.name})

SENT_BY_HAND = NAMES | {elsewhere.NAME, elsewhere.HISTORY, *at_till.TAKEN}
"""What goes back through these a person sends, and says so."""

for _each in (TRANSFER, INVOICE, ON_DELIVERY):
    register(_each)
