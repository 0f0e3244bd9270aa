"""Asking providers on the network: outside of any transaction, again until there is an answer, with the same key.

The wish is a row (``payment_operation``) that was committed before. Three steps, and a process may die between any two:

1. *Take*: a short transaction leases the row and counts the try. Died after it: the lease runs out, somebody asks again.
2. *Ask* the provider, with a time limit. Died after it: the next one asks with the same idempotency key (or looks how the
   payment stands) and hears the same answer.
3. *Record*: one transaction writes what the answer changes, the events, and what follows from it.
"""

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from samlad.kernel import cards
from samlad.kernel.clock import now
from samlad.kernel.context import BACKGROUND, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Problem
from samlad.payments import card_terminal_store, events, held, kept, operations, rules, store
from samlad.payments.model import (
    Action,
    Operation,
    OperationKind,
    Outcome,
    Payment,
    PaymentStatus,
    Refund,
    RefundStatus,
    Request,
)
from samlad.payments.providers import NetworkProvider, ProviderSilent, is_network, network, provider
from samlad.payments.telling import tell, tell_refund

PATIENCE_SECONDS = 20.0
"""A provider that says nothing for so long is asked again later."""
FAILED = (PaymentStatus.DECLINED, PaymentStatus.VOIDED)
LEASE = timedelta(seconds=90)
"""Longer than asking can take."""
SOONER_THAN = timedelta(seconds=2)
"""Somebody who waits at a page may ask before the time has come, but not more often than this."""

logger = structlog.get_logger("samlad.payments")


async def pursue(
    database: Database,
    operation: UUID,
    *,
    patience: float = PATIENCE_SECONDS,
    sooner: bool = False,
    context: Context = BACKGROUND,
) -> Outcome | None:
    """Ask a provider for what is wished and keep the answer; None if there is none (yet) or nothing to ask.

    ``sooner``: somebody waits for it, so do not wait until it is due.
    """
    taken = await database.transaction(
        lambda tx: operations.take(tx, operation, LEASE, sooner_than=SOONER_THAN if sooner else None)
    )
    if taken is None:
        return None
    wanted, payment = taken
    try:
        async with asyncio.timeout(patience):
            outcome = await _ask(database, wanted, payment)
    except (ProviderSilent, TimeoutError, Problem) as error:
        reason = cards.redact(str(error))[:500] or f"no answer within {patience:g} seconds"
        logger.warning(
            "payment provider gave no answer",
            provider=payment.provider, payment=str(payment.id), wanted=wanted.kind, tries=wanted.tries, reason=reason,
        )  # fmt: skip
        await database.transaction(
            lambda tx: operations.postpone(tx, wanted.id, rules.pause(wanted.tries), reason)
        )
        return None
    await database.transaction(lambda tx: record(tx, wanted, outcome), context)
    return outcome


async def pursue_payment(
    database: Database, payment: UUID, *, patience: float = PATIENCE_SECONDS, context: Context = BACKGROUND
) -> Action | None:
    """Ask for all that is wished of a payment, sooner than it is due; what the customer must do now, if anything."""
    action = None
    for operation in await operations.open_of(database, payment):
        outcome = await pursue(database, operation, patience=patience, sooner=True, context=context)
        action = outcome.action if outcome else action
    return action


async def refresh(database: Database, payment_id: UUID, *, patience: float = PATIENCE_SECONDS) -> bool:
    """Ask how a payment stands for which nothing is wished: its provider may have done something by itself (the
    authorisation ran out, somebody captured in the provider's own pages). Whether it answered."""
    payment = await store.read(database, payment_id)
    if payment is None or payment.reference is None or not is_network(provider(payment.provider)):
        return False
    try:
        async with asyncio.timeout(patience):
            outcome = await network(payment.provider).status(database, payment)
    except (ProviderSilent, TimeoutError, Problem) as error:
        logger.warning("payment provider gave no answer", provider=payment.provider, payment=str(payment.id))
        logger.debug("what the payment provider said", reason=cards.redact(str(error)))
        return False

    async def keep(tx: Tx) -> None:
        locked = await store.lock(tx, payment_id)
        assert locked is not None
        await apply(tx, locked, outcome)

    await database.transaction(keep)
    return True


_ACTIONS: dict[UUID, tuple[float, Action | None]] = {}
_MOST_ACTIONS = 2000


async def action_of(database: Database, payment: Payment, *, patience: float) -> Action | None:
    """What the customer must do for a payment that is pending, as its provider says it; None if it says nothing.

    Known for two seconds in this process: whoever looks again and again does not make us ask as often.
    """
    if payment.status is not PaymentStatus.PENDING or payment.reference is None:
        return None
    asked_at, action = _ACTIONS.get(payment.id, (0.0, None))
    if time.monotonic() - asked_at < SOONER_THAN.total_seconds():
        return action
    try:
        async with asyncio.timeout(patience):
            action = (await network(payment.provider).status(database, payment)).action
    except (ProviderSilent, TimeoutError, Problem):
        return None
    if len(_ACTIONS) >= _MOST_ACTIONS:
        _ACTIONS.clear()
    _ACTIONS[payment.id] = (time.monotonic(), action)
    return action


