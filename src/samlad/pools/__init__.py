"""Pools: a channel joins the pool of others, resource by resource, and leaves it again. `docs/concepts/pools.md`.

The public face: what the faces above may use.
"""

from samlad.pools.model import MoveRow, Plan, Sharing
from samlad.pools.pairs import Between, between, decide
from samlad.pools.permissions import MOVE
from samlad.pools.planning import plan
from samlad.pools.service import join, leave
from samlad.pools.store import MOVES, latest, moves_of, running

__all__ = [
    "MOVE",
    "MOVES",
    "Between",
    "MoveRow",
    "Plan",
    "Sharing",
    "between",
    "decide",
    "join",
    "latest",
    "leave",
    "moves_of",
    "plan",
    "running",
]
