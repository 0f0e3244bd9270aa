"""What orders are. Amounts are minor units of the order's currency, with tax."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec

from samlad.carts import Address, Delivery, PriceStep
from samlad.catalog import Measure
from samlad.delivery import Promised
from samlad.kernel.problems import Conflict
from samlad.payments import Payment, PaymentInput, Refund
from samlad.tax import NumberStatus

Reason = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00]*$", examples=["Changed their mind"])]
LineQuantity = Annotated[int, msgspec.Meta(ge=1, le=9_999)]


class OrderKind(StrEnum):
    """Goods that go out, goods that come back, or neither (fees, corrections)."""

    SALE = "sale"
    RETURN = "return"
    ADJUSTMENT = "adjustment"


class OrderStatus(StrEnum):
    """``paid`` is placed and paid, with goods still to go. ``cancelled`` was called off as a whole and counts for nothing;
    ``called_off`` in parts until nothing was left, with an order of its own for what each part was worth."""

    PLACED = "placed"
    PAID = "paid"
    PARTIALLY_FULFILLED = "partially_fulfilled"
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    CALLED_OFF = "called_off"
    RETURNED = "returned"


class OrderPayment(StrEnum):
    """How the money stands."""

    UNPAID = "unpaid"
    PENDING = "pending"
    AUTHORIZED = "authorized"
    PAID = "paid"
    REFUNDED = "refunded"


class LineKind(StrEnum):
    """What a line is for. Only items are goods. A gift card is one that a till sold without network, or that the shop sells by itself."""

    ITEM = "item"
    SHIPPING = "shipping"
    FEE = "fee"
    DISCOUNT = "discount"
    ADJUSTMENT = "adjustment"
    GIFT_CARD = "gift_card"


class PlaceOrder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Buy what is in a cart."""

    cart: Annotated[UUID, msgspec.Meta(description="Id of the cart")]
    payments: Annotated[
        list[PaymentInput],
        msgspec.Meta(max_length=10, description="How it is paid; they come to the total"),
    ] = []
    total: (
        Annotated[
            int,
            msgspec.Meta(
                ge=0, le=2**52, description="What the buyer was shown, minor units; another total refuses"
            ),
        ]
        | None
    ) = None
    pay_later: Annotated[
        bool,
        msgspec.Meta(
            description="Paid later: on account, or at pick-up. Only staff may say so. What the payments come to is its deposit: the rest "
            "is paid before goods leave"
        ),
    ] = False
    tip: Annotated[
        int,
        msgspec.Meta(
            ge=0,
            le=10**9,
            description="For the staff, at tills of channels that take tips (minor units). No part of the total: the payments come to both",
        ),
    ] = 0
    deposit: (
        Annotated[
            int,
            msgspec.Meta(
                ge=1,
                le=2**52,
                description="So much is paid now (minor units; the payments come to it), the rest before goods leave. Customers may "
                "say so where the channel offers it (`deposit_offered`)",
            ),
        ]
        | None
    ) = None


