"""What a model of duplicates, a pair and its evidence are. `docs/concepts/duplicates.md` explains."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

Record = Mapping[str, str | None]
"""What is compared of one person, by field, in its normal form; None: not known."""
Frequencies = Mapping[str, Mapping[str, float]]
"""By field, the share of people who have a value, of those values that are not rare."""


class Test(StrEnum):
    """How two values are compared."""

    SAME = "same"
    SIMILAR = "similar"
    """Jaro–Winkler similarity of at least ``limit``."""
    NEAR = "near"
    """At most ``limit`` letters are to be changed (Levenshtein)."""
    CROSSED = "crossed"
    """Each has in ``field`` what the other has in ``other``: given and family name the other way around."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One test of a level."""

    test: Test
    field: str
    other: str = ""
    limit: float = 0.0


class Level(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How well two people agree in something.

    Attributes:
        conditions: all must hold; none: whatever is left.
        m: of pairs that are one person, the share that agrees so well (Fellegi and Sunter, 1969).
        u: the same of pairs that are not.
        frequency: the field whose value counts for more the rarer it is: its share stands for ``u``.
        rare: no share is taken for less than this; so rare values need not be kept.
    """

    name: str
    m: float
    u: float
    conditions: tuple[Condition, ...] = ()
    frequency: str = ""
    rare: float = 0.0


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is compared. Where one of both has no ``field`` it says nothing. ``levels``: the best first."""

    name: str
    field: str
    levels: tuple[Level, ...]


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a score needs. ``prior``: the probability that two people at random are one."""

    prior: float
    comparisons: tuple[Comparison, ...]


class Evidence(msgspec.Struct, frozen=True):
    """What one comparison says: its level, and for how much that counts, in bits (log2 of m/u)."""

    comparison: str
    level: str
    bits: float


class Score(msgspec.Struct, frozen=True):
    """How probable it is that two are one person.

    Attributes:
        weight: log2 of the odds, in bits: the prior and all evidence added up.
        prior: where it begins, in bits.
    """

    weight: float
    prior: float
    evidence: tuple[Evidence, ...]

    @property
    def probability(self) -> float:
        """From the odds."""
        odds: float = 2.0 ** min(self.weight, 1000.0)
        return odds / (1 + odds)

    @property
    def levels(self) -> str:
        """What was found, whatever it counts for: a pair that was decided comes back only when this differs."""
        return " ".join(f"{each.comparison}:{each.level}" for each in self.evidence)


Status = Literal["open", "merged", "apart"]


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """Two customers that may be one person.

    ``strong``: how many of e-mail address, phone and postal address are the same. ``decision`` is identity's.
    """

    id: UUID
    left: UUID
    right: UUID
    weight: float
    prior: float
    probability: float
    strong: int
    evidence: list[Evidence]
    status: Status
    decision: UUID | None
    decided_by: str | None
    decided_at: datetime | None
    is_automatic: bool
    held_by: str | None
    model: int
    found_at: datetime


class PairRow(msgspec.Struct, frozen=True):
    """A line of the list of pairs."""

    id: UUID
    status: str
    weight: float
    probability: float
    strong: int
    left: UUID
    left_name: str | None
    left_email: str | None
    right: UUID
    right_name: str | None
    right_email: str | None
    decided_by: str | None
    decided_at: datetime | None
    is_automatic: bool
    found_at: datetime


class NextInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Which pairs somebody wants to decide."""

    channel: Annotated[UUID | None, Meta(description="Only customers of this channel's pool")] = None
    at_least: Annotated[float, Meta(description="Bits of weight", ge=-1000, le=1000)] | None = None
    strong: Annotated[int, Meta(description="Strong fields that are the same", ge=0, le=3)] | None = None


class Progress(msgspec.Struct, frozen=True):
    """Where the training of a pool is. ``state``: waiting, training, scoring, done or failed (``problem`` says why)."""

    pool: UUID
    state: str
    people: int
    suggested: int
    problem: str | None
    asked_at: datetime
    ended_at: datetime | None


class TrainedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that was trained on a pool; version 0 comes with Samlad.

    ``people``: on how many; ``untrained``: comparisons' levels that nothing could be learnt of, taken from version 0.
    """

    id: UUID | None
    pool: UUID
    version: int
    model: Model
    people: int
    untrained: list[str]
    seconds: float
    trained_at: datetime | None


Probability = Annotated[float, Meta(ge=0.5, le=1.0)]


class SettingsInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What becomes of pairs by themselves. What is left out stays.

    ``automatic``: pairs of at least ``automatic_from`` whose strong fields agree twice are merged without asking.
    """

    suggest_from: Probability | None = None
    automatic: bool | None = None
    automatic_from: Annotated[float, Meta(ge=0.99, le=1.0)] | None = None


class PoolSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a pool treats probable duplicates. ``version`` 0: as it comes with Samlad."""

    pool: UUID
    suggest_from: float = 0.9
    automatic: bool = False
    automatic_from: float = 0.999
    version: int = 0


class TrainInput(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Whose customers to learn from."""

    channel: Annotated[UUID, Meta(description="Id of a channel of the pool")]
