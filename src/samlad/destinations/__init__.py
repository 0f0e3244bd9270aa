"""Destinations of audiences: segments kept in step at ad platforms and other receivers. `docs/concepts/destinations.md` explains.

The public face: what the floors above may use.
"""

from samlad.destinations.model import Destination, DestinationChange, DryRun, NewDestination
from samlad.destinations.permissions import CHANGE, READ
from samlad.destinations.service import change, create, dry_run, end, everybody, get
from samlad.destinations.strategies import STRATEGIES

__all__ = [
    "CHANGE",
    "READ",
    "STRATEGIES",
    "Destination",
    "DestinationChange",
    "DryRun",
    "NewDestination",
    "change",
    "create",
    "dry_run",
    "end",
    "everybody",
    "get",
]
