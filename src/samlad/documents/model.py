"""What legal entities and documents are. Amounts are minor units of the document's currency."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from samlad.catalog import Measure
from samlad.channels.model import Code, Country, Currency
from samlad.kernel.problems import Conflict, Problem
from samlad.orders import SetOf

_LINE = r"^[^\x00-\x1f\x7f]*(?!\n)$"
Line = Annotated[str, Meta(max_length=200, pattern=_LINE)]
Short = Annotated[str, Meta(max_length=60, pattern=_LINE)]
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE, examples=["Samlad Handel AB"])]
Prefix = Annotated[
    str,
    Meta(
        max_length=20,
        pattern=r"^(?:[A-Z0-9/-]|\{yyyy\}|\{yy\})*(?!\n)$",
        description="What numbers begin with: capital letters, digits, - and /; {yyyy} and {yy} are the fiscal year",
        examples=["{yyyy}-"],
    ),
]
Endpoint = Annotated[
    str,
    Meta(
        max_length=60,
        pattern=r"^(?:[0-9]{4}:[A-Za-z0-9._~@:-]+)?(?!\n)$",
        description="Address in the Peppol network: scheme (ISO 6523, EAS list) and identifier",
        examples=["0007:5567212047"],
    ),
]
Logo = Annotated[
    str,
    Meta(
        max_length=140_000,
        pattern=r"^(?:data:image/(?:png|jpeg);base64,[A-Za-z0-9+/]+={0,2})?(?!\n)$",
        description="A data: URL of a PNG or JPEG of at most 100 kB",
    ),
]


class Kind(StrEnum):
    """What has a number of an unbroken series."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


PREPAID = "prepaid"
"""What the cause of an invoice for a prepayment begins with."""


class Slip(StrEnum):
    """What is printed of an order as it is now: it has no number of its own and is not kept."""

    CONFIRMATION = "order-confirmation"
    RECEIPT = "receipt"


class FileType(StrEnum):
    """In which form a document is asked for."""

    HTML = "html"
    PDF = "pdf"
    UBL = "xml"


# -- who sells -------------------------------------------------------------------------------------------------------------


class Entity(msgspec.Struct, frozen=True, kw_only=True):
    """Who sells: what documents say of the seller, and how their numbers look. ``pool`` is one of orders."""

    id: UUID
    pool: UUID
    code: str
    is_default: bool
    name: str
    trading_name: str = ""
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    country: str
    registration_number: str = ""
    vat_number: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    iban: str = ""
    bic: str = ""
    bank_account: str = ""
    endpoint: str = ""
    currency: str
    legal_text: str = ""
    logo: str = ""
    invoice_prefix: str = ""
    credit_prefix: str = "C"
    number_digits: int = 6
    is_yearly: bool = False
    year_begins: int = 1
    version: int = 1
    created_at: datetime
    updated_at: datetime


_Digits = Annotated[int, Meta(ge=1, le=12, description="Numbers are filled with zeros to so many digits")]
_Month = Annotated[int, Meta(ge=1, le=12, description="Month in which the fiscal year begins")]
_Yearly = Annotated[bool, Meta(description="Numbers begin at 1 with each fiscal year; prefixes then name it")]
_Text = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$", description="At the foot of documents")]


class EntityInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Somebody else who sells, beside the default of a channel's pool of orders."""

    channel: Annotated[UUID, Meta(description="A channel whose pool of orders it belongs to")]
    code: Code
    name: Name
    trading_name: Line = ""
    line1: Line = ""
    line2: Line = ""
    postal_code: Annotated[str, Meta(max_length=20, pattern=_LINE)] = ""
    city: Line = ""
    country: Country | None = None
    registration_number: Short = ""
    vat_number: Short = ""
    email: Line = ""
    phone: Short = ""
    website: Line = ""
    iban: Short = ""
    bic: Short = ""
    bank_account: Short = ""
    endpoint: Endpoint = ""
    currency: Currency | None = None
    legal_text: _Text = ""
    logo: Logo = ""
    invoice_prefix: Prefix = ""
    credit_prefix: Prefix = "C"
    number_digits: _Digits = 6
    is_yearly: _Yearly = False
    year_begins: _Month = 1


