"""What the money book is made of. Amounts are minor units; debit is positive, credit negative."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.kernel.problems import Conflict

Line120 = Annotated[str, Meta(max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")]
Reason = Annotated[
    str, Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$", examples=["The card terminal was late"])
]
AccountNumber = Annotated[
    str,
    Meta(pattern=r"^[0-9]{3,8}(?!\n)$", max_length=8, description="Three to eight digits", examples=["3001"]),
]


class Recognition(StrEnum):
    """When the goods of a paid order are income: at once, or only when they were handed over (docs/decisions/revenue.md)."""

    PAID = "paid"
    HANDED_OVER = "handed_over"


class VoucherKind(StrEnum):
    """What a voucher is about."""

    ORDER = "order"
    PAYMENT = "payment"
    REFUND = "refund"
    RECEIPT = "receipt"
    CREDIT = "credit"
    STOCK = "stock"
    TILL = "till"
    CLOSING = "closing"
    SETTLEMENT = "settlement"
    POINTS = "points"
    SUPPLIER_RETURN = "supplier_return"
    TIP = "tip"
    REVERSAL = "reversal"


SERIES = {
    VoucherKind.ORDER: "S",
    VoucherKind.PAYMENT: "P",
    VoucherKind.REFUND: "P",
    VoucherKind.RECEIPT: "P",
    VoucherKind.SETTLEMENT: "P",
    VoucherKind.TIP: "P",
    VoucherKind.CREDIT: "G",
    VoucherKind.POINTS: "G",
    VoucherKind.STOCK: "C",
    VoucherKind.SUPPLIER_RETURN: "C",
    VoucherKind.TILL: "T",
    VoucherKind.CLOSING: "D",
    VoucherKind.REVERSAL: "M",
}
"""The series that each kind is numbered in: sales, payments, gift cards and credit, cost of goods, tills, days, by hand."""


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """The book of a pool of orders: one legal entity. ``fiscal_month`` is the first of its fiscal years;
    ``points_worth`` is what 1,000 points of members are worth (minor units), 0: they are not booked."""

    id: UUID
    name: str
    org_number: str
    country: str
    currency: str
    time_zone: str
    fiscal_month: int
    recognition: Recognition
    posts_imports: bool
    points_worth: int
    version: int


class BookChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change of a book; what is left out stays."""

    name: Annotated[Line120, Meta(min_length=1)] | None = None
    org_number: Annotated[str, Meta(max_length=20, pattern=r"^[0-9A-Za-z -]*(?!\n)$")] | None = None
    fiscal_month: Annotated[int, Meta(ge=1, le=12)] | None = None
    recognition: Recognition | None = None
    posts_imports: bool | None = None
    points_worth: (
        Annotated[
            int, Meta(ge=0, le=10**12, description="What 1,000 points are worth, minor units; 0: not booked")
        ]
        | None
    ) = None


class AccountInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which account a purpose has from a day on."""

    purpose: Annotated[
        str,
        Meta(max_length=80, pattern=r"^[^\x00]*$", examples=["sales:2500", "clearing:stripe", "rounding"]),
    ]
    number: AccountNumber
    name: Annotated[Line120, Meta(min_length=1)]
    valid_from: date


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a purpose; without ``valid_from`` it is the default chart's."""

    purpose: str
    number: str
    name: str
    valid_from: date | None = None


class Entry(msgspec.Struct, frozen=True, order=True):
    """What a line is for and where it belongs; the key under which amounts of one subject are added up."""

    purpose: str
    currency: str
    channel: UUID | None = None
    location: UUID | None = None
    tender: str | None = None
    tax_rate: int | None = None


class VoucherLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a voucher: ``amount`` above zero is debit. ``tax_rate`` in basis points."""

    position: int
    purpose: str
    account: str
    amount: int
    currency: str
    channel: UUID | None
    location: UUID | None
    tender: str | None
    tax_rate: int | None


class VoucherHead(msgspec.Struct, frozen=True, kw_only=True):
    """A voucher without its lines. ``fact_day`` is earlier than ``day`` where the fact's own day had been closed."""

    id: UUID
    book: UUID
    series: str
    year: date
    number: int
    day: date
    fact_day: date
    place: UUID
    text: str
    kind: VoucherKind
    cause: str
    event: UUID | None
    subject: UUID
    order_id: UUID | None
    reverses: UUID | None
    actor: str
    posted_at: datetime


class Voucher(VoucherHead, frozen=True, kw_only=True):
    """A voucher with its lines, which come to zero in each currency. ``reversed_by`` took it back."""

    reversed_by: UUID | None = None
    lines: list[VoucherLine] = []


class ReverseInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a voucher is taken back."""

    reason: Reason


class CloseDayInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A day of a location, or of a channel that sells without one."""

    place: Annotated[UUID, Meta(description="Id of the location, or of a channel without one")]
    day: date
    provider_totals: Annotated[
        dict[
            Annotated[str, Meta(max_length=40, pattern=r"^[a-z][a-z0-9_-]*(?!\n)$")],
            Annotated[int, Meta(ge=-(2**52), le=2**52)],
        ],
        Meta(
            max_length=30,
            description="What each provider of card payments says it took that day less what it gave back, minor units",
            examples=[{"stripe": 1250000}],
        ),
    ] = {}
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class ReopenInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Why a closed day is reopened."""

    reason: Reason


class TenderDay(msgspec.Struct, frozen=True, kw_only=True):
    """What one tender took and gave back; ``counted`` is what the drawer or the provider says it should be."""

    tender: str
    taken: int
    given_back: int
    counted: int | None = None
    difference: int | None = None


class RateDay(msgspec.Struct, frozen=True, kw_only=True):
    """Sales less returns of one tax rate (basis points), without tax, and their tax."""

    tax_rate: int
    net: int
    tax: int


class DayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a place sold and took on a day. ``sold`` and ``returned`` are with tax; both are above zero."""

    place: UUID
    place_kind: Literal["location", "channel"]
    name: str
    day: date
    currency: str
    vouchers: int = 0
    sold: int = 0
    returned: int = 0
    tenders: list[TenderDay] = []
    rates: list[RateDay] = []
    cash_difference: int = 0
    shifts: list[UUID] = []