async def _ask(database: Database, wanted: Operation, payment: Payment) -> Outcome:
    through = network(payment.provider)
    if wanted.kind is OperationKind.AUTHORIZE:
        if payment.reference is None:
            return await through.authorize(database, await _request(database, payment, wanted.token), wanted)
        return await through.status(database, payment)
    if payment.reference is None:
        payment = await _look_for(database, through, payment)
    if wanted.kind is OperationKind.CAPTURE:
        return await through.capture(database, payment, wanted)
    if wanted.kind is OperationKind.VOID:
        return await through.void(database, payment, wanted)
    return await through.refund(database, payment, wanted)


async def _look_for(database: Database, through: NetworkProvider, payment: Payment) -> Payment:
    """The provider was asked and its answer never came: ask with the same key what it calls the payment."""
    begun = await operations.token_of(database, payment.id)
    if begun is None:
        raise ProviderSilent("the payment has no authorisation")
    outcome = await through.authorize(database, await _request(database, payment, begun.token), begun)
    return msgspec.structs.replace(payment, reference=outcome.reference)


async def _request(database: Database, payment: Payment, token: str | None) -> Request:
    at = None if payment.terminal is None else await card_terminal_store.read(database, payment.terminal)
    return Request(
        payment=payment.id,
        amount=payment.amount,
        currency=payment.currency,
        token=token,
        keeps_for=payment.customer if payment.keeps else None,
        terminal=None if at is None else at.reference or at.name,
    )


# -- what an answer changes --------------------------------------------------------------------------------------------


async def record(tx: Tx, wanted: Operation, outcome: Outcome) -> Payment:
    """Keep an answer, whether it is new or heard before, and whatever came in between."""
    payment = await store.lock(tx, wanted.payment)
    assert payment is not None
    if wanted.kind is OperationKind.REFUND:
        await _record_refund(tx, wanted, payment, outcome)
        return payment
    changed = await apply(tx, payment, outcome)
    if wanted.kind is OperationKind.AUTHORIZE:
        if changed.status is PaymentStatus.PENDING:
            age = now() - wanted.created_at
            await operations.postpone(tx, wanted.id, rules.patience(age), None)
        else:
            await operations.end(tx, wanted.id)
        return changed
    reached = {
        OperationKind.CAPTURE: (PaymentStatus.CAPTURED,),
        OperationKind.VOID: (PaymentStatus.VOIDED, PaymentStatus.DECLINED),
    }[wanted.kind]
    if outcome.status in reached:
        await operations.end(tx, wanted.id)
        if wanted.kind is OperationKind.VOID:
            await _end_others(tx, wanted)
    elif outcome.status in (PaymentStatus.CAPTURED, PaymentStatus.VOIDED, PaymentStatus.DECLINED):
        await operations.end(tx, wanted.id, failed=outcome.reason or f"it is {outcome.status}")
    else:
        await operations.postpone(tx, wanted.id, rules.patience(now() - wanted.created_at), outcome.reason)
    return changed


async def _end_others(tx: Tx, void: Operation) -> None:
    """What was let go needs neither to be authorised nor captured any more."""
    for other in await operations.open_of(tx, void.payment):
        await operations.end(tx, other, failed="let go")


async def apply(tx: Tx, payment: Payment, outcome: Outcome) -> Payment:
    """Bring a payment that the caller has locked to what its provider says; an event for what is new."""
    changed = rules.after(payment, outcome)
    if changed != payment:
        await store.change(tx, changed)
    await kept.note(tx, changed, outcome.kept)
    if changed.status is not payment.status or changed.captured != payment.captured:
        tell(tx, changed, came_in=changed.captured - payment.captured)
        is_reserved = changed.status in (PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)
        if changed.places and is_reserved and changed.order_id is None and not changed.is_leaving:
            tell(tx, changed, kind=events.OrderWanted)
        is_lost = (
            changed.status in FAILED and not changed.is_leaving
        )  # who chose another way keeps the rest of it
        if is_lost and changed.cart is not None and changed.order_id is None:
            await held.let_go_of_cart(tx, changed.cart)
    if changed.captured > payment.captured and changed.is_leaving:
        await give_back(tx, changed, changed.captured - payment.captured, "The payment had been let go")
    return changed


async def give_back(tx: Tx, payment: Payment, amount: int, reason: str, *, key: UUID | None = None) -> Refund:
    """Wish that a provider on the network gives an amount back; it counts as given back unless that fails. ``key``: the refund's id,
    where it has one."""
    refund = Refund(
        id=key or new_id(), payment=payment.id, amount=amount, status=RefundStatus.PENDING, reason=reason
    )
    await store.add_refunds(tx, [refund])
    await operations.wish(tx, payment.id, OperationKind.REFUND, amount, key=refund.id)
    tell_refund(tx, events.RefundBegun, payment, refund)
    return refund


async def _record_refund(tx: Tx, wanted: Operation, payment: Payment, outcome: Outcome) -> None:
    refund = Refund(id=wanted.id, payment=payment.id, amount=wanted.amount, status=RefundStatus.DONE)
    if outcome.status is PaymentStatus.CAPTURED:
        if await store.end_refund(tx, refund.id, RefundStatus.DONE, outcome.reference, None):
            tell_refund(tx, events.PaymentRefunded, payment, refund)
        await operations.end(tx, wanted.id)
    elif outcome.status is PaymentStatus.PENDING:
        await operations.postpone(tx, wanted.id, rules.patience(now() - wanted.created_at), None)
    else:
        why = outcome.reason or str(outcome.status)
        if await store.end_refund(tx, refund.id, RefundStatus.FAILED, outcome.reference, why):
            tell_refund(tx, events.RefundFailed, payment, refund, reason=why)
        await operations.end(tx, wanted.id, failed=why)
