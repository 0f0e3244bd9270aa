"""What a change of an order is: a list of actions, and what a preview says they come to. Amounts in minor units."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from samlad.carts import Address
from samlad.kernel.problems import Conflict, Problem
from samlad.orders.model import LineQuantity, Order, OrderLine, Reason
from samlad.payments import PaymentInput
from samlad.payments.model import ProviderName, Token
from samlad.stock.lots_model import LotCode

ReasonCode = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z][a-z0-9_]{0,39}(?!\n)$",
        max_length=40,
        description="One of `GET /api/return-reasons`",
        examples=["wrong_size"],
    ),
]
Position = Annotated[int, msgspec.Meta(ge=1, le=32_000, description="The line's position in the order")]
Money = Annotated[int, msgspec.Meta(ge=1, le=2**52, description="Minor units, with tax", examples=[5000])]
Photo = Annotated[
    str,
    msgspec.Meta(
        max_length=500,
        pattern=r"^(https?://|/media/)[\x21-\x7e]+(?!\n)$",
        description="Where a picture is",
        examples=["/media/2f/broken-lid.jpg"],
    ),
]
Photos = Annotated[list[Photo], msgspec.Meta(max_length=20)]
Scanned = Annotated[
    str,
    msgspec.Meta(
        max_length=100,
        pattern=r"^[^\x00-\x1c\x1e\x1f\x7f]*$",
        description="What was scanned on the goods that are here: an SKU, a GTIN or a GS1 code with the lot",
    ),
]


class Condition(StrEnum):
    """How goods are when they come back."""

    NEW = "new"
    OPENED = "opened"
    DAMAGED = "damaged"
    DEFECTIVE = "defective"


BackLot = Annotated[
    LotCode,
    msgspec.Meta(description="Which lot comes back, where the order got several; a scanned code says it"),
]


class Disposition(StrEnum):
    """What becomes of goods that came back: sold again, looked at before anybody decides, or thrown away."""

    SELL = "sell"
    QUARANTINE = "quarantine"
    SCRAP = "scrap"
    NOWHERE = "nowhere"


class RefundTo(StrEnum):
    """Where money goes: to the tenders it came from (the latest first), to store credit, or nowhere for now."""

    TENDER = "tender"
    CREDIT = "credit"
    NOTHING = "nothing"


class _Action(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What all actions are."""


class ReturnAction(_Action, tag="return"):
    """Units that have left come back."""

    position: Position
    quantity: LineQuantity
    reason: ReasonCode = "other"
    condition: Condition | None = None
    location: Annotated[
        UUID | None, msgspec.Meta(description="Where they came in; without it where the change happens")
    ] = None
    restock: Annotated[
        bool | None, msgspec.Meta(description="Sell them again; without it reason and condition say so")
    ] = None
    scanned: Scanned | None = None
    lot: BackLot | None = None


class CancelAction(_Action, tag="cancel"):
    """Units that have not left will not come."""

    position: Position
    quantity: LineQuantity


class AddAction(_Action, tag="add"):
    """More goods in the same order, at today's price. The order has not left completely."""

    variant: UUID
    quantity: LineQuantity


class QuantityAction(_Action, tag="quantity"):
    """How many of a line there shall be. Fewer: the rest is called off; more: added at today's price."""

    position: Position
    quantity: Annotated[int, msgspec.Meta(ge=0, le=9_999)]


class ExchangeAction(_Action, tag="exchange"):
    """Units of a line for another variant: the one comes back (or is called off), the other is sold.

    Without ``variant``: the same thing again, at what was paid. ``keep_price``: another variant of the same product at
    what was paid. ``instant``: the new goods leave now and the old ones are expected by a day.
    """

    position: Position
    quantity: LineQuantity
    variant: UUID | None = None
    reason: ReasonCode = "other"
    condition: Condition | None = None
    keep_price: bool = False
    instant: bool = False
    scanned: Scanned | None = None
    lot: BackLot | None = None


class GoodwillAction(_Action, tag="goodwill"):
    """Money back while the goods stay; on one line, or spread over what is left of all."""

    amount: Money
    position: Position | None = None
    reason: ReasonCode = "other"


