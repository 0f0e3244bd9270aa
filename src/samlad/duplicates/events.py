"""What happens to probable duplicates. Ids and counts, nothing of the people."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("duplicates.trained")
class ModelTrained(Fact, frozen=True, kw_only=True):
    """A pool has a model of its own, of this version, learnt from so many people."""

    pool: UUID
    version: int
    people: int


@declare("duplicates.scored")
class PoolScored(Fact, frozen=True, kw_only=True):
    """All people of a pool were compared: so many pairs wait for somebody."""

    pool: UUID
    version: int
    suggested: int


@declare("duplicates.decided")
class PairDecided(Fact, frozen=True, kw_only=True):
    """A pair (the subject) was decided. ``verdict``: merged, apart, or open if that was taken back."""

    left: UUID
    right: UUID
    verdict: str
    is_automatic: bool = False
