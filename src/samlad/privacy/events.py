"""What happens to requests. Counts and ids, nothing of the person."""

from datetime import datetime
from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("privacy.requested")
class Requested(Fact, frozen=True, kw_only=True):
    """Somebody's data is to be collected (access) or erased (erasure) at a time."""

    kind: str
    due_at: datetime


@declare("privacy.cancelled")
class Cancelled(Fact, frozen=True, kw_only=True):
    """It is not to be done after all."""

    kind: str


@declare("privacy.refused")
class Refused(Fact, frozen=True, kw_only=True):
    """It cannot be done yet: something is under way."""

    kind: str


@declare("privacy.collected")
class Collected(Fact, frozen=True, kw_only=True):
    """Everything that is known of a person can be downloaded till then."""

    expires_at: datetime
    rows: int


@declare("privacy.erased")
class Erased(Fact, frozen=True, kw_only=True):
    """A person was erased: rows by table, and those that the law keeps. ``ids`` are all under which they were known."""

    counts: dict[str, int]
    kept: dict[str, int]
    ids: list[UUID]
