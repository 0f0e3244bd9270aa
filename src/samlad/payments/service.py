"""Payments inside somebody else's transaction: they are taken with an order and given back with a return.

**Providers that answer at once** (``is_local``: `cash`, `test`) are called inside the transaction. It may run again
after a deadlock, which is harmless because nothing outside has happened.

**Providers on the network** must not be called there: a slow terminal would hold the rows of the last kettle, and a
transaction that runs again would call twice. They are authorised before the order is placed, placing claims what was
authorised, and a job captures it after the commit, as often as it takes (docs/decisions/payments.md). Until there
is such a provider `authorize` refuses one that is not local, so that none can be plugged in the wrong way.
"""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.payments import events, rules, store
from samlad.payments.model import (
    NotRefundable,
    Payment,
    PaymentDeclined,
    PaymentInput,
    PaymentStatus,
    Request,
)
from samlad.payments.providers import provider

_FACTS: dict[PaymentStatus, type[events.PaymentFact]] = {
    PaymentStatus.PENDING: events.PaymentPending,
    PaymentStatus.AUTHORIZED: events.PaymentAuthorized,
    PaymentStatus.CAPTURED: events.PaymentCaptured,
    PaymentStatus.VOIDED: events.PaymentVoided,
}


async def authorize(
    tx: Tx, order: UUID, inputs: Sequence[PaymentInput], amounts: Sequence[int], currency: str
) -> list[Payment]:
    """Ask the providers for these amounts (`rules.due_amounts`); nothing is stored yet.

    Raises:
        PaymentDeclined: one of them refused; what the others had reserved is let go.
        Forbidden: somebody who is not staff pays in a way that only staff can take.
    """
    taken: list[Payment] = []
    for index, (given, amount) in enumerate(zip(inputs, amounts, strict=True)):
        through = provider(given.provider, field=f"payments/{index}/provider")
        if not through.is_local:
            raise InvalidInput.at(f"payments/{index}/provider", "cannot be called while an order is placed")
        if through.staff_only and tx.actor.kind in ("guest", "customer"):
            raise Forbidden(f"Only staff can take a payment by {through.name}.")
        asked = Request(
            payment=new_id(), amount=amount, currency=currency, token=given.token, tendered=given.tendered
        )
        outcome = await through.authorize(tx, asked)
        if outcome.status is PaymentStatus.DECLINED:
            for earlier in taken:
                await provider(earlier.provider).void(tx, earlier.id, earlier.reference)
            raise PaymentDeclined(
                f"{through.name} declined: {outcome.reason}.", reason=outcome.reason, payment=index
            )
        taken.append(
            Payment(
                id=asked.payment,
                order_id=order,
                provider=through.name,
                currency=currency,
                amount=amount,
                status=outcome.status,
                reference=outcome.reference,
                tendered=given.tendered,
                change_due=None if given.tendered is None else given.tendered - amount,
            )
        )
    return taken


async def keep(tx: Tx, payments: Sequence[Payment], *, channel: UUID, profile: UUID | None = None) -> None:
    """Store what `authorize` answered, with an event each. One statement, none without payments."""
    if not payments:
        return
    await store.insert(tx, payments)
    for payment in payments:
        _tell(tx, payment, channel, profile)


async def add(
    tx: Tx,
    order: UUID,
    inputs: Sequence[PaymentInput],
    amounts: Sequence[int],
    currency: str,
    *,
    channel: UUID,
) -> list[Payment]:
    """Take more payments for an order that is there already."""
    payments = await authorize(tx, order, inputs, amounts, currency)
    await keep(tx, payments, channel=channel)
    return payments


async def capture(tx: Tx, order: UUID, *, channel: UUID) -> int:
    """Take all that was authorised for an order; how much that is (minor units)."""
    captured, outcomes = 0, []
    for payment in await store.lock_of_order(tx, order):
        if payment.status is not PaymentStatus.AUTHORIZED:
            continue
        outcome = await provider(payment.provider).capture(tx, payment.id, payment.reference, payment.amount)
        outcomes.append((payment.id, outcome))
        if outcome.status is PaymentStatus.CAPTURED:
            captured += payment.amount
            _tell(tx, payment, channel, None, status=outcome.status)
    await store.set_outcomes(tx, outcomes)
    return captured


async def void(tx: Tx, order: UUID, *, channel: UUID) -> None:
    """Let go of all that is authorised or pending for an order."""
    outcomes = []
    for payment in await store.lock_of_order(tx, order):
        if payment.status in (PaymentStatus.AUTHORIZED, PaymentStatus.PENDING):
            outcome = await provider(payment.provider).void(tx, payment.id, payment.reference)
            outcomes.append((payment.id, outcome))
            _tell(tx, payment, channel, None, status=outcome.status)
    await store.set_outcomes(tx, outcomes)


async def refund(tx: Tx, order: UUID, amount: int, *, channel: UUID, reason: str = "") -> None:
    """Give an amount back (minor units), through the payments it came by, the latest first.

    Raises:
        NotRefundable: less than that came in, or it has gone back already.
    """
    if amount == 0:
        return
    payments = await store.lock_of_order(tx, order)
    parts = rules.spread_refund(amount, payments)
    if parts is None:
        left = sum(payment.refundable for payment in payments)
        raise NotRefundable(f"At most {left} (minor units) can go back.", refundable=left)
    refunds = []
    for payment, part in parts:
        refund_id = new_id()
        outcome = await provider(payment.provider).refund(tx, refund_id, payment.reference, part)
        refunds.append((refund_id, payment.id, part, outcome.reference))
        fact = events.PaymentRefunded(
            order=order,
            payment=payment.id,
            provider=payment.provider,
            amount=part,
            currency=payment.currency,
            refund=refund_id,
        )
        log.append(tx, fact, subject=order, channel=channel)
    await store.add_refunds(tx, refunds, reason=reason)


def _tell(
    tx: Tx, payment: Payment, channel: UUID, profile: UUID | None, *, status: PaymentStatus | None = None
) -> None:
    fact = _FACTS[status or payment.status](
        order=payment.order_id,
        payment=payment.id,
        provider=payment.provider,
        amount=payment.amount,
        currency=payment.currency,
    )
    log.append(tx, fact, subject=payment.order_id, channel=channel, profile=profile)
