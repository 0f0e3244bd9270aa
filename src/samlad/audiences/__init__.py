"""Segments: people for whom conditions hold, kept up as things happen and as time goes by. `docs/concepts/segments.md` explains.

The public face: what the floors above may use.
"""

from samlad.audiences.conditions import Condition
from samlad.audiences.kinds import Kind, register
from samlad.audiences.model import MemberRow, NewSegment, OfPerson, Segment, SegmentChange, SegmentKind
from samlad.audiences.permissions import CHANGE, EXPORT, READ
from samlad.audiences.segments import create, explain, get
from samlad.audiences.store import of_person

__all__ = [
    "CHANGE",
    "EXPORT",
    "READ",
    "Condition",
    "Kind",
    "MemberRow",
    "NewSegment",
    "OfPerson",
    "Segment",
    "SegmentChange",
    "SegmentKind",
    "create",
    "explain",
    "get",
    "of_person",
    "register",
]