class FeeAction(_Action, tag="fee"):
    """What the customer pays for: taken off what goes back, or added to the order."""

    amount: Money
    title: Annotated[
        str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$", examples=["Repacking"])
    ]


class AddressAction(_Action, tag="address"):
    """Another delivery address, before everything has left."""

    address: Address


class ClaimAction(_Action, tag="claim"):
    """Something is wrong with units that were delivered: money back, or the same again; the goods may stay."""

    position: Position
    quantity: LineQuantity
    reason: ReasonCode = "defective"
    remedy: Annotated[
        str, msgspec.Meta(pattern="^(refund|replacement)$", max_length=11, examples=["replacement"])
    ] = "refund"
    goods_back: Annotated[bool, msgspec.Meta(description="The customer brings the goods back")] = False
    condition: Condition | None = None
    lot: BackLot | None = None


class NoteAction(_Action, tag="note"):
    """Something to remember."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000, pattern=r"^[^\x00]+$")]


Action = (
    ReturnAction
    | CancelAction
    | AddAction
    | QuantityAction
    | ExchangeAction
    | GoodwillAction
    | FeeAction
    | AddressAction
    | ClaimAction
    | NoteAction
)


class Agreed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How new goods are paid if the old ones never come. Without it, or declined, it becomes an invoice.

    The token is what the provider keeps: for Stripe ``cus_…:pm_…``, for a gift card its code; store credit is the
    customer's own. It is kept sealed and never told again.
    """

    provider: ProviderName
    token: Token | None = None


class ChangeInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change of an order. The same ``id`` twice is done once.

    ``fingerprint`` is that of the preview that somebody agreed to: if it would come to anything else now, it is refused.
    """

    actions: Annotated[list[Action], msgspec.Meta(max_length=200)] = []
    location: Annotated[UUID | None, msgspec.Meta(description="Where it happens, and goods come in")] = None
    refund_to: RefundTo = RefundTo.TENDER
    cart: Annotated[
        UUID | None,
        msgspec.Meta(description="A cart that is sold in the same ticket: what comes back pays for it"),
    ] = None
    payments: Annotated[
        list[PaymentInput], msgspec.Meta(max_length=10, description="They come to what is to be paid")
    ] = []
    pay_later: bool = False
    if_not_back: Annotated[
        Agreed | None,
        msgspec.Meta(description="Of goods that leave before the old ones are back: how they are paid then"),
    ] = None
    hand_over: Annotated[bool, msgspec.Meta(description="New goods leave here, at once")] = False
    sent_in: Annotated[bool, msgspec.Meta(description="The goods were sent, not brought to a store")] = False
    waive_fees: Annotated[
        bool, msgspec.Meta(description="No restocking fee; beyond what staff may decide")
    ] = False
    note: Reason = ""
    photos: Photos = []
    override: Annotated[Reason, msgspec.Meta(description="Why a manager goes beyond a window or a limit")] = (
        ""
    )
    id: UUID | None = None
    fingerprint: Annotated[str, msgspec.Meta(max_length=120, pattern=r"^[0-9a-z.-]*$")] | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to know before it is done; ``values`` are those in ``text``, for other languages (amounts minor units).

    ``needs_override``: only who may, with a reason, can go on.
    """

    code: str
    text: str
    values: dict[str, str | int] = {}
    position: int | None = None
    needs_override: bool = False


class StockEffect(msgspec.Struct, frozen=True, kw_only=True):
    """Units that come in or go out. Without a location: where they had left from, or where stock finds them."""

    variant: UUID
    sku: str | None
    quantity: int
    effect: str
    location: UUID | None = None


