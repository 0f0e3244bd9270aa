"""What a till writes into its journal, and what becomes of it here."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec

from samlad.channels.model import Code
from samlad.kernel.problems import Conflict

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


class SoldLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it was sold. ``unit_price`` is as quoted; ``tax`` is as the till reckoned it, ``total`` with tax."""

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


class SoldTender(msgspec.Struct, frozen=True, kw_only=True):
    """How it was paid: ``tendered`` is what was handed over in cash, of which ``amount`` stays."""

    kind: Literal["cash", "card", "other"]
    amount: Paid
    tendered: Paid | None = None


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a till's journal. ``clock_offset_ms`` is what the till's clock was behind ours when it last knew.

    ``cart`` was on the ticket when the network failed: it may have been ordered without the till hearing of it. Fields that
    we do not know yet are kept with the rest.
    """

    id: UUID
    till: UUID
    sequence: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    happened_at: Annotated[datetime, msgspec.Meta(tz=True)]
    clock_offset_ms: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)] | None = None
    lines: Annotated[list[SoldLine], msgspec.Meta(min_length=1, max_length=500)]
    tenders: Annotated[list[SoldTender], msgspec.Meta(max_length=20)]
    total: Minor
    rounding: Annotated[int, msgspec.Meta(ge=-10_000, le=10_000)] = 0
    currency: Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]
    customer: UUID | None = None
    clerk: UUID | None = None
    clerk_name: Text = ""
    cart: UUID | None = None
    training: bool = False

    @property
    def reference(self) -> str:
        """What the receipt says: beginning of the till's id, and the number in its journal."""
        return f"{self.till.hex[-4:].upper()}-{self.sequence:06d}"


class SaleState(StrEnum):
    """What became of an entry. ``kept``: it is no order yet."""

    ORDERED = "ordered"
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

    ``conflict``: another sale of this id is here already; this one is kept beside it.
    """

    id: str | None
    verdict: Literal["recorded", "kept", "conflict", "training", "later"]
    is_known: bool = False
    order: UUID | None = None
    number: str | None = None
    objections: list[Objection] = []


class Batch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Entries of a store's tills, in their order. Each is looked at for itself: what one is like harms no other."""

    channel: Annotated[Code, msgspec.Meta(description="Code of the store", examples=["soder"])]
    entries: Annotated[
        list[dict[str, Any]],
        msgspec.Meta(
            min_length=1, max_length=100, description="Each a `Sale`; what is none is kept all the same"
        ),
    ]


class Verdicts(msgspec.Struct, frozen=True):
    """One for each entry, in their order."""

    verdicts: list[Verdict]


class SaleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A sale of a till, as lists show it. ``till_id`` null: it could not be read."""

    id: UUID
    entry: str | None
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
