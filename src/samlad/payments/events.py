"""What happens to payments. Amounts in minor units of ``currency``.

A payment that was begun for a cart has no ``order`` until one claims it.
"""

from datetime import date, datetime
from uuid import UUID

from samlad.kernel.log import Fact, declare


class PaymentFact(Fact, frozen=True, kw_only=True):
    """What all of these say."""

    order: UUID | None
    payment: UUID
    provider: str
    amount: int
    currency: str
    cart: UUID | None = None


@declare("payment.pending")
class PaymentPending(PaymentFact, frozen=True, kw_only=True):
    """The provider has not decided yet."""


@declare("payment.authorized")
class PaymentAuthorized(PaymentFact, frozen=True, kw_only=True):
    """The money is reserved for us."""


@declare("payment.captured")
class PaymentCaptured(PaymentFact, frozen=True, kw_only=True):
    """The money is ours."""


@declare("payment.voided")
class PaymentVoided(PaymentFact, frozen=True, kw_only=True):
    """The money is no longer reserved."""


@declare("payment.refunded")
class PaymentRefunded(PaymentFact, frozen=True, kw_only=True):
    """``amount`` went back."""

    refund: UUID


@declare("payment.claimed")
class PaymentClaimed(PaymentFact, frozen=True, kw_only=True):
    """A payment that was begun for a cart pays this order."""


@declare("payment.order_wanted")
class OrderWanted(PaymentFact, frozen=True, kw_only=True):
    """The money for a cart is reserved, and its order is to be placed also if the browser is gone."""


@declare("payment.declined")
class PaymentDeclinedLate(PaymentFact, frozen=True, kw_only=True):
    """The provider refused a payment that had been begun."""

    reason: str | None = None


@declare("payment.refund_begun")
class RefundBegun(PaymentFact, frozen=True, kw_only=True):
    """``amount`` is to go back; the provider has not said yet that it did."""

    refund: UUID


@declare("payment.refund_failed")
class RefundFailed(PaymentFact, frozen=True, kw_only=True):
    """``amount`` did not go back; ``reason`` is the provider's word. Somebody must pay it back in another way."""

    refund: UUID
    reason: str | None = None


@declare("payment.paid_otherwise")
class PaidOtherwise(PaymentFact, frozen=True, kw_only=True):
    """``amount`` went back by ``way``, in place of the refund ``instead_of`` that the provider refused."""

    refund: UUID
    instead_of: UUID
    way: str
    location: UUID | None = None


@declare("payment.overdue")
class PaymentOverdue(PaymentFact, frozen=True, kw_only=True):
    """An invoice or bank transfer was not paid in time; ``amount`` is what is still due, ``reminder`` counts from 1."""

    due_on: date
    reminder: int
    reference: str | None = None


@declare("payment.unmatched")
class MoneyUnmatched(Fact, frozen=True, kw_only=True):
    """Money came in and nobody knows what for, or it was more than was due: ``amount`` of it waits for a person."""

    receipt: UUID
    amount: int
    currency: str


@declare("payment.provider_changed")
class ProviderChanged(Fact, frozen=True, kw_only=True):
    """The keys of a provider were set or taken away."""

    provider: str
    is_set_up: bool


@declare("payment.settled")
class PaymentSettled(Fact, frozen=True, kw_only=True):
    """An entry of a provider's own account: its fee for a payment, or money that it paid out. Minor units."""

    provider: str
    settlement: UUID
    kind: str
    amount: int
    fee: int
    currency: str
    payment: UUID | None = None


class DisputeFact(Fact, frozen=True, kw_only=True):
    """What all events of disputes say. The subject is the order, else the cart or the dispute; without a ``payment`` it is
    about one that nobody here knows. ``is_inquiry``: the bank only asks, no money has moved. Minor units."""

    dispute: UUID
    provider: str
    reference: str
    payment: UUID | None
    order: UUID | None
    amount: int
    currency: str
    reason: str
    status: str
    is_inquiry: bool
    evidence_due_at: datetime | None = None


@declare("payment.disputed")
class PaymentDisputed(DisputeFact, frozen=True, kw_only=True):
    """A customer has their bank take a payment back, or ask about it."""


@declare("payment.dispute_changed")
class DisputeChanged(DisputeFact, frozen=True, kw_only=True):
    """A dispute was answered, an inquiry became a chargeback, or it is about another amount or payment."""


@declare("payment.dispute_closed")
class DisputeClosed(DisputeFact, frozen=True, kw_only=True):
    """A dispute is over: ``won`` or ``closed`` the money is ours, ``lost`` it is not."""


@declare("card_terminal.added")
class CardTerminalAdded(Fact, frozen=True, kw_only=True):
    """A location has another card terminal. The subject is the terminal."""

    location: UUID
    name: str


@declare("card_terminal.changed")
class CardTerminalChanged(Fact, frozen=True, kw_only=True):
    """A card terminal is called otherwise. The subject is the terminal."""

    location: UUID
    fields: list[str]


@declare("card_terminal.removed")
class CardTerminalRemoved(Fact, frozen=True, kw_only=True):
    """A card terminal is not used any more. The subject is the terminal."""

    location: UUID
