"""What the worker does about promotions from time to time."""

from datetime import timedelta

from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.sweepers import Sweeper
from samlad.promotions import store

VISITORS_KEPT = timedelta(days=60)
"""Twice as long as a browser keeps the cookie by which its visitor is known."""
BATCH = 5_000


async def sweep(database: Database) -> int:
    """Forget the grants of visitors who cannot come back to them; how many."""
    total = 0
    while True:
        gone = await database.transaction(lambda tx: store.forget_visitors(tx, now() - VISITORS_KEPT, BATCH))
        total += gone
        if gone < BATCH:
            return total


SWEEPERS = [Sweeper("promotions", 3_600, sweep)]
