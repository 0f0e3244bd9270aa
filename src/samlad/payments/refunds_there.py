"""What a provider says of a refund by itself: one that was done failed after all (the card was closed, the money came back to the
provider), or somebody gave money back in the provider's own pages. Twice and out of order it is the same."""

import asyncio
from typing import Protocol, runtime_checkable
from uuid import UUID, uuid5

import msgspec
import structlog

from samlad.kernel import cards
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Problem
from samlad.payments import events, manual_store, store
from samlad.payments.model import Payment, PaymentStatus, Refund, RefundStatus
from samlad.payments.providers import ProviderSilent, provider
from samlad.payments.telling import tell_refund

logger = structlog.get_logger("samlad.payments")


class SaidRefund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund as its provider has it; ``status`` as an outcome of `NetworkProvider.refund`. ``own`` is our id of it, where we had
    asked for it."""

    reference: str
    status: PaymentStatus
    amount: int
    currency: str
    own: UUID | None = None
    reason: str | None = None


@runtime_checkable
class RefundSource(Protocol):
    """A provider that can be asked how one of its refunds stands."""

    async def refunded(self, database: Database, reference: str) -> SaidRefund:
        """How it stands now. Whatever is not an answer is raised as `ProviderSilent`."""
        ...


def _source(through: object) -> RefundSource | None:
    return through if isinstance(through, RefundSource) else None


async def look(database: Database, payment: UUID, reference: str, *, patience: float) -> None:
    """Ask the provider of a payment about a refund that it named."""
    known = await store.read(database, payment)
    through = None if known is None else _source(provider(known.provider))
    if through is None:
        return
    try:
        async with asyncio.timeout(patience):
            said = await through.refunded(database, reference)
    except (ProviderSilent, TimeoutError, Problem) as error:
        logger.warning("a refund is not known", payment=str(payment), reason=cards.redact(str(error)))
        return
    await database.transaction(lambda tx: keep(tx, payment, said))


async def keep(tx: Tx, payment_id: UUID, said: SaidRefund) -> None:
    """Bring what is known of a refund to what its provider says. One that is on its way hears it by what was asked for."""
    payment = await store.lock(tx, payment_id)
    assert payment is not None
    known = await manual_store.refund(tx, said.own) if said.own else None
    known = known or await store.refund_at(tx, payment_id, said.reference)
    if known is None:
        if said.own is None and said.status is PaymentStatus.CAPTURED:
            await _adopt(tx, payment, said)
    elif known.payment == payment_id and known.status is RefundStatus.DONE:
        if said.status is not PaymentStatus.DECLINED:
            return
        why = said.reason or "failed"
        if await store.end_refund(
            tx, known.id, RefundStatus.FAILED, said.reference, why, was=RefundStatus.DONE
        ):
            tell_refund(tx, events.RefundFailed, payment, known, reason=why)


async def _adopt(tx: Tx, payment: Payment, said: SaidRefund) -> None:
    """Somebody gave it back there: it counts as given back here."""
    left = payment.captured - payment.refunded
    if said.currency != payment.currency or said.amount > left:
        logger.warning("a refund at its provider does not fit", payment=str(payment.id), amount=said.amount)
        return
    given = Refund(
        id=uuid5(payment.id, said.reference),
        payment=payment.id,
        amount=said.amount,
        status=RefundStatus.DONE,
        reference=said.reference,
    )
    await store.add_refunds(tx, [given])
    tell_refund(tx, events.RefundBegun, payment, given)
    tell_refund(tx, events.PaymentRefunded, payment, given)
