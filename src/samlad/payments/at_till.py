"""Money that a till took on its own: by a card terminal that we do not talk to, or in some other way; and cash, of course.

It comes with a sale that has happened (`samlad.orders.happened`). A card at a terminal of its own is also what a clerk at the till with
network says was accepted there, where the store offers it (`till_card`). What goes back by card or otherwise is given back by hand where
it was taken, and then said so (`samlad.payments.manual.refunded`).
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.payments.model import Outcome, Payment, PaymentStatus, Request
from samlad.payments.providers import register


class Tendered(msgspec.Struct, frozen=True):
    """A payment as a till took it: minor units, and of cash what was handed over. ``payment`` and ``reference`` of one that was booked elsewhere
    already: of a gift card."""

    provider: str
    amount: int
    tendered: int | None = None
    payment: UUID | None = None
    reference: str | None = None


class TakenAtTill:
    """The provider of such payments."""

    is_local, staff_only, needs_offer = True, True, True

    def __init__(self, name: str, *, by_word: bool) -> None:
        self.name = name
        self.by_word = by_word

    async def authorize(self, tx: Tx, request: Request) -> Outcome:  # noqa: ARG002
        """Taken, if a clerk's word is enough for it; else never: it was taken there or not at all."""
        if self.by_word:
            return Outcome(status=PaymentStatus.CAPTURED, reference=f"{self.name}-{request.payment}")
        return Outcome(status=PaymentStatus.DECLINED, reason="not-taken-there")

    async def capture(self, tx: Tx, payment: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """It was taken before it came here."""
        return Outcome(status=PaymentStatus.CAPTURED, reference=reference)

    async def refund(self, tx: Tx, refund: UUID, reference: str | None, amount: int) -> Outcome:  # noqa: ARG002
        """To be given back there, by a person."""
        return Outcome(status=PaymentStatus.PENDING, reference=f"{self.name}-{refund}")

    async def void(self, tx: Tx, payment: UUID, reference: str | None) -> Outcome:  # noqa: ARG002
        """Nothing is held."""
        return Outcome(status=PaymentStatus.VOIDED, reference=reference)


OWN_TERMINAL = "till_card"
TAKEN = (OWN_TERMINAL, "till_other")
"""Names of the providers: a card at a terminal of its own, and whatever else."""


def taken_at_till(
    order: UUID, tenders: Sequence[Tendered], currency: str, *, reference: str
) -> list[Payment]:
    """The payments of a sale that has happened, to be kept with its order."""
    return [
        Payment(
            id=each.payment or new_id(),
            order_id=order,
            provider=each.provider,
            currency=currency,
            amount=each.amount,
            status=PaymentStatus.CAPTURED,
            captured=each.amount,
            reference=each.reference or reference,
            tendered=each.tendered,
            change_due=None if each.tendered is None else each.tendered - each.amount,
        )
        for each in tenders
    ]


for _name in TAKEN:
    register(TakenAtTill(_name, by_word=_name == OWN_TERMINAL))
