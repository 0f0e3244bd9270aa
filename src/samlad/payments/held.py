"""What local providers hold for a cart before there is an order: a gift card, store credit, points.

A customer who pays a part with one of them and the rest with a provider on the network waits for that. Meanwhile the
part is held, so that nobody spends it elsewhere; placing the order takes it in the same transaction, and a payment that
fails sets it free again (docs/decisions/several-tenders.md).
"""

from typing import TypeGuard
from uuid import UUID

import msgspec

from samlad.channels import Channel
from samlad.kernel.database import Tx
from samlad.payments import operations, store
from samlad.payments.model import (
    NotClaimable,
    Payment,
    PaymentDeclined,
    PaymentStatus,
    Request,
)
from samlad.payments.providers import AnyProvider, HoldingProvider, is_network, local, provider
from samlad.payments.telling import tell


def can_hold(through: AnyProvider) -> TypeGuard[HoldingProvider]:
    """Whether a local provider can hold now what is taken later."""
    return bool(getattr(through, "holds", False))


async def begin(
    tx: Tx, through: HoldingProvider, payment: Payment, channel: Channel, token: str | None
) -> Payment:
    """Hold the amount of a payment that is begun for a cart.

    Raises:
        PaymentDeclined: it cannot pay that.
    """
    asked = Request(
        payment=payment.id, amount=payment.amount, currency=payment.currency, token=token, channel=channel
    )
    outcome = await through.hold(tx, asked)
    if outcome.status is not PaymentStatus.AUTHORIZED:
        raise PaymentDeclined(f"{through.name} declined: {outcome.reason}.", reason=outcome.reason)
    payment = msgspec.structs.replace(payment, status=outcome.status, reference=outcome.reference)
    await operations.begin_held(tx, payment)
    tell(tx, payment)
    return payment


async def take(tx: Tx, payment: Payment) -> Payment:
    """Take what is held for a payment that an order has claimed; one of the network is left to its capture.

    Raises:
        NotClaimable: it is not there any more.
    """
    if is_network(provider(payment.provider)) or payment.status is not PaymentStatus.AUTHORIZED:
        return payment
    through = local(payment.provider)
    outcome = await through.capture(tx, payment.id, payment.reference, payment.amount)
    if outcome.status is not PaymentStatus.CAPTURED:
        raise NotClaimable(f"What {through.name} held is not there any more.", payment=str(payment.id))
    await store.set_outcomes(tx, [(payment.id, outcome)])
    return msgspec.structs.replace(payment, status=outcome.status, captured=payment.amount)


async def let_go(tx: Tx, payment: Payment) -> Payment:
    """Set free what is held for a payment that the caller has locked and no order has."""
    is_held = payment.status is PaymentStatus.AUTHORIZED and payment.order_id is None
    if is_network(provider(payment.provider)) or not is_held:
        return payment
    outcome = await local(payment.provider).void(tx, payment.id, payment.reference)
    await store.set_outcomes(tx, [(payment.id, outcome)])
    payment = msgspec.structs.replace(payment, status=outcome.status)
    tell(tx, payment)
    return payment


async def let_go_of_cart(tx: Tx, cart: UUID) -> None:
    """A payment on the network failed: what was held beside it is free again, unless another one is under way."""
    known = [each for each in await operations.lock_of_cart(tx, cart) if each.order_id is None]
    live = (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED, PaymentStatus.CAPTURED)
    if any(
        is_network(provider(each.provider)) and each.status in live and not each.is_leaving for each in known
    ):
        return
    for each in known:
        await let_go(tx, each)
