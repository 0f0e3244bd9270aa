"""Money that was paid elsewhere: a marketplace took it from the buyer and settles with us later, or another system took
it before the order was imported.

Nobody can pay so: such a payment comes with an order that arrives (`samlad.orders.arrivals`) or is history. What goes
back to a marketplace's buyer goes through the marketplace too; its connector follows ``payment.refund_begun`` and says
when that is done. What goes back of an order of the past a person sends by hand, and says so
(`samlad.payments.manual.refunded`).
"""

from uuid import UUID, uuid5

from samlad.kernel.clock import now
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.payments import store
from samlad.payments.model import Outcome, Payment, PaymentStatus, Refund, RefundStatus, Request
from samlad.payments.providers import register

NAME, HISTORY = "marketplace", "history"


class Elsewhere:
    """The provider of such payments."""

    is_local, staff_only, needs_offer = True, True, True

    def __init__(self, name: str) -> None:
        self.name = name

    async def authorize(self, tx: Tx, request: Request) -> Outcome:  # noqa: ARG002
        """Never: it was paid there or not at all."""
        return Outcome(status=PaymentStatus.DECLINED, reason="not-paid-there")

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """It was taken before it came here."""
        return Outcome(status=PaymentStatus.CAPTURED, reference=reference)

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """To be given back there."""
        return Outcome(status=PaymentStatus.PENDING, reference=f"{self.name}-{refund}")

    async def void(self, tx: Tx, payment: UUID, reference: str | None) -> Outcome:  # noqa: ARG002
        """Nothing is held."""
        return Outcome(status=PaymentStatus.VOIDED, reference=reference)


def paid_elsewhere(order: UUID, amount: int, currency: str, *, reference: str) -> list[Payment]:
    """The payment of an order that was paid elsewhere, to be kept with it; none of nothing.

    ``amount`` in minor units; ``reference`` is the order's name there.
    """
    if amount == 0:
        return []
    return [
        Payment(
            id=new_id(),
            order_id=order,
            provider=NAME,
            currency=currency,
            amount=amount,
            status=PaymentStatus.CAPTURED,
            captured=amount,
            reference=reference,
        )
    ]


def history(order: UUID, paid: int, refunded: int, currency: str) -> list[Payment]:
    """What is known of how an imported order was paid, as one payment (minor units); none if nothing was.

    Its id follows from the order's, so that a preview and the change that it is of speak of the same one.
    """
    if paid <= 0:
        return []
    return [
        Payment(
            id=uuid5(order, HISTORY),
            order_id=order,
            provider=HISTORY,
            currency=currency,
            amount=paid,
            status=PaymentStatus.CAPTURED,
            captured=paid,
            refunded=refunded,
            created_at=now(),
        )
    ]


async def adopt(tx: Tx, payment: Payment, *, channel: UUID) -> None:
    """Keep the payment of an imported order, once, with what went back of it then. No event: no money moves now.

    The caller holds the order.
    """
    await store.insert(tx, [payment], channel=channel)
    if payment.refunded:
        before = Refund(
            id=uuid5(payment.id, HISTORY),
            payment=payment.id,
            amount=payment.refunded,
            status=RefundStatus.DONE,
            reference=HISTORY,
            reason="before it was imported",
        )
        await store.add_refunds(tx, [before])


register(Elsewhere(NAME))
register(Elsewhere(HISTORY))
