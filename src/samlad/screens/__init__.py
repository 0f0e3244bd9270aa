"""Screens that face customers: paired by a code, each shows one ticket and may do nothing. The public face.

`docs/concepts/screens.md` explains.
"""

from samlad.screens.live import topics_of
from samlad.screens.model import PairInput, Screen
from samlad.screens.permissions import PAIR
from samlad.screens.service import begin, count_try, pair, revoke, show
from samlad.screens.store import by_token, of_location, screen

__all__ = [
    "PAIR",
    "PairInput",
    "Screen",
    "begin",
    "by_token",
    "count_try",
    "of_location",
    "pair",
    "revoke",
    "screen",
    "show",
    "topics_of",
]
