"""What payments are."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

import msgspec

from samlad.channels import Channel
from samlad.kernel.problems import Conflict, Problem

Amount = Annotated[
    int,
    msgspec.Meta(ge=1, le=2**52, description="Minor units of the currency (1999 is €19.99)", examples=[1999]),
]


ProviderName = Annotated[
    str,
    msgspec.Meta(
        pattern="^[a-z][a-z0-9_-]{0,39}$",
        max_length=40,
        description="One that the channel offers, for example `cash`, `stripe` or `invoice`",
        examples=["cash"],
    ),
]
Token = Annotated[
    str,
    msgspec.Meta(
        max_length=200,
        pattern=r"^[\x20-\x7e]*$",
        description="What the provider's own page or terminal gave; never a card number",
        examples=["ok"],
    ),
]
Note = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class PaymentStatus(StrEnum):
    """How a payment stands. Only captured money is ours; ``captured`` may be less than the amount."""

    PENDING = "pending"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    VOIDED = "voided"
    DECLINED = "declined"


class PaymentInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One payment of an order. One of them may leave the amount out: it pays the rest."""

    provider: ProviderName
    amount: Amount | None = None
    payment: Annotated[
        UUID | None,
        msgspec.Meta(
            description="A payment that was begun for the cart before (`POST /api/carts/{id}/payments`)"
        ),
    ] = None
    token: Token | None = None
    tendered: Annotated[
        Amount | None, msgspec.Meta(description="Cash that was handed over; the answer says the change")
    ] = None


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider is asked to authorise. ``payment`` is our id and the idempotency key; ``keeps_for`` the customer for
    whom it is to keep the card, ``terminal`` what it calls the card terminal (or its name, where it has not said)."""

    payment: UUID
    amount: int
    currency: str
    token: str | None = None
    tendered: int | None = None
    channel: Channel | None = None
    keeps_for: UUID | None = None
    terminal: str | None = None


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer must do now. ``kind`` is ``client_secret`` (for the provider's own script, with its
    ``publishable_key``), ``next_action`` (the same, where the card is known and the bank asks), ``redirect`` (to ``url``) or ``terminal`` (hold the card to it)."""

    kind: str
    client_secret: str | None = None
    publishable_key: str | None = None
    url: str | None = None


class KeptMethod(msgspec.Struct, frozen=True, kw_only=True):
    """A card that a provider keeps: its own id of it, and what its owner knows it by. Never the number."""

    reference: str
    brand: str = ""
    last_four: str = ""
    expires_on: date | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider answered. ``reference`` is its own id; ``reason`` says why a payment was declined.

    ``captured`` is how much came in so far (minor units) where that is not all or nothing; ``due_on`` is the day by
    which it is to be paid.
    """

    status: PaymentStatus
    reference: str | None = None
    reason: str | None = None
    captured: int | None = None
    action: Action | None = None
    due_on: date | None = None
    kept: KeptMethod | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as stored. Amounts in minor units; ``change_due`` is what the till gives back.

    Without an order it was begun for a cart and waits to be claimed. ``is_leaving``: it is being let go;
    ``places``: the order is placed as soon as the money is reserved. ``keeps``: the provider keeps the card for
    ``customer``. ``terminal`` is the card terminal that was asked. ``disputed`` is what the customer's bank has taken back, or may
    (`samlad.payments.disputes`).
    """

    id: UUID
    order_id: UUID | None
    provider: str
    currency: str
    amount: int
    status: PaymentStatus
    captured: int = 0
    refunded: int = 0
    reference: str | None = None
    reason: str | None = None
    tendered: int | None = None
    change_due: int | None = None
    due_on: date | None = None
    cart: UUID | None = None
    channel: UUID | None = None
    is_leaving: bool = False
    places: bool = False
    expires_at: datetime | None = None
    created_at: datetime | None = None
    customer: UUID | None = None
    keeps: bool = False
    terminal: UUID | None = None
    disputed: int = 0

    @property
    def promised(self) -> int:
        """What it pays of its order: the whole amount while that can still come, else what came in."""
        is_open = self.status in (PaymentStatus.PENDING, PaymentStatus.AUTHORIZED) and not self.is_leaving
        return self.amount if is_open else self.captured

    @property
    def refundable(self) -> int:
        """What can still go back, minor units."""
        return max(0, self.captured - self.refunded - self.disputed)


