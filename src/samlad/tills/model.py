"""What a till writes into its journal, and what becomes of it here."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from samlad.catalog import Measure
from samlad.channels.model import Code
from samlad.kernel.problems import Conflict
from samlad.tills.lot_model import Lots

LARGEST = 10**12
NO_PROMOTION = UUID(int=0)

Minor = Annotated[int, msgspec.Meta(ge=-LARGEST, le=LARGEST, description="Minor units", examples=[19_900])]
Price = Annotated[int, msgspec.Meta(ge=0, le=LARGEST, description="Minor units", examples=[19_900])]
Paid = Annotated[int, msgspec.Meta(ge=1, le=LARGEST, description="Minor units", examples=[19_900])]
Text = Annotated[str, msgspec.Meta(max_length=300, pattern=r"^[^\x00]*$")]
Why = Annotated[str, msgspec.Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]


class SoldReduction(msgspec.Struct, frozen=True, kw_only=True):
    """What a promotion, or the clerk, took off a line: minor units as quoted."""

    promotion: UUID = NO_PROMOTION
    name: Text = ""
    amount: Minor


class SoldTax(msgspec.Struct, frozen=True):
    """What of a line was taxed at a rate: its tax, and its total with tax."""

    rate: Annotated[int, msgspec.Meta(ge=0, le=10_000, description="Basis points")]
    tax: Minor
    total: Minor


class SoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it was sold. ``unit_price`` is as quoted; ``tax`` is as the till reckoned it, ``total`` with tax.

    ``sold_by``: what ``quantity`` counts; ``unit_price`` is for a piece, kilogram, metre or litre. ``taxes``: a set whose parts
    are taxed at several rates, by rate; ``tax_rate`` is that of the largest part then. ``lots``: which of its units were scanned with a
    lot or serial number; fewer than ``quantity`` where some were not.
    """

    variant: UUID
    sku: Text | None = None
    title: Text = ""
    options: Text = ""
    quantity: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    unit_price: Price
    reductions: Annotated[list[SoldReduction], msgspec.Meta(max_length=50)] = []
    tax_rate: Annotated[int, msgspec.Meta(ge=0, le=10_000, description="Basis points")]
    tax: Minor
    total: Minor
    sold_by: Measure = Measure.PIECE
    taxes: Annotated[list[SoldTax], msgspec.Meta(max_length=50)] = []
    lots: Lots = []

    @property
    def tax_rates(self) -> list[int]:
        """All rates that it was taxed at, each once, the highest first."""
        return sorted({each.rate for each in self.taxes} or {self.tax_rate}, reverse=True)


CardHash = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of a gift card's code, as we keep it")
]
Digits = Annotated[str, msgspec.Meta(max_length=4, pattern=r"^[0-9A-Z]*$")]


class SoldTender(msgspec.Struct, frozen=True, kw_only=True):
    """How it was paid: ``tendered`` is what was handed over in cash, of which ``amount`` stays; ``card`` the gift card; ``payment`` what the
    store's terminal reserved for the ticket (`samlad.tills.terminals`), of a card without it nobody can ask."""

    kind: Literal["cash", "card", "other", "gift"]
    amount: Paid
    tendered: Paid | None = None
    card: CardHash | None = None
    last_four: Digits = ""
    payment: UUID | None = None


