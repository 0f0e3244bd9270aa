"""Payments inside somebody else's transaction: they are taken with an order and given back with a return.

**Providers that answer at once** (``is_local``) are called inside the transaction. It may run again after a deadlock,
which is harmless because nothing outside has happened.

**Providers on the network** must not be called there: a slow terminal would hold the rows of the last kettle, and a
transaction that runs again would call twice. They are authorised before the order is placed (`samlad.payments.attempts`),
placing claims what was authorised, and what is wished after that is written here and asked for after the commit, as
often as it takes (`samlad.payments.pursuit`, docs/decisions/payments.md).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.channels import Channel
from samlad.kernel import cards
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound
from samlad.payments import accounts, events, operations, rules, store
from samlad.payments.attempts import leave
from samlad.payments.model import (
    NotRefundable,
    OperationKind,
    Outcome,
    Payment,
    PaymentDeclined,
    PaymentDisputed,
    PaymentInput,
    PaymentStatus,
    Refund,
    RefundStatus,
    Request,
)
from samlad.payments.providers import is_network, local, provider
from samlad.payments.pursuit import give_back
from samlad.payments.telling import tell, tell_refund


async def authorize(
    tx: Tx,
    order: UUID,
    inputs: Sequence[PaymentInput],
    amounts: Sequence[int],
    currency: str,
    *,
    channel: Channel | None = None,
    claimed: Mapping[UUID, Payment] | None = None,
) -> list[Payment]:
    """Ask the providers for these amounts (`rules.due_amounts`), nobody for 0; nothing is stored yet.

    ``claimed`` are the payments that were begun before (`attempts.claim`), which are asked for nothing here.

    Raises:
        PaymentDeclined: one of them refused; what the others had reserved is let go.
        Forbidden: somebody who is not staff pays in a way that only staff can take.
        InvalidInput: the channel does not offer it, or it must be begun for the cart first.
        CardNumber: something in the input looks like a card number.
    """
    cards.refuse(inputs, "payments")
    taken: list[Payment] = []
    for index, (given, amount) in enumerate(zip(inputs, amounts, strict=True)):
        if amount == 0:  # cash that rounds to nothing
            continue
        if given.payment is not None and claimed is not None and given.payment in claimed:
            taken.append(claimed[given.payment])
            continue
        field = f"payments/{index}/provider"
        through = local(given.provider, field=field)
        accounts.check_offered(channel, through, field=field)
        if through.staff_only and tx.actor.kind in ("guest", "customer"):
            raise Forbidden(f"Only staff can take a payment by {through.name}.")
        asked = Request(
            payment=new_id(),
            amount=amount,
            currency=currency,
            token=given.token,
            tendered=given.tendered,
            channel=channel,
        )
        outcome = await through.authorize(tx, asked)
        if outcome.status is PaymentStatus.DECLINED:
            await _void_local(tx, taken)
            raise PaymentDeclined(
                f"{through.name} declined: {outcome.reason}.", reason=outcome.reason, payment=index
            )
        taken.append(_taken(order, given, asked, outcome, through.name))
    return taken


async def owe(tx: Tx, order: UUID, name: str, amount: int, currency: str, channel: Channel) -> Payment:
    """What an order is owed on account, though customers of the channel may not choose to pay so; nothing is stored yet."""
    through = local(name)
    asked = Request(payment=new_id(), amount=amount, currency=currency, channel=channel)
    outcome = await through.authorize(tx, asked)
    return _taken(order, PaymentInput(provider=through.name), asked, outcome, through.name)


async def _void_local(tx: Tx, taken: Sequence[Payment]) -> None:
    """What was reserved a moment ago is let go; what was begun before is unclaimed with the transaction."""
    for earlier in taken:
        if earlier.cart is None:
            await local(earlier.provider).void(tx, earlier.id, earlier.reference)


def _taken(order: UUID, given: PaymentInput, asked: Request, outcome: Outcome, name: str) -> Payment:
    is_captured = outcome.status is PaymentStatus.CAPTURED
    return Payment(
        id=asked.payment,
        order_id=order,
        provider=name,
        currency=asked.currency,
        amount=asked.amount,
        status=outcome.status,
        captured=asked.amount if is_captured else outcome.captured or 0,
        reference=outcome.reference,
        tendered=given.tendered,
        change_due=None if given.tendered is None else given.tendered - asked.amount,
        due_on=outcome.due_on,
    )


async def keep(
    tx: Tx,
    payments: Sequence[Payment],
    *,
    channel: UUID,
    profile: UUID | None = None,
    occurred_at: datetime | None = None,
    later: bool = False,
) -> None:
    """Store what `authorize` answered, with an event each. One statement, none without payments.

    ``occurred_at`` is given for what was paid earlier than now; ``later``: with the transaction's last statement, where
    nothing reads them before.
    """
    fresh = [payment for payment in payments if payment.cart is None]
    if fresh:
        await store.insert(tx, fresh, channel=channel, later=later)
    for payment in payments:
        kind = None if payment.cart is None else events.PaymentClaimed
        tell(tx, payment, kind=kind, channel=channel, profile=profile, occurred_at=occurred_at)
        if kind is not None and payment.captured and not is_network(provider(payment.provider)):
            tell(tx, payment, came_in=payment.captured, channel=channel, profile=profile)


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
    """Take all that was authorised for an order; how much that is (minor units).

    Of providers on the network it is wished, and comes in after the commit.
    """
    captured, outcomes = 0, []
    for payment in await store.lock_of_order(tx, order):
        if payment.status is not PaymentStatus.AUTHORIZED or payment.is_leaving:
            continue
        through = provider(payment.provider)
        if is_network(through):
            if await operations.wish(tx, payment.id, OperationKind.CAPTURE, payment.amount):
                captured += payment.amount
            continue
        outcome = await local(payment.provider).capture(tx, payment.id, payment.reference, payment.amount)
        outcomes.append((payment.id, outcome))
        if outcome.status is PaymentStatus.CAPTURED:
            captured += payment.amount
            tell(tx, _as(payment, outcome), came_in=payment.amount, channel=channel)
    await store.set_outcomes(tx, outcomes)
    return captured


async def capture_part(tx: Tx, payment_id: UUID, amount: int) -> Payment:
    """Take a part of what was authorised with a provider on the network, once; the rest is let go.

    The caller has asked for the permission.

    Raises:
        NotFound: no such payment. InvalidInput: it is not authorised with such a provider, more than it holds, or it is
            being captured already.
    """
    payment = await store.lock(tx, payment_id)
    if payment is None:
        raise NotFound("There is no such payment.")
    if payment.status is not PaymentStatus.AUTHORIZED or not is_network(provider(payment.provider)):
        raise InvalidInput(
            f"It is {payment.status} with {payment.provider}; only what is authorised can be captured."
        )
    if amount > payment.amount:
        raise InvalidInput.at("amount", f"at most {payment.amount}")
    if payment.is_leaving or not await operations.wish(tx, payment.id, OperationKind.CAPTURE, amount):
        raise InvalidInput("It is being captured or let go already.")
    return payment


async def void(tx: Tx, order: UUID, *, channel: UUID) -> None:
    """Let go of all that is authorised or pending for an order."""
    outcomes = []
    for payment in await store.lock_of_order(tx, order):
        if payment.status not in (PaymentStatus.AUTHORIZED, PaymentStatus.PENDING):
            continue
        if is_network(provider(payment.provider)):
            await leave(tx, payment, "The order was cancelled")
            continue
        outcome = await local(payment.provider).void(tx, payment.id, payment.reference)
        outcomes.append((payment.id, outcome))
        tell(tx, _as(payment, outcome), channel=channel)
    await store.set_outcomes(tx, outcomes)


async def refund(tx: Tx, order: UUID, amount: int, *, channel: UUID, reason: str = "") -> None:
    """Give an amount back (minor units), through the payments it came by, the latest first.

    It counts as given back from now on. Through a provider on the network it is *pending* until that has answered.

    Raises:
        NotRefundable: less than that came in, or it has gone back already. PaymentDisputed: the bank takes it back.
    """
    cards.refuse(reason, "reason")
    if amount == 0:
        return
    payments = await store.lock_of_order(tx, order)
    parts = rules.spread_refund(amount, payments)
    if parts is None:
        left = sum(payment.refundable for payment in payments)
        if any(payment.disputed for payment in payments):
            raise PaymentDisputed.of(left)
        raise NotRefundable(f"At most {left} (minor units) can go back.", refundable=left)
    refunds = []
    for payment, part in parts:
        if is_network(provider(payment.provider)):
            await give_back(tx, payment, part, reason)
            continue
        refund_id = new_id()
        outcome = await local(payment.provider).refund(tx, refund_id, payment.reference, part)
        is_done = outcome.status is not PaymentStatus.PENDING
        given = Refund(
            id=refund_id,
            payment=payment.id,
            amount=part,
            status=RefundStatus.DONE if is_done else RefundStatus.PENDING,
            reference=outcome.reference,
            reason=reason,
        )
        refunds.append(given)
        kind = events.PaymentRefunded if is_done else events.RefundBegun
        tell_refund(tx, kind, payment, given, channel=channel)
    if refunds:
        await store.add_refunds(tx, refunds)


def _as(payment: Payment, outcome: Outcome) -> Payment:
    return msgspec.structs.replace(payment, status=outcome.status)
