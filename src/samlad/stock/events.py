"""What happens to stock: one event a verb, carrying its lines."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

import msgspec

from samlad.kernel.log import Fact, declare
from samlad.stock.lots_model import LotMove
from samlad.stock.model import Cause, Hold, HoldKind, Moved, TransferStatus
from samlad.stock.purchase_model import PurchaseStatus
from samlad.stock.supplier_return_model import SupplierReturnStatus


class Line(msgspec.Struct, frozen=True):
    """Units of a variant at a location."""

    location: UUID
    variant: UUID
    quantity: int


class MovedLine(msgspec.Struct, frozen=True):
    """Units that came (positive) or went (negative), and what is there afterwards; of which lot, where that is kept."""

    location: UUID
    variant: UUID
    quantity: int
    on_hand: int
    lot: UUID | None = None


class ReleasedLine(msgspec.Struct, frozen=True):
    """Units that an owner's hold no longer has."""

    location: UUID
    variant: UUID
    quantity: int
    kind: HoldKind
    owner: UUID


@declare("stock.held")
class StockHeld(Fact, frozen=True):
    """Units were held for an owner, all the lines or none."""

    kind: HoldKind
    owner: UUID
    expires_at: datetime | None
    lines: list[Line]


@declare("stock.released")
class StockReleased(Fact, frozen=True):
    """Holds ended without a sale: released by their owner, or expired."""

    reason: Literal["released", "expired"]
    lines: list[ReleasedLine]


@declare("stock.lost")
class StockLost(Fact, frozen=True):
    """Fewer units are there than were held: these holds lost theirs. Whoever owns them needs another answer."""

    lines: list[ReleasedLine]


@declare("stock.converted")
class StockConverted(Fact, frozen=True):
    """What was held for one owner is now held for another: a checkout became an order."""

    owner: UUID
    to_owner: UUID
    to_kind: HoldKind
    units: int


@declare("stock.moved")
class StockMoved(Fact, frozen=True):
    """Units came or went; the ledger has the same lines."""

    cause: Cause
    reference: UUID | None
    lines: list[MovedLine]


@declare("stock.counted")
class StockCounted(Fact, frozen=True):
    """A count of a location was closed; ``lines`` are the differences that were booked."""

    count: UUID
    location: UUID
    counted: int
    lines: list[MovedLine]


@declare("stock.count-submitted")
class CountSubmitted(Fact, frozen=True):
    """A count differs by so much that somebody else must approve it. Nothing is booked yet."""

    count: UUID
    location: UUID


@declare("stock.opened")
class StockOpened(Fact, frozen=True):
    """A large receipt at once, as imports make it: too many lines to carry them. The ledger has them."""

    reference: UUID
    movements: int
    units: int


@declare("stock.level-set")
class LevelSet(Fact, frozen=True):
    """How a level behaves was changed: what may be sold before it is there, when it counts as low."""

    location: UUID
    variant: UUID
    backorder_limit: int
    low_at: int
    sells_incoming: bool = False
    backorder_on: date | None = None
    reorder_point: int | None = None
    reorder_quantity: int | None = None


@declare("stock.transferred")
class StockTransferred(Fact, frozen=True):
    """A transfer was sent, received (perhaps in part) or cancelled, or some of it is lost or found again."""

    transfer: UUID
    status: TransferStatus
    origin: UUID
    destination: UUID
    lines: list[MovedLine]


@declare("stock.lots-judged")
class LotsJudged(Fact, frozen=True):
    """Units of lots became something else where they are: a day came, a date or a recall changed. ``lines`` say what."""

    lines: list[LotMove]


class LotNamed(msgspec.Struct, frozen=True):
    """Units of a level that the ledger now says are of this lot (positive), or are not."""

    location: UUID
    variant: UUID
    lot: UUID
    quantity: int


@declare("stock.lots-mended")
class LotsMended(Fact, frozen=True):
    """Lots and levels had come apart, and `samlad doctor --fix` appended movements that explain them."""

    lines: list[LotNamed]


@declare("lot.changed")
class LotChanged(Fact, frozen=True):
    """A lot is good until another day."""

    variant: UUID
    code: str
    expires_on: date | None


@declare("lot.recalled")
class LotRecalled(Fact, frozen=True):
    """A lot was blocked at every location, or freed again; ``units`` of it are in stock."""

    recall: UUID
    variant: UUID
    code: str
    reason: str
    is_ended: bool
    units: int


@declare("stock.quarantined")
class StockQuarantined(Fact, frozen=True):
    """Goods were put aside until somebody has looked at them; ``lines`` are the movements that took them off."""

    reference: UUID
    lines: list[MovedLine]


@declare("quarantine.judged")
class QuarantineJudged(Fact, frozen=True):
    """What became of goods that were put aside; ``lines`` are the movements of those that are for sale again."""

    location: UUID
    variant: UUID
    lot: UUID | None
    verdict: str
    quantity: int
    supplier: UUID | None
    lines: list[MovedLine]


@declare("supplier.set")
class SupplierSet(Fact, frozen=True):
    """A supplier was made or changed."""

    code: str
    name: str
    lead_days: int
    is_active: bool


@declare("purchase.changed")
class PurchaseChanged(Fact, frozen=True):
    """A purchase order was drafted, changed, ordered, received (perhaps in part) or cancelled.

    ``lines`` are the movements that it booked, ``receipt`` their reference.
    """

    purchase: UUID
    number: int
    status: PurchaseStatus
    supplier: UUID
    location: UUID
    receipt: UUID | None
    lines: list[MovedLine]


@declare("supplier_return.changed")
class SupplierReturnChanged(Fact, frozen=True):
    """Goods went back to a supplier, were credited (perhaps in part), or no more is to come for them.

    ``lines`` are the movements that it booked; amounts are minor units, without input tax.
    """

    number: int
    status: SupplierReturnStatus
    supplier: UUID
    location: UUID
    purchase: UUID | None
    currency: str
    expected: int
    credited: int
    lines: list[MovedLine]


@declare("location.created")
class LocationCreated(Fact, frozen=True):
    """A place that holds stock was made."""

    code: str
    name: str
    pool: UUID


@declare("location.changed")
class LocationChanged(Fact, frozen=True):
    """Something about a location changed."""

    code: str
    before: dict[str, Any]
    after: dict[str, Any]


@declare("location.channel-set")
class LocationChannelSet(Fact, frozen=True):
    """How a location behaves for one channel was set: what it keeps back from it, whether it serves it."""

    code: str
    buffer: int | None
    is_excluded: bool


def released_lines(holds: list[Hold]) -> list[ReleasedLine]:
    """Lines of an event from holds."""
    return [ReleasedLine(h.location, h.variant, h.quantity, h.kind, h.owner) for h in holds]


def moved_lines(moved: list[Moved]) -> list[MovedLine]:
    """Lines of an event from movements."""
    return [MovedLine(m.location, m.variant, m.quantity, m.on_hand, m.lot) for m in moved]
