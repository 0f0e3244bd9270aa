"""Probable duplicates: customers that may be one person, for a person to decide. `docs/concepts/duplicates.md` explains.

The public face: what the floors above may use.
"""

from samlad.duplicates.deciding import keep_apart, merge, next_pair, skip, undo, unskip
from samlad.duplicates.model import NextInput, Pair, PairRow, PoolSettings, SettingsInput, TrainInput
from samlad.duplicates.pair_store import LISTING, get, waiting
from samlad.duplicates.running import ask, change_settings, settings
from samlad.duplicates.store import cards_of, models, run_of

__all__ = [
    "LISTING",
    "NextInput",
    "Pair",
    "PairRow",
    "PoolSettings",
    "SettingsInput",
    "TrainInput",
    "ask",
    "cards_of",
    "change_settings",
    "get",
    "keep_apart",
    "merge",
    "models",
    "next_pair",
    "run_of",
    "settings",
    "skip",
    "undo",
    "unskip",
    "waiting",
]