class RefundStatus(StrEnum):
    """``pending``: the provider has not said yet that the money went back."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


class Way(StrEnum):
    """How money goes back that its provider refused to give back."""

    BANK_TRANSFER = "bank_transfer"
    CASH = "cash"
    STORE_CREDIT = "store_credit"


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """Money that goes back through a payment, minor units. ``problem`` says why it failed.

    With ``way`` it went back in another way ``instead_of`` a refund that failed; of cash ``location`` says where.
    """

    id: UUID
    payment: UUID
    amount: int
    status: RefundStatus
    reference: str | None = None
    reason: str = ""
    problem: str | None = None
    created_at: datetime | None = None
    instead_of: UUID | None = None
    way: Way | None = None
    location: UUID | None = None


class OperationKind(StrEnum):
    """What a provider on the network can be asked to do."""

    AUTHORIZE = "authorize"
    CAPTURE = "capture"
    VOID = "void"
    REFUND = "refund"


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a provider on the network is asked to do. ``id`` is the idempotency key."""

    id: UUID
    payment: UUID
    kind: OperationKind
    amount: int
    tries: int = 0
    token: str | None = None
    created_at: datetime


class StartInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A payment to begin for a cart, before it is ordered."""

    provider: ProviderName
    amount: Annotated[
        Amount | None, msgspec.Meta(description="Without it: what other payments of this cart leave to pay")
    ] = None
    tip: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=10**9,
            description="For the staff, at a till that takes tips: so much may come in beside the total (minor units)",
        ),
    ] = 0
    terminal: Annotated[
        UUID | None,
        msgspec.Meta(
            description="Which card terminal of the store, for `terminal`; without it its first one"
        ),
    ] = None
    token: Token | None = None
    place: Annotated[
        bool,
        msgspec.Meta(
            description="Place the order as soon as the money is reserved, also if the browser is gone by then"
        ),
    ] = False
    keep: Annotated[
        bool,
        msgspec.Meta(
            description="The provider keeps the card, for a customer who is signed in; pay with it later by the token "
            "`kept:` and its id"
        ),
    ] = False


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was begun for a cart. ``action`` says what the customer must do now; ``reason`` why it was
    declined, or what the last try failed on. Pending without an action: the provider has not answered yet; ask again."""

    id: UUID
    provider: str
    amount: int
    currency: str
    status: PaymentStatus
    order_id: UUID | None
    reason: str | None = None
    reference: str | None = None
    expires_at: datetime | None = None
    action: Action | None = None
    terminal: UUID | None = None


class ReceivedInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Money that came in and says what it is for."""

    amount: Amount
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$", max_length=3, examples=["SEK"])]
    reference: Annotated[Note, msgspec.Meta(description="As the payer wrote it", examples=["RF32 10001"])]
    received_on: date | None = None
    bank_id: Annotated[
        Note | None,
        msgspec.Meta(
            description="The bank's own id of the entry: the same one again counts once",
            examples=["2026-1125-7"],
        ),
    ] = None
    note: Note = ""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came in, minor units. Without a ``payment`` nobody knows what it is for; ``matched`` is how much of
    it was still due."""

    id: UUID
    payment: UUID | None
    reference: str | None
    currency: str
    amount: int
    matched: int
    received_on: date
    bank_id: str | None = None
    note: str = ""


class PaymentDeclined(Problem):
    """The provider refused the payment; ``reason`` is its word. Nothing was ordered; try another way to pay."""

    code, status, title = "payment-declined", 402, "The payment was declined"


class PaymentPending(Conflict):
    """The provider has not answered yet whether the money is reserved. Nothing was ordered and nothing is lost: ask for
    the payment's status again in a moment, then place the order. Nobody is charged twice."""

    code, title = "payment-pending", "We wait for the payment provider"


class NotClaimable(Conflict):
    """A payment that was begun cannot pay this order: it is another cart's, was let go or is used. Begin a new one."""

    code, title = "payment-not-usable", "This payment cannot be used here"


class NotRefundable(Conflict):
    """More is to go back than came in and has not gone back yet."""

    code, title = "not-refundable", "There is not so much to give back"


class PaymentDisputed(NotRefundable):
    """The customer's bank has taken the money back, or may: given back as well it would be gone twice. Answer the dispute at the
    provider, or let it be lost."""

    code, title = "payment-disputed", "The payment is disputed"

    @classmethod
    def of(cls, refundable: int) -> Self:
        """With what can still be given back, minor units."""
        return cls(
            "The customer disputes this payment at their bank, which takes the money back: it cannot be given back a second time.",
            refundable=refundable,
        )