class DayClosing(msgspec.Struct, frozen=True, kw_only=True):
    """A day that was closed, with what it came to then."""

    id: UUID
    book: UUID
    place: UUID
    place_kind: str
    day: date
    status: str
    report: DayReport
    note: str
    closed_by: str
    closed_at: datetime
    reopened_by: str | None = None
    reopened_at: datetime | None = None
    reason: str | None = None


Cash = Annotated[int, Meta(ge=0, le=2**52, description="Minor units", examples=[200000])]


class OpenTillInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A drawer that is opened with so much in it. A drawer of a new name is a new till."""

    location: UUID
    till: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]+(?!\n)$")] = "1"
    float_amount: Cash
    id: Annotated[UUID | None, Meta(description="Your own id of the shift: the same again opens once")] = None


class TillReason(StrEnum):
    """Why cash goes into or out of a drawer."""

    CHANGE = "change"
    PETTY_CASH = "petty_cash"
    BANK_DEPOSIT = "bank_deposit"
    CORRECTION = "correction"
    TIPS = "tips"


class MovedFor(StrEnum):
    """Why cash went into or out of a drawer. A refund goes out by its own verb: it is of an imported order, or its provider refused it."""

    CHANGE = "change"
    PETTY_CASH = "petty_cash"
    BANK_DEPOSIT = "bank_deposit"
    CORRECTION = "correction"
    REFUND = "refund"
    TIPS = "tips"


class CashRefundInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is paid out of a drawer for an order of another system or in place of a refund that failed, and why in cash."""

    refund: Annotated[UUID, Meta(description="Id of the refund: it is paid once, however often it is told")]
    reason: Reason
    amount: Annotated[
        Annotated[int, Meta(ge=1, le=2**52)] | None,
        Meta(description="A part of a refund that failed, minor units"),
    ] = None
    id: Annotated[UUID | None, Meta(description="Your own id of such a part: the same again counts once")] = (
        None
    )


class TillMovementInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Cash into a drawer (above zero) or out of it (below zero)."""

    amount: Annotated[int, Meta(ge=-(2**52), le=2**52)]
    reason: TillReason
    note: Line120 = ""
    id: Annotated[UUID | None, Meta(description="Your own id of it: the same again counts once")] = None


class CloseTillInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What was counted: pieces by denomination (minor units), and what is taken out of the drawer now."""

    counts: Annotated[
        dict[
            Annotated[str, Meta(pattern=r"^[0-9]{1,9}(?!\n)$", max_length=9)],
            Annotated[int, Meta(ge=0, le=1_000_000)],
        ],
        Meta(
            max_length=60,
            description="Pieces by denomination in minor units",
            examples=[{"50000": 2, "10000": 7}],
        ),
    ]
    taken: Cash = 0
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class TillMovement(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that was put in or taken out."""

    id: UUID
    reason: MovedFor
    amount: int
    note: str
    name: str
    at: datetime


class TipDay(msgspec.Struct, frozen=True, kw_only=True):
    """What customers gave for somebody of the staff, less what went back (minor units)."""

    name: str
    amount: int


class TillReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a shift did: the X report while it is open, the Z report when it is closed.

    ``tips`` are in ``tenders``, too, because they were paid with the sales; in ``rates`` they are not.
    """

    sales: int = 0
    tenders: list[TenderDay] = []
    rates: list[RateDay] = []
    tips: list[TipDay] = []
    moved: int = 0
    expected: int = 0


class Shift(msgspec.Struct, frozen=True, kw_only=True):
    """The time of a drawer between opening and closing. ``expected`` and ``report`` are told once it was counted."""

    id: UUID
    till: UUID
    till_name: str
    location: UUID
    book: UUID
    currency: str
    number: int | None
    float: int
    counted: int | None
    counts: dict[str, int] | None
    expected: int | None
    taken: int
    report: TillReport | None
    note: str
    opened_by: str
    opened_name: str
    opened_at: datetime
    closed_by: str | None
    closed_name: str | None
    closed_at: datetime | None
    late: Annotated[int, Meta(description="So many payments came to its Z report after it was counted")] = 0
    version: int
    clerks: list[str] = []

    @property
    def difference(self) -> int | None:
        """What was there beyond what was expected (minor units); None while it is open."""
        return None if self.counted is None or self.expected is None else self.counted - self.expected


class ShiftView(msgspec.Struct, frozen=True, kw_only=True):
    """A shift with the cash that was put in and taken out."""

    shift: Shift
    movements: list[TillMovement]
    difference: int | None
    report: TillReport | None


class TillState(Conflict):
    """The drawer is open already, or closed already; ``shift`` says which shift it is about."""

    code, title = "till-state", "The drawer does not allow this now"


class DayState(Conflict):
    """The day is closed already, not closed, or a drawer of it is still open."""

    code, title = "day-state", "The day does not allow this now"


class VoucherState(Conflict):
    """The voucher was reversed already, or is itself a reversal."""

    code, title = "voucher-state", "The voucher cannot be reversed"


class BalanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """An account over a period (minor units): what it held before, what came and went, what it holds after."""

    account: str
    name: str
    currency: str
    opening: int
    debit: int
    credit: int
    closing: int


class DayPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What an account holds at the end of a day."""

    day: date
    balance: int
