"""Identity: which identifiers are one person. An append-only log of sightings, and profiles as its projection.

The public face: what the floors above may use. `docs/concepts/identity.md` explains.
"""

from samlad.identity.deciding import keep_apart, merge, release, split, undo
from samlad.identity.decision_store import get as decision
from samlad.identity.model import AuthLevel, DeviceClass, Identifier, Kind, Sighting, Trust, is_erased
from samlad.identity.observing import observe
from samlad.identity.permissions import DECIDE, READ, RULES
from samlad.identity.profile_store import CHANGES_OF, DECISIONS
from samlad.identity.profiles import read
from samlad.identity.store import are_one, current, everybodys_ids, identifiers, ids_of
from samlad.identity.views import ApartInput, Decision, MergeInput, Profile, ReasonInput, SplitInput

__all__ = [
    "CHANGES_OF",
    "DECIDE",
    "DECISIONS",
    "READ",
    "RULES",
    "ApartInput",
    "AuthLevel",
    "Decision",
    "DeviceClass",
    "Identifier",
    "Kind",
    "MergeInput",
    "Profile",
    "ReasonInput",
    "Sighting",
    "SplitInput",
    "Trust",
    "are_one",
    "current",
    "decision",
    "everybodys_ids",
    "identifiers",
    "ids_of",
    "is_erased",
    "keep_apart",
    "merge",
    "observe",
    "read",
    "release",
    "split",
    "undo",
]