class TenderPart(msgspec.Struct, frozen=True, kw_only=True):
    """How much goes back through which payment."""

    payment: UUID
    provider: str
    amount: int


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change comes to, exactly. Lines that come back or are called off have negative amounts.

    ``worth`` is what they come to, less fees and what was given back on them before. Of it ``forgiven`` was not paid
    yet and is no longer asked for, ``transferred`` pays for new goods, and the rest goes back: ``refunded`` to
    ``refunds``, ``credited`` as store credit. ``to_pay`` is due now; ``expected`` is what goods that come later will be
    worth. ``difference`` is what all of it costs the customer, negative if it goes back.
    """

    order: UUID
    number: str
    version: int
    currency: str
    came_back: list[OrderLine] = []
    called_off: list[OrderLine] = []
    added: list[OrderLine] = []
    sold: list[OrderLine] = []
    sold_total: int = 0
    fees: int = 0
    worth: int = 0
    tax: int = 0
    forgiven: int = 0
    transferred: int = 0
    refunded: int = 0
    credited: int = 0
    refunds: list[TenderPart] = []
    to_pay: int = 0
    expected: int = 0
    difference: int = 0
    stock: list[StockEffect] = []
    notices: list[Notice] = []
    address: Address | None = None
    fingerprint: str = ""

    @property
    def needs_override(self) -> list[Notice]:
        """What only a manager may do."""
        return [notice for notice in self.notices if notice.needs_override]


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """What a change came to be: the order as it is now, and the orders that it made."""

    id: UUID
    preview: Preview
    order: Order
    came_back: UUID | None = None
    called_off: UUID | None = None
    placed: UUID | None = None
    request: UUID | None = None

    @property
    def version(self) -> int:
        """The order's."""
        return self.order.version


class ChangeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was made, as the order's history keeps it."""

    id: UUID
    order_id: UUID
    version: int
    came_back: UUID | None
    called_off: UUID | None
    placed: UUID | None
    worth: int
    refunded: int
    credited: int
    transferred: int
    location: UUID | None
    note: str
    photos: list[str]
    notices: list[str]
    preview: Preview
    override: str | None
    actor: str
    created_at: datetime


class ReturnReason(msgspec.Struct, frozen=True, kw_only=True):
    """Why things come back. ``restock``: as good as new unless a condition says otherwise; ``ships``: who pays for
    sending it back; ``photo``: a picture is asked for; ``fee_bp``: restocking fee in basis points of what comes back."""

    code: str
    name: str
    restock: bool
    ships: str
    photo: bool
    fee_bp: int = 0
    is_active: bool = True
    position: int = 100


class ReturnReasonInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A reason as it shall be."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]+$")]
    restock: bool
    ships: Annotated[str, msgspec.Meta(pattern="^(customer|shop)$", max_length=8, examples=["customer"])]
    photo: bool = False
    fee_bp: Annotated[int, msgspec.Meta(ge=0, le=10_000, description="Basis points: 1000 is 10 %")] = 0
    is_active: bool = True
    position: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 100


class WindowInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many days a product, a country's customers, or both may return in. Null days: what the channel says."""

    country: (
        Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}(?!\n)$", max_length=2, examples=["SE"])] | None
    ) = None
    product: UUID | None = None
    days: Annotated[int, msgspec.Meta(ge=0, le=3650)] | None = None


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """A window that differs from the channel's."""

    country: str | None
    product: UUID | None
    days: int


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer has bought and brought back within some days: of fraud signals. ``no_receipt`` are the returns of
    which nobody knew the sale."""

    returns: int = 0
    returned_worth: int = 0
    bought: int = 0
    no_receipt: int = 0


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for one line: how long it may come back, by which day at the latest. ``withdrawal_until``: the last day of
    the right of withdrawal, where its customer has that."""

    days: int
    last_day: date | None
    withdrawal_until: date | None = None


class ChangeDiffers(Conflict):
    """It would come to something else than the preview that was agreed to: somebody changed the order meanwhile, or a
    price or the stock moved. ``changed`` says what, with what it was and is. Nothing was done; look at a new preview."""

    code, title = "change-differs", "This would come to something else now"


class NeedsOverride(Problem):
    """A window is over or a limit is passed; ``notices`` says which. Somebody with ``orders.override`` may do it, with a
    reason in ``override``."""

    code, status, title = "needs-override", 403, "Only a manager may do this"
