"""The events of payments: each says how one stands, once."""

from datetime import datetime
from typing import Any
from uuid import UUID

from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.payments import events
from samlad.payments.model import Payment, PaymentStatus, Refund

_FACTS: dict[PaymentStatus, type[events.PaymentFact]] = {
    PaymentStatus.PENDING: events.PaymentPending,
    PaymentStatus.AUTHORIZED: events.PaymentAuthorized,
    PaymentStatus.CAPTURED: events.PaymentCaptured,
    PaymentStatus.VOIDED: events.PaymentVoided,
    PaymentStatus.DECLINED: events.PaymentDeclinedLate,
}


def tell(
    tx: Tx,
    payment: Payment,
    *,
    came_in: int = 0,
    kind: type[events.PaymentFact] | None = None,
    channel: UUID | None = None,
    profile: UUID | None = None,
    occurred_at: datetime | None = None,
) -> None:
    """Append how a payment stands. ``came_in`` is what was captured just now, minor units."""
    fact = (kind or (events.PaymentCaptured if came_in else _FACTS[payment.status]))(
        order=payment.order_id,
        payment=payment.id,
        provider=payment.provider,
        amount=came_in or payment.amount,
        currency=payment.currency,
        cart=payment.cart,
        **({"reason": payment.reason} if payment.status is PaymentStatus.DECLINED and not kind else {}),
    )
    log.append(
        tx,
        fact,
        subject=payment.order_id or payment.cart,
        channel=channel or payment.channel,
        profile=profile,
        occurred_at=occurred_at,
    )


def tell_refund(
    tx: Tx,
    kind: type[events.PaymentRefunded]
    | type[events.RefundBegun]
    | type[events.RefundFailed]
    | type[events.PaidOtherwise],
    payment: Payment,
    refund: Refund,
    *,
    channel: UUID | None = None,
    **more: Any,
) -> None:
    """Append how a refund stands."""
    fact = kind(
        order=payment.order_id,
        payment=payment.id,
        provider=payment.provider,
        amount=refund.amount,
        currency=payment.currency,
        cart=payment.cart,
        refund=refund.id,
        **more,
    )
    log.append(tx, fact, subject=payment.order_id or payment.cart, channel=channel or payment.channel)
