"""Routing: which location an order is made ready at. Rules are data, strategies are functions, decisions have reasons."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from samlad.channels.model import Code
from samlad.stock.model import LocationKind

Kilometres = Annotated[float, Meta(ge=0, le=20_100, description="As the crow flies")]


class Factor(StrEnum):
    """What locations are ranked by. More of the last three is better, less of the others."""

    OWN_STORE = "own_store"
    DISTANCE = "distance"
    PRIORITY = "priority"
    LOAD = "load"
    CAPACITY = "capacity"
    COST = "cost"
    STOCK_AGE = "stock_age"
    ON_HAND = "on_hand"
    BALANCE = "balance"


MORE_IS_BETTER = frozenset({Factor.STOCK_AGE, Factor.ON_HAND, Factor.BALANCE})


class Rank(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing to rank by; the next one decides between equals.

    ``step``: values within one step count as equal: distances in steps of 25 km, loads in steps of 10 orders.
    """

    by: Factor
    step: Annotated[float, Meta(gt=0, le=1_000_000)] | None = None


class Filters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which locations are asked at all. What is left out does not narrow."""

    kinds: Annotated[list[LocationKind], Meta(max_length=4)] = []
    only: Annotated[list[Code], Meta(max_length=1000, description="Codes of the only locations")] = []
    without: Annotated[
        list[Code], Meta(max_length=1000, description="Codes of locations that never send")
    ] = []
    max_km: Kilometres | None = None
    keep_units: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Units of each variant that stay on the shelf there")
    ] = 0
    max_load: Annotated[int, Meta(ge=0, le=1_000_000, description="Most open orders of the day")] | None = (
        None
    )
    with_capacity: Annotated[bool, Meta(description="Leave out where the day is full")] = True


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When an order may leave from several places: every part must be worth it."""

    max_parts: Annotated[int, Meta(ge=1, le=20)] = 3
    least_amount: Annotated[
        int, Meta(ge=0, le=100_000_000_000, description="Minor units that each part must come to at least")
    ] = 0


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What sending from a place costs us, in minor units: by its code, and for each kilometre."""

    default: Annotated[int, Meta(ge=0, le=100_000_000)] = 0
    places: Annotated[dict[Code, Annotated[int, Meta(ge=0, le=100_000_000)]], Meta(max_length=1000)] = {}
    per_km: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class RuleSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The rules of a channel. ``strategy`` names how they are used (`samlad.orders.routing_rules.STRATEGIES`)."""

    strategy: Annotated[str, Meta(pattern=r"^[a-z_]{1,40}(?!\n)$", max_length=40, examples=["ranked"])] = (
        "ranked"
    )
    filters: Filters = msgspec.field(default_factory=Filters)
    ranks: Annotated[list[Rank], Meta(max_length=9)] = msgspec.field(
        default_factory=lambda: [Rank(by=Factor.OWN_STORE), Rank(by=Factor.PRIORITY)]
    )
    split: Split = msgspec.field(default_factory=Split)
    costs: Costs = msgspec.field(default_factory=Costs)


class Line(msgspec.Struct, frozen=True):
    """What is to be sent: units of a variant, and what they come to (minor units)."""

    variant: UUID
    quantity: int
    amount: int


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A location that could send, as it is at this moment.

    ``free`` units by variant, ``age_days`` since the oldest of them came in, ``load`` orders of today, ``capacity`` of them.
    """

    id: UUID
    code: str
    kind: LocationKind
    is_own: bool
    priority: int
    km: float | None
    free: dict[UUID, int]
    age_days: float = 0
    load: int = 0
    capacity: int | None = None
    is_full: bool = False


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate in an explanation: its place in the order, or why it was left out."""

    location: UUID
    code: str
    rank: int | None
    why_not: str | None
    values: dict[str, float | None]


class Part(msgspec.Struct, frozen=True):
    """What one location sends."""

    location: UUID
    code: str
    units: dict[UUID, int]


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Where an order goes and why. Without parts, stock decides as it does without rules; ``reason`` says why."""

    strategy: str
    parts: list[Part]
    reason: str
    seen: list[Seen]
    km: float | None = None
    cost: int = 0


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a channel's rules. It never changes; the channel's setting ``routing`` says which one holds."""

    id: UUID
    channel: UUID
    version: int
    rules: RuleSet
    note: str
    actor: str
    created_at: datetime


class RoutingInput(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """New rules of a channel: a version that does nothing until it goes live."""

    channel: Code
    rules: RuleSet
    note: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00]*$")] = ""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one order came to or would come to: parcels, kilometres (null: unknown) and cost in minor units."""

    places: list[str]
    parts: int
    km: float | None
    cost: int


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the past, as it went and as the rules would have sent it; ``reason`` is theirs."""

    order: UUID
    number: str
    placed_at: datetime
    was: Outcome
    would_be: Outcome
    reason: str


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Rules against orders of the past. Sums are over the orders that the rules can route; ``undecided`` are the others."""

    orders: int
    undecided: int
    changed: int
    parts_before: int
    parts_after: int
    km_before: float
    km_after: float
    cost_before: int
    cost_after: int
    rows: list[Replayed]
