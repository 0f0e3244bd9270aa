"""What payments are."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from samlad.kernel.problems import Conflict, Problem

Amount = Annotated[
    int,
    msgspec.Meta(ge=1, le=2**52, description="Minor units of the currency (1999 is €19.99)", examples=[1999]),
]


class PaymentStatus(StrEnum):
    """How a payment stands. Only captured money is ours."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    DECLINED = "declined"


class PaymentInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One payment of an order. One of them may leave the amount out: it pays the rest."""

    provider: Annotated[
        str,
        msgspec.Meta(pattern="^[a-z][a-z0-9_-]{0,39}$", description="`cash` or `test`", examples=["cash"]),
    ]
    amount: Amount | None = None
    token: (
        Annotated[
            str,
            msgspec.Meta(
                max_length=200,
                pattern=r"^[\x20-\x7e]*$",
                description="What the provider's own page or terminal gave; never a card number",
                examples=["ok"],
            ),
        ]
        | None
    ) = None
    tendered: Annotated[
        Amount | None, msgspec.Meta(description="Cash that was handed over; the answer says the change")
    ] = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider is asked to authorise. ``payment`` is our id and the idempotency key."""

    payment: UUID
    amount: int
    currency: str
    token: str | None = None
    tendered: int | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider answered. ``reference`` is its own id; ``reason`` says why a payment was declined."""

    status: PaymentStatus
    reference: str | None = None
    reason: str | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as stored. Amounts in minor units; ``change_due`` is what the till gives back."""

    id: UUID
    order_id: UUID
    provider: str
    currency: str
    amount: int
    status: PaymentStatus
    refunded: int = 0
    reference: str | None = None
    reason: str | None = None
    tendered: int | None = None
    change_due: int | None = None
    created_at: datetime | None = None

    @property
    def refundable(self) -> int:
        """What can still go back, minor units."""
        return self.amount - self.refunded if self.status == PaymentStatus.CAPTURED else 0


class PaymentDeclined(Problem):
    """The provider refused the payment; ``reason`` is its word. Nothing was ordered; try another way to pay."""

    code, status, title = "payment-declined", 402, "The payment was declined"


class NotRefundable(Conflict):
    """More is to go back than came in and has not gone back yet."""

    code, title = "not-refundable", "There is not so much to give back"
