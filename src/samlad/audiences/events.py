"""What happens to segments and who comes and goes. The subject is the segment."""

from uuid import UUID

from samlad.kernel.log import Fact, declare


@declare("segment.created")
class SegmentCreated(Fact, frozen=True, kw_only=True):
    """There is a new segment; its members are computed after this."""

    pool: UUID
    name: str
    kind: str


@declare("segment.changed")
class SegmentChanged(Fact, frozen=True, kw_only=True):
    """A segment is different. If ``fields`` has the definition or the time zone, its members are computed anew."""

    pool: UUID
    name: str
    fields: list[str]
    version: int


@declare("segment.deleted")
class SegmentDeleted(Fact, frozen=True, kw_only=True):
    """A segment is gone: nobody enters or leaves it any more. It can be brought back for a while."""

    pool: UUID
    name: str


@declare("segment.restored")
class SegmentRestored(Fact, frozen=True, kw_only=True):
    """A deleted segment is back; what changed meanwhile is told after this as who entered and left."""

    pool: UUID
    name: str


@declare("segment.listed")
class SegmentListed(Fact, frozen=True, kw_only=True):
    """Customers were put on a list, or taken off it."""

    pool: UUID
    added: int
    removed: int


@declare("segment.entered")
class SegmentEntered(Fact, frozen=True, kw_only=True):
    """``people`` are in the segment from now on. One has an event with them as its profile; when a segment is computed as
    a whole, up to 1,000 share one. ``cause``: data, clock, identity, definition, list or rfm."""

    pool: UUID
    people: list[UUID]
    cause: str
    version: int


@declare("segment.left")
class SegmentLeft(Fact, frozen=True, kw_only=True):
    """``people`` are no longer in the segment; otherwise as `SegmentEntered`."""

    pool: UUID
    people: list[UUID]
    cause: str
    version: int


@declare("segment.exported")
class SegmentExported(Fact, frozen=True, kw_only=True):
    """Somebody took the people of a segment out of the house. ``form``: csv, google or meta.

    ``left_out``: of its ``size`` so many have not agreed to the ``purpose``, and stayed.
    """

    pool: UUID
    form: str
    size: int
    purpose: str | None = None
    left_out: int = 0


@declare("rfm.computed")
class RfmComputed(Fact, frozen=True, kw_only=True):
    """The people of a pool (the subject) have new scores."""

    pool: UUID
    people: int
