"""What came back as a way to pay for new goods. What of it goes back later goes to the tenders that it came from.

The token is the id of an ``exchange_credit``, which a change makes and uses in one transaction: nobody else can pay so.
"""

from uuid import UUID

from samlad import payments
from samlad.kernel.database import Tx
from samlad.orders import change_store, store
from samlad.payments.model import NotRefundable, Outcome, PaymentStatus, Request

NAME = "exchange"


class ExchangeProvider:
    """The value of goods that came back. It is in no drawer and on no card: it moves from one order to another."""

    name, is_local, staff_only = NAME, True, True

    async def authorize(self, tx: Tx, request: Request) -> Outcome:
        """Taken at once if it is there for exactly this amount."""
        try:
            credit = UUID(request.token or "")
        except ValueError:
            return Outcome(status=PaymentStatus.DECLINED, reason="no-such-credit")
        if not await change_store.use_credit(tx, credit, request.amount, request.payment):
            return Outcome(status=PaymentStatus.DECLINED, reason="no-such-credit")
        return Outcome(status=PaymentStatus.CAPTURED, reference=str(credit))

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """It was taken at once."""
        return Outcome(status=PaymentStatus.CAPTURED, reference=reference)

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:
        """Back through the payments of the order that it came from.

        Raises:
            NotRefundable: not so much of it is left.
        """
        sale = await change_store.give_back_credit(tx, UUID(reference or ""), amount)
        if sale is None:
            raise NotRefundable("Not so much of it is left.", refundable=0)
        found = await store.lock(tx, sale)
        assert found is not None
        head = found[0]
        await payments.refund(tx, sale, amount, channel=head.channel, reason="exchanged goods came back")
        await store.update(tx, sale, {"credited": head.credited - amount, "refunded": head.refunded + amount})
        return Outcome(status=PaymentStatus.CAPTURED, reference=f"exchange-{refund}")

    async def void(self, tx: Tx, payment: UUID, reference: str | None) -> Outcome:  # noqa: ARG002
        """Nothing is ever only reserved."""
        return Outcome(status=PaymentStatus.VOIDED, reference=reference)


payments.register(ExchangeProvider())
