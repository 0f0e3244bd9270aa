"""Identity: which identifiers are one person. An append-only log of sightings, and profiles as its projection.

The public face: what the floors above may use. `docs/concepts/identity.md` explains.
"""

from samlad.identity.deciding import merge, split, undo
from samlad.identity.model import AuthLevel, DeviceClass, Identifier, Kind, Sighting, Trust
from samlad.identity.observing import observe
from samlad.identity.permissions import DECIDE, READ, RULES
from samlad.identity.profile_store import CHANGES_OF, DECISIONS
from samlad.identity.profiles import read
from samlad.identity.store import current, everybodys_ids, identifiers, ids_of
from samlad.identity.views import Decision, MergeInput, Profile, ReasonInput, SplitInput

__all__ = [
    "CHANGES_OF",
    "DECIDE",
    "DECISIONS",
    "READ",
    "RULES",
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
    "current",
    "everybodys_ids",
    "identifiers",
    "ids_of",
    "merge",
    "observe",
    "read",
    "split",
    "undo",
]