class EntityChange(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What to change; what is left out stays. Documents that were issued stay as they are."""

    name: Name | UnsetType = UNSET
    trading_name: Line | UnsetType = UNSET
    line1: Line | UnsetType = UNSET
    line2: Line | UnsetType = UNSET
    postal_code: Annotated[str, Meta(max_length=20, pattern=_LINE)] | UnsetType = UNSET
    city: Line | UnsetType = UNSET
    country: Country | UnsetType = UNSET
    registration_number: Short | UnsetType = UNSET
    vat_number: Short | UnsetType = UNSET
    email: Line | UnsetType = UNSET
    phone: Short | UnsetType = UNSET
    website: Line | UnsetType = UNSET
    iban: Short | UnsetType = UNSET
    bic: Short | UnsetType = UNSET
    bank_account: Short | UnsetType = UNSET
    endpoint: Endpoint | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    legal_text: _Text | UnsetType = UNSET
    logo: Logo | UnsetType = UNSET
    invoice_prefix: Prefix | UnsetType = UNSET
    credit_prefix: Prefix | UnsetType = UNSET
    number_digits: _Digits | UnsetType = UNSET
    is_yearly: _Yearly | UnsetType = UNSET
    year_begins: _Month | UnsetType = UNSET


# -- what is printed -------------------------------------------------------------------------------------------------------


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Seller or buyer as a document names them. ``endpoint`` is the address in the Peppol network."""

    name: str
    trading_name: str = ""
    line1: str = ""
    line2: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    country: str = ""
    registration_number: str = ""
    vat_number: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    endpoint: str = ""


class Bank(msgspec.Struct, frozen=True, kw_only=True):
    """Where an invoice is paid to, and the reference that the payer gives."""

    iban: str = ""
    bic: str = ""
    account: str = ""
    reference: str = ""


class Step(msgspec.Struct, frozen=True):
    """A reduction: its name, and what it takes off in minor units as quoted."""

    name: str
    amount: int


class PrintedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a document. ``net`` + ``tax`` = ``total``; on a credit note what is credited is positive.

    ``position`` is that of the sale's line, None for one of a return (``source``). ``category``: EN 16931, BT-151.
    ``set_of``: the set that it is a part of, which stands above its parts. ``serials``: numbers of its pieces, on receipts.
    """

    position: int | None = None
    source: UUID | None = None
    kind: str
    sku: str = ""
    title: str
    options: str = ""
    quantity: int
    unit_price: int
    tax_included: bool
    tax_rate: int
    category: str
    note: str = ""
    net: int
    tax: int
    total: int
    reductions: list[Step] = []
    sold_by: Measure = Measure.PIECE
    set_of: SetOf | None = None
    serials: list[str] = []


class RateTotal(msgspec.Struct, frozen=True, kw_only=True):
    """What is taxed at one rate in one category: basis points, net and tax."""

    category: str
    rate: int
    net: int
    tax: int
    note: str = ""


class Paid(msgspec.Struct, frozen=True, kw_only=True):
    """A payment as a document names it; ``tendered`` and ``change_due`` are those of cash."""

    provider: str
    amount: int
    tendered: int | None = None
    change_due: int | None = None


class Printed(msgspec.Struct, frozen=True, kw_only=True):
    """All that a document says. ``rounding`` is of cash and bears no tax; ``paid`` is what came in before, without
    the ``tip``, which is no part of the total.

    ``of`` and ``of_date``: number and day of the invoice that a credit note takes back. ``promise``: when the buyer was
    promised the goods, in their words; ``note`` is what they wrote for the shop.
    ``check``: the address at which a receipt can be checked.
    """

    kind: str
    number: str
    issued_on: date
    issued_at: datetime
    due_on: date | None = None
    delivered_on: date | None = None
    locale: str
    time_zone: str
    currency: str
    seller: Party
    buyer: Party
    ship_to: Party | None = None
    buyer_reference: str = ""
    order: UUID
    order_number: str
    placed_at: datetime
    channel: str
    place: str = ""
    place_lines: list[str] = []
    lines: list[PrintedLine]
    rates: list[RateTotal]
    net: int
    tax: int
    rounding: int = 0
    total: int
    tip: int = 0
    paid: int = 0
    payments: list[Paid] = []
    bank: Bank = Bank()
    of: str = ""
    of_date: date | None = None
    reason: str = ""
    legal_text: str = ""
    footer: str = ""
    logo: str = ""
    promise: str = ""
    note: str = ""
    check: str = ""

    @property
    def is_prepayment(self) -> bool:
        """Whether it is an invoice for money that came in before the goods leave."""
        return self.kind == Kind.INVOICE and self.reason == PREPAID


# -- what was issued -------------------------------------------------------------------------------------------------------


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice or credit note as it was issued. ``sha256`` is of its content as it is stored, byte for byte."""

    id: UUID
    entity: UUID
    kind: Kind
    number: str
    order_id: UUID
    cause: str
    invoice: UUID | None = None
    channel: UUID
    customer: UUID | None = None
    currency: str
    net: int
    tax: int
    rounding: int
    total: int
    rates: list[RateTotal]
    issued_at: datetime
    issued_on: date
    due_on: date | None = None
    actor: str
    sha256: str

    @property
    def is_prepayment(self) -> bool:
        """Whether it is an invoice for money that came in before the goods leave."""
        return self.kind is Kind.INVOICE and self.cause.partition(":")[0] == PREPAID


class DocumentContent(Document, frozen=True, kw_only=True):
    """A document with all that is printed on it."""

    printed: Printed


class DocumentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the list of documents. ``of``: the number of the invoice that a credit note takes back."""

    id: UUID
    kind: str
    number: str
    entity: str
    order: UUID
    order_number: str
    channel: str
    buyer: str
    issued_on: date
    due_on: date | None
    currency: str
    net: int
    tax: int
    rounding: int
    total: int
    of: str | None
    sha256: str


class BuyerInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """A buyer that is a business: what the order does not say of them."""

    name: Line = ""
    registration_number: Short = ""
    vat_number: Short = ""
    endpoint: Endpoint = ""
    reference: Annotated[
        str,
        Meta(max_length=200, pattern=_LINE, description="Their reference or order number (BT-10)"),
    ] = ""


class IssueInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Bring an order's documents in line with it: the invoice, and credit notes for what came after."""

    buyer: BuyerInput = msgspec.field(default_factory=BuyerInput)


class NothingToIssue(Conflict):
    """Nothing can be invoiced or credited for this order (any more); nothing was issued."""

    code, title = "nothing-to-issue", "There is nothing to issue"


class EInvoiceIncomplete(Problem):
    """An e-invoice needs what this document does not say; ``errors`` name each with its term of EN 16931."""

    code, status, title = "e-invoice-incomplete", 422, "The e-invoice lacks something"


class PdfUnavailable(Problem):
    """This server cannot make PDFs: the library Pango is not installed. The same as HTML prints as well."""

    code, status, title = "pdf-unavailable", 501, "PDFs cannot be made on this server"


Columns = Literal[32, 42, 48]
Values = dict[str, Any]


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """What a till printer is like: letters a line, the page of letters it begins with, and what else it does.

    ``opens_pin``: the pin (2 or 5) on which a drawer hangs that is to open first; 0: none.
    """

    columns: Columns = 42
    code_page: str = "CP858"
    has_cutter: bool = True
    opens_pin: int = 0
