"""What the worker does about questions again and again: what nobody confirmed in time is removed."""

from datetime import timedelta

from samlad.kernel.clock import now
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database
from samlad.kernel.sweepers import Sweeper
from samlad.questions import store

SECONDS = 3600.0
KEPT = timedelta(days=14)
"""How long the link in the mail can confirm."""
BATCH = 1000


async def sweep(database: Database) -> int:
    """Remove questions that were never confirmed; how many. Their words were told to nobody, so no event says it."""
    return await database.transaction(
        lambda tx: store.forget_unconfirmed(tx, now() - KEPT, BATCH), Context(actor=SYSTEM)
    )


SWEEPERS = [Sweeper("unconfirmed-questions", SECONDS, sweep)]