class SoldCard(msgspec.Struct, frozen=True, kw_only=True):
    """A gift card that was sold with its printed number: it is worth ``amount`` once this is recorded."""

    card: CardHash
    last_four: Digits = ""
    amount: Paid


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What every entry of a till's journal has. ``clock_offset_ms`` is what the till's clock was behind ours when it last knew;
    ``shift`` is the drawer's shift that it belongs to, if the till knows one. Fields that we do not know are kept with the rest.
    """

    id: UUID
    till: UUID
    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    happened_at: Annotated[datetime, msgspec.Meta(tz=True)]
    clock_offset_ms: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | None = None
    clerk: UUID | None = None
    clerk_name: Text = ""
    shift: UUID | None = None
    training: bool = False

    @property
    def reference(self) -> str:
        """What the receipt says: beginning of the till's id, and the number in its journal."""
        return f"{self.till.hex[-4:].upper()}-{self.sequence:06d}"


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whom a clerk wrote down without network, as it was typed."""

    name: Text = ""
    email: Text = ""
    phone: Text = ""


class Sale(Entry, frozen=True, kw_only=True):
    """An entry that is a sale, of goods (``lines``), gift cards or both; ``total`` is of both.

    ``cart`` was on the ticket when the network failed: it may have been ordered without the till hearing of it.
    ``tip`` is what was given for the staff beside ``total``: ``tenders`` come to both.
    ``allowed_by`` is who was said to allow a discount beyond what the clerk may give alone: nobody could check it.
    ``new_customer`` is somebody whom the till did not know; it forgets them once the sale is here.
    ``checked_by`` is who of staff looked at the customer of a kiosk, for goods that not everybody may buy.
    """

    lines: Annotated[list[SoldLine], msgspec.Meta(max_length=500)] = []
    cards: Annotated[list[SoldCard], msgspec.Meta(max_length=20)] = []
    tenders: Annotated[list[SoldTender], msgspec.Meta(max_length=20)]
    total: Minor
    tip: Price = 0
    rounding: Annotated[int, msgspec.Meta(ge=-10_000, le=10_000)] = 0
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    customer: UUID | None = None
    new_customer: NewPerson | None = None
    cart: UUID | None = None
    allowed_by: Text | None = None
    checked_by: UUID | None = None

    def __post_init__(self) -> None:
        """A sale is of something."""
        if not self.lines and not self.cards:
            raise ValueError("no lines")


class SaleState(StrEnum):
    """What became of an entry: ``ordered`` as a sale, ``done`` if it is none. ``kept``: neither yet."""

    ORDERED = "ordered"
    DONE = "done"
    KEPT = "kept"
    TRAINING = "training"
    WRITTEN_OFF = "written_off"


class Objection(msgspec.Struct, frozen=True, kw_only=True):
    """Something that the server says about a sale. ``blocks``: so it cannot be an order by itself.

    ``line`` is the place of the line from 1; ``here`` and ``there`` are what the server and the till say.
    """

    code: str
    line: int | None = None
    here: str | None = None
    there: str | None = None
    blocks: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an entry that was sent. After ``later`` it is to be sent again, after the others it is safe here.
    ``done``: it was no sale, and what it tells of was done here, too.

    ``conflict``: another sale of this id is here already; this one is kept beside it.
    """

    id: str | None
    verdict: Literal["recorded", "done", "kept", "conflict", "training", "later"]
    is_known: bool = False
    order: UUID | None = None
    number: str | None = None
    objections: list[Objection] = []


class JournalState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far a till's journal goes: its last number, and how much of it has not been sent before this batch is answered.

    ``lost`` are numbers that it had given out and cannot find any more.
    """

    till: UUID
    last: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    unsent: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    lost: Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=2**53)]], msgspec.Meta(max_length=1_000)] = []


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of a till, ``first`` to ``last``, that never came. ``is_lost``: the till says that its storage was gone."""

    till: UUID
    channel: str
    location: UUID
    first: int
    last: int
    is_lost: bool
    noticed_at: datetime

    @property
    def reference(self) -> str:
        """As receipts have them."""
        name = self.till.hex[-4:].upper()
        return f"{name}-{self.first:06d}" + (f" – {self.last:06d}" if self.last != self.first else "")


class LookInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody knows what became of missing numbers of a till, and says it."""

    till: UUID
    first: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    last: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    reason: Annotated[Why, msgspec.Meta(examples=["The tablet was broken; the slips were rung up by hand"])]


class Looked(msgspec.Struct, frozen=True):
    """How many numbers were looked into just now."""

    numbers: int


class HeardInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a till or kiosk says of itself: how many entries and card payments it has not sent or settled, and of when its goods are."""

    till: UUID
    unsent: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    cards: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 0
    pack_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A till or kiosk, as it said itself. ``till_code`` is how its receipts begin, ``name`` what staff call it.

    ``state``: ``heard``; ``stuck`` (it is heard of, and something is not sent for a quarter of an hour); ``silent`` (it had said so
    before it was last heard of); ``quiet`` (nothing is known to be unsent, and it was not heard of for a day); ``put-away``.
    ``unsent`` counts entries, ``cards`` payments by card that are not settled, since ``unsent_since``; ``pack_at``: of when the goods and
    prices are that it sells by (null: it has not said so); ``last`` is the last number of its journal that we know.
    """

    id: UUID
    till_code: str
    name: str
    is_kiosk: bool
    channel: str
    channel_id: UUID
    location: UUID
    location_code: str
    state: Literal["heard", "stuck", "silent", "quiet", "put-away"]
    seen_at: datetime
    unsent: int
    cards: int
    unsent_since: datetime | None
    pack_at: datetime | None
    last: int
    created_at: datetime
    put_away_at: datetime | None
    reason: str
    session: UUID | None


class PutAwayInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a device is not used any more."""

    reason: Annotated[Why, msgspec.Meta(examples=["The tablet is broken; its journal was read in at till 2"])]


class NameDeviceInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What staff call a till; nothing: by its code."""

    name: Annotated[str, msgspec.Meta(max_length=40, pattern=r"^[^\x00]*$", examples=["Till by the door"])]


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries of a store's tills, in their order. Each is looked at for itself: what one is like harms no other."""

    channel: Annotated[Code, msgspec.Meta(description="Code of the store", examples=["soder"])]
    entries: Annotated[
        list[dict[str, Any]],
        msgspec.Meta(
            max_length=100,
            description="Each a `Sale`, or by its `kind` something else; what is none is kept all the same",
        ),
    ]
    journal: JournalState | None = None


class Verdicts(msgspec.Struct, frozen=True):
    """One for each entry, in their order."""

    verdicts: list[Verdict]


class SaleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sale of a till, as lists show it. ``till_id`` null: it could not be read."""

    id: UUID
    entry: str | None
    kind: str
    reference: str
    till_id: UUID | None
    channel: str
    location_code: str
    state: SaleState
    happened_at: datetime
    received_at: datetime
    total: int | None
    currency: str
    clerk_name: str
    order_id: UUID | None
    order_number: str | None
    subject: UUID | None
    objections: list[Objection]
    needs_look: bool
    resolution: str | None
    resolved_at: datetime | None
    version: int


class KeptSale(SaleRow, frozen=True, kw_only=True):
    """A sale with everything that was sent; ``conflicts_with`` has the same id and another content."""

    body: dict[str, Any]
    conflicts_with: UUID | None
    reason: str
    location: UUID
    channel_id: UUID

    @property
    def unknown_lines(self) -> list[int]:
        """Lines (from 1) of goods that nobody knew when it came."""
        return [each.line for each in self.objections if each.code == "unknown-goods" and each.line]


class NameGoodsInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which variant a line (from 1) was that nobody knew."""

    line: Annotated[int, msgspec.Meta(ge=1, le=500)]
    code: Annotated[
        str,
        msgspec.Meta(
            min_length=1,
            max_length=200,
            pattern=r"^[^\x00]*\S[^\x00]*$",
            description="SKU or GTIN, typed or scanned",
            examples=["KETTLE-1"],
        ),
    ]


class WriteOffInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a sale will be no order."""

    reason: Annotated[Why, msgspec.Meta(examples=["Rung up twice; the slip was torn up"])]


class LeaseLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of a variant."""

    variant: UUID
    units: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class LeaseInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a till wants to hold. Without lines: a part of what this store has sold lately and has."""

    channel: Annotated[Code, msgspec.Meta(examples=["soder"])]
    till: UUID
    lines: Annotated[list[LeaseLine], msgspec.Meta(max_length=1000)] | None = None


class LeaseOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose lease."""

    channel: Annotated[Code, msgspec.Meta(examples=["soder"])]
    till: UUID


class TillKeyInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The public half of a key that a till has made, to be signed with from now on."""

    channel: Annotated[Code, msgspec.Meta(examples=["soder"])]
    till: UUID
    public: Annotated[
        str,
        msgspec.Meta(
            min_length=87,
            max_length=87,
            description="A point of P-256 as WebCrypto's `raw` format has it (65 bytes), base64url",
        ),
    ]


class TillKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that a till signs receipts with. ``state``: good (it signs with it), replaced (it has another since) or revoked.

    ``till_code`` is how receipts begin, ``kiosk`` the name of the kiosk that signs, if it is one. ``used_at`` is when the device last
    told that it has the key: at each load of the till's page, and once a day. ``public``: 65 bytes, a point of P-256 that is not compressed.
    """

    kid: str
    till: UUID
    till_code: str
    channel: str
    channel_id: UUID
    location: UUID
    location_code: str
    kiosk: str = ""
    state: Literal["good", "replaced", "revoked"]
    created_at: datetime
    used_at: datetime
    replaced_at: datetime | None = None
    revoked_at: datetime | None = None
    reason: str = ""
    public: bytes

    @property
    def is_good(self) -> bool:
        """Whether the till may sign with it."""
        return self.state == "good"


class RevokeInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a key is taken back."""

    reason: Annotated[str, msgspec.Meta(max_length=300)] = ""


class RestoreInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a key that was taken back counts all the same."""

    reason: Annotated[str, msgspec.Meta(max_length=300)] = ""


class Leased(msgspec.Struct, frozen=True, kw_only=True):
    """Units of a variant that are a till's."""

    variant: UUID
    units: int


class Lease(msgspec.Struct, frozen=True, kw_only=True):
    """What a till holds of its store's stock, and until when."""

    till: UUID
    lines: list[Leased]
    expires_at: datetime | None


class NotToResolve(Conflict):
    """The sale is not in a state in which this can be done; ``state`` says in which it is."""

    code, title = "till-sale-state", "This cannot be done to this sale now"