class LineSelection(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A part of an order's line."""

    position: Annotated[int, msgspec.Meta(ge=1, le=32_000, description="The line's position in the order")]
    quantity: LineQuantity


class FulfilInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What leaves the shop now: everything that is left, or parts."""

    lines: Annotated[list[LineSelection], msgspec.Meta(max_length=500)] | None = None


class PayInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Payments for an order that was placed unpaid, or with a deposit; they come to what is still due.

    ``is_part``: they pay a part of it, each says its amount, and nothing of the order leaves before the rest is paid.
    """

    payments: Annotated[list[PaymentInput], msgspec.Meta(min_length=1, max_length=10)]
    is_part: bool = False
    location: Annotated[
        UUID | None,
        msgspec.Meta(description="Where somebody takes the money, if that is not the order's own store"),
    ] = None


class CancelInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why an order is cancelled."""

    reason: Reason = ""


class ReturnInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What comes back. Without lines everything that is still out."""

    lines: Annotated[list[LineSelection], msgspec.Meta(max_length=500)] | None = None
    location: Annotated[
        UUID | None, msgspec.Meta(description="Where it came in; without it where it had left from")
    ] = None
    restock: Annotated[bool, msgspec.Meta(description="It can be sold again")] = True
    refund: Annotated[bool, msgspec.Meta(description="The money goes back the way it came")] = True
    reason: Reason = ""


class Concession(msgspec.Struct, frozen=True, kw_only=True):
    """What was given back on a line (minor units, with tax) while its goods stayed, when ``after`` units were gone."""

    amount: int
    tax: int
    after: int


class SetOf(msgspec.Struct, frozen=True, kw_only=True):
    """The set that a line is a part of, as it was bought: ``quantity`` sets. Lines of one ``group`` are parts of the same."""

    group: int
    variant: UUID
    sku: str
    title: str
    options: str = ""
    quantity: int


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it was bought. ``unit_price`` is as quoted, with tax if ``tax_included``; ``total`` is with tax.
    ``sold_by``: what ``quantity`` counts; ``unit_price`` is for a piece, kilogram, metre or litre.

    ``cancelled`` units were called off before they left. ``substitutes``: the SKU that was ordered instead.
    ``reductions`` are the steps from ``unit_price`` times ``quantity`` to what was paid, as quoted.
    ``tax_category`` is the EN 16931 code, ``tax_treatment`` the rule that it was taxed by, ``tax_country`` the one whose
    return it belongs to (XI: Northern Ireland), ``tax_note`` the key of the text that belongs on the invoice. Null on
    lines that are no supply, and where an import did not say. ``plan`` is the selling plan by which it was bought,
    ``gift_note`` what the card says that goes with it. ``set_of``: it is a part of that set, at its share of the set's price.
    """

    position: int
    kind: LineKind
    variant: UUID | None = None
    sku: str | None = None
    title: str
    options: str = ""
    quantity: int
    unit_price: int
    tax_included: bool = True
    tax_rate: int = 0
    tax: int = 0
    total: int
    fulfilled: int = 0
    returned: int = 0
    cancelled: int = 0
    substitutes: str | None = None
    returns: UUID | None = None
    stock_correction: bool = False
    reductions: list[PriceStep] = []
    tax_category: str | None = None
    tax_treatment: str | None = None
    tax_country: str | None = None
    tax_note: str | None = None
    concessions: list[Concession] = []
    plan: UUID | None = None
    gift_note: str | None = None
    sold_by: Measure = Measure.PIECE
    set_of: SetOf | None = None


class OrderHead(msgspec.Struct, frozen=True, kw_only=True):
    """An order without its lines. ``called_off``: what goods that will not come were worth and was never paid.

    ``vat_check`` is what was known of the VAT number when the order was placed, ``vat_checked`` when VIES had said so
    and ``vat_consultation`` its proof.
    ``credited`` went back otherwise than through the order's payments: as store credit, or to pay for other goods.
    ``changes``: the sale that this one came out of, by an exchange or in one ticket with a return.
    ``delivery_method`` is what the buyer chose and ``promise`` when they were promised the goods by it. ``note`` is
    theirs for the shop, ``gift_note`` for the card that goes with all of it. ``deposit`` was agreed to be paid at once; nothing leaves
    before the rest is paid, by ``rest_due_on`` if a day was agreed.
    """

    id: UUID
    pool: UUID
    channel: UUID
    number: str
    kind: OrderKind
    status: OrderStatus
    payment_status: OrderPayment
    customer: UUID | None = None
    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: Address | None = None
    country: str | None = None
    currency: str
    delivery: Delivery | None = None
    location: UUID | None = None
    items: int
    tax: int
    total: int
    paid: int = 0
    refunded: int = 0
    called_off: int = 0
    credited: int = 0
    cart: UUID | None = None
    returns: UUID | None = None
    changes: UUID | None = None
    is_held: bool = False
    imported: str | None = None
    vat_number: str | None = None
    vat_check: NumberStatus | None = None
    vat_checked: datetime | None = None
    vat_consultation: str | None = None
    delivery_method: UUID | None = None
    promise: Promised | None = None
    note: str | None = None
    gift_note: str | None = None
    deposit: int | None = None
    rest_due_on: date | None = None
    placed_at: datetime
    local_day: date
    version: int = 1


class Order(OrderHead, frozen=True, kw_only=True):
    """An order with lines, payments and refunds; pending refunds have not gone back yet."""

    lines: list[OrderLine] = []
    payments: list[Payment] = []
    refunds: list[Refund] = []


class OrderRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the order list. ``is_partly_cancelled``: what left has come back, and the rest never left."""

    id: UUID
    number: str
    channel: str
    kind: str
    status: str
    payment_status: str
    placed_at: datetime
    customer: UUID | None
    customer_number: str | None
    name: str | None
    email: str | None
    items: int
    total: int
    currency: str
    delivery: str | None
    imported: str | None
    is_partly_cancelled: bool


class ChannelSales(msgspec.Struct, frozen=True, kw_only=True):
    """What one channel sold in one hour or day. ``period`` is its beginning on the reader's clock."""

    period: datetime
    channel: UUID
    currency: str
    orders: int
    revenue: int
    items: int


class AlreadyOrdered(Conflict):
    """This cart was ordered before; ``order`` and ``number`` say as what. Nothing was done twice."""

    code, title = "cart-already-ordered", "This cart has been ordered already"


class SoldWithReturn(Conflict):
    """A card terminal waits for the difference between this ticket and a return (``order``): the ticket is sold with it or, once that
    ``exchange`` was given up, without it."""

    code, title = "sold-with-return", "This ticket is being paid together with a return"


class TotalChanged(Conflict):
    """The order comes to another total than the buyer was shown; ``total`` is what it is now (minor units)."""

    code, title = "total-changed", "The total has changed"


class WrongState(Conflict):
    """What is asked for cannot be done to an order in this state; ``state`` says which."""

    code, title = "order-state", "The order does not allow this now"
