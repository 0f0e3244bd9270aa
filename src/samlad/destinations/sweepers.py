"""What the worker does by the clock: files that were dropped and fetched, or not, are not kept for ever."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

from samlad.destinations.strategies import DROPS
from samlad.kernel.database import Database
from samlad.kernel.sweepers import Sweeper

DROPS_KEPT = timedelta(days=30)
"""Hashes of addresses are about people: a file of who was in an audience a year ago is of no use to anybody."""


async def tidy(database: Database) -> int:
    """Remove old files; how many."""
    return await asyncio.to_thread(_remove_old, database.settings.home / DROPS)


def _remove_old(folder: Path) -> int:
    oldest, gone = time.time() - DROPS_KEPT.total_seconds(), 0
    for path in folder.glob("*/*"):
        if path.suffix in (".csv", ".part") and path.is_file() and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            gone += 1
    return gone


SWEEPERS = [Sweeper("destinations.drops", 3_600, tidy)]
