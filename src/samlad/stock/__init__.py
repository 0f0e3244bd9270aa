"""Stock: locations, levels, holds and the ledger. Never sold twice.

The public face. `docs/concepts/stock.md` explains how.
"""

from samlad.stock.happened import Sold, end_leases, lease, prolong, sell, write_off
from samlad.stock.holds import convert, gone, planned, release, ship, short, sweep, take
from samlad.stock.lots import Share, sold_lots
from samlad.stock.lots import resolve as resolve_lots
from samlad.stock.lots import scanned as scanned_lot
from samlad.stock.lots_store import here as lots_here
from samlad.stock.model import (
    Cause,
    Hold,
    HoldKind,
    HoldLine,
    Incoming,
    Later,
    Level,
    Location,
    LocationChange,
    LocationInput,
    LocationKind,
    Moved,
    Promise,
    PromisedPart,
)
from samlad.stock.places import location, location_by_code, locations, place_of
from samlad.stock.problems import LotNeeded, NotHeld, NotInStock, ShortLine, SoldOut
from samlad.stock.promise_store import free_at, lease_ends, levels_of
from samlad.stock.quarantine import put_aside
from samlad.stock.quarantine_model import Aside
from samlad.stock.searching import free_for, there_now
from samlad.stock.service import (
    atp,
    change_location,
    correct,
    create_location,
    opening,
    promises,
    receive,
    restock,
    revalue,
    set_level,
)
from samlad.stock.sets import parts_of, sets_of
from samlad.stock.store import holds_of, shipped, sold_costs
from samlad.stock.together import take as take_together
from samlad.stock.waiting import Waiting, waiting

__all__ = [
    "Aside",
    "Cause",
    "Hold",
    "HoldKind",
    "HoldLine",
    "Incoming",
    "Later",
    "Level",
    "Location",
    "LocationChange",
    "LocationInput",
    "LocationKind",
    "LotNeeded",
    "Moved",
    "NotHeld",
    "NotInStock",
    "Promise",
    "PromisedPart",
    "Share",
    "ShortLine",
    "Sold",
    "SoldOut",
    "Waiting",
    "atp",
    "change_location",
    "convert",
    "correct",
    "create_location",
    "end_leases",
    "free_at",
    "free_for",
    "gone",
    "holds_of",
    "lease",
    "lease_ends",
    "levels_of",
    "location",
    "location_by_code",
    "locations",
    "lots_here",
    "opening",
    "parts_of",
    "place_of",
    "planned",
    "prolong",
    "promises",
    "put_aside",
    "receive",
    "release",
    "resolve_lots",
    "restock",
    "revalue",
    "scanned_lot",
    "sell",
    "set_level",
    "sets_of",
    "ship",
    "shipped",
    "short",
    "sold_costs",
    "sold_lots",
    "sweep",
    "take",
    "take_together",
    "there_now",
    "waiting",
    "write_off",
]
