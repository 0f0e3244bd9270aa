"""Identity: which identifiers are one person. An append-only log of sightings, and profiles as its projection.

The public face: what the floors above may use. `docs/concepts/identity.md` explains.
"""

from samlad.identity.model import AuthLevel, DeviceClass, Identifier, Kind, Sighting, Trust
from samlad.identity.observing import observe
from samlad.identity.store import current, ids_of

__all__ = [
    "AuthLevel",
    "DeviceClass",
    "Identifier",
    "Kind",
    "Sighting",
    "Trust",
    "current",
    "ids_of",
    "observe",
]
