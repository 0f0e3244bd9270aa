"""Money that was paid elsewhere: a marketplace took it from the buyer and settles with us later.

Nobody can pay so: such a payment comes with an order that arrives (`samlad.orders.arrivals`). What goes back to the buyer
goes through the marketplace too; its connector follows ``payment.refund_begun`` and says when that is done.
"""

from uuid import UUID

from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.payments.model import Outcome, Payment, PaymentStatus, Request
from samlad.payments.providers import register

NAME = "marketplace"


class Marketplace:
    """The provider of such payments."""

    name, is_local, staff_only, needs_offer = NAME, True, True, True

    async def authorize(self, tx: Tx, request: Request) -> Outcome:  # noqa: ARG002
        """Never: it was paid there or not at all."""
        return Outcome(status=PaymentStatus.DECLINED, reason="not-paid-there")

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """It was taken before it came here."""
        return Outcome(status=PaymentStatus.CAPTURED, reference=reference)

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """To be given back there."""
        return Outcome(status=PaymentStatus.PENDING, reference=f"{NAME}-{refund}")

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


register(Marketplace())
