"""Store work of phones: what is sent, what is answered, what waits for a manager."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.kernel.problems import Conflict
from samlad.orders.fulfilment_model import PackInput, PickInput, RejectReason
from samlad.orders.model import LineSelection
from samlad.stock.model import LARGEST

Moment = Annotated[datetime, Meta(tz=True)]
Scanned = Annotated[str, Meta(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
Text = Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")]
Why = Annotated[str, Meta(min_length=3, max_length=500, pattern=r"^[^\x00]*$")]
MOST_AT_ONCE = 100
"""Entries in one request."""


class State(StrEnum):
    """What became of an entry. ``new`` only within the transaction that takes it in."""

    NEW = "new"
    DONE = "done"
    REFUSED = "refused"
    DISMISSED = "dismissed"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What all entries have. ``happened_at`` is by the server's clock as the phone knows it; ``by`` did it."""

    id: UUID
    device: UUID
    sequence: Annotated[int, Meta(ge=1, le=2**53)]
    happened_at: Moment
    by: UUID | None = None
    by_name: Text = ""


class CountEntry(Entry, frozen=True, kw_only=True):
    """Units that were found in a count. They add up, also with what others found; without ``adds`` they replace that."""

    kind: Literal["count"]
    count: UUID
    code: Scanned
    quantity: Annotated[int, Meta(ge=0, le=LARGEST)] = 1
    adds: bool = True
    lot: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00]*$")] | None = None
    expires_on: date | None = None


class CountBeginEntry(Entry, frozen=True, kw_only=True):
    """Somebody began a count, under an id that the phone made."""

    kind: Literal["count-begin"]
    count: UUID
    note: Text = ""


class CountCloseEntry(Entry, frozen=True, kw_only=True):
    """Somebody was through with a count: its differences are booked, or wait for approval."""

    kind: Literal["count-close"]
    count: UUID


class OfFulfilment(Entry, frozen=True, kw_only=True):
    """Something that was done with a piece of work."""

    fulfilment: UUID


class TakeEntry(OfFulfilment, frozen=True, kw_only=True):
    """Somebody began to pick. Who has it already keeps it."""

    kind: Literal["take"]


class PickEntry(OfFulfilment, frozen=True, kw_only=True):
    """One more by its code, or so many of a line in all."""

    kind: Literal["pick"]
    what: PickInput


class PackEntry(OfFulfilment, frozen=True, kw_only=True):
    """A piece into the parcel by its code, or all of it without scanning."""

    kind: Literal["pack"]
    what: PackInput


class RejectEntry(OfFulfilment, frozen=True, kw_only=True):
    """What the place cannot give; another place is found when this arrives."""

    kind: Literal["reject"]
    reason: RejectReason
    note: Text = ""
    lines: Annotated[list[LineSelection], Meta(min_length=1, max_length=500)]


class ArrivedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units that came: by what was scanned, or of a variant (and lot) of the list."""

    quantity: Annotated[int, Meta(ge=1, le=LARGEST)]
    code: Scanned | None = None
    variant: UUID | None = None
    lot: Annotated[str, Meta(max_length=40, pattern=r"^[^\x00]*$")] | None = None
    expires_on: date | None = None


class ArrivalEntry(Entry, frozen=True, kw_only=True):
    """What arrived of a transfer. ``version`` is the one that the phone had seen."""

    kind: Literal["arrival"]
    transfer: UUID
    lines: Annotated[list[ArrivedLine], Meta(min_length=1, max_length=500)]
    version: Annotated[int, Meta(ge=1)] | None = None


class DeliveryEntry(Entry, frozen=True, kw_only=True):
    """What a supplier brought of a purchase order. ``version`` is the one that the phone had seen."""

    kind: Literal["delivery"]
    purchase: UUID
    lines: Annotated[list[ArrivedLine], Meta(min_length=1, max_length=500)]
    note: Text = ""
    version: Annotated[int, Meta(ge=1)] | None = None


KINDS: dict[str, type[Entry]] = {
    "count-begin": CountBeginEntry,
    "count": CountEntry,
    "count-close": CountCloseEntry,
    "take": TakeEntry,
    "pick": PickEntry,
    "pack": PackEntry,
    "reject": RejectEntry,
    "arrival": ArrivalEntry,
    "delivery": DeliveryEntry,
}


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Entries of a phone in their order; those in ``again`` were refused before and are tried once more."""

    entries: Annotated[list[dict[str, Any]], Meta(max_length=MOST_AT_ONCE)]
    again: Annotated[list[str], Meta(max_length=MOST_AT_ONCE)] = []


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a phone shows of what was booked."""

    sku: str | None = None
    title: str | None = None
    total: int | None = None
    """Units of it in the count by now, of everybody."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an entry: ``done``, ``refused`` (``detail`` says why), ``dismissed`` by a manager, or ``later``:
    nothing was done, send it again."""

    id: str | None
    verdict: Literal["done", "refused", "dismissed", "later"]
    is_known: bool = False
    code: str = ""
    detail: str = ""
    told: Told = Told()


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, as lists show it."""

    id: UUID
    location: UUID
    location_code: str
    kind: str
    subject: UUID | None
    state: State
    happened_at: datetime
    received_at: datetime
    done_name: str
    problem: str
    code: str
    reason: str
    resolved_at: datetime | None
    version: int


class Kept(Row, frozen=True, kw_only=True):
    """An entry with what was sent."""

    done_by: UUID | None
    body: dict[str, Any]
    told: Told


class Dismissal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a refused entry will not be booked."""

    reason: Annotated[Why, Meta(examples=["Counted again by hand"])]


class NotRefused(Conflict):
    """Only what was refused can be tried again or dismissed; ``state`` says what became of it."""

    code, title = "store-work-state", "This cannot be done to this entry now"
