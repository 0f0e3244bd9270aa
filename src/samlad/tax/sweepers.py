"""What outside engines answered is forgotten when it holds no longer."""

from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.sweepers import Sweeper
from samlad.tax import store
from samlad.tax.engines import KEPT

BATCH = 1_000


async def forget_answers(database: Database) -> None:
    """Delete old answers, a thousand at a time."""
    while await database.transaction(lambda tx: store.forget_answers(tx, now() - KEPT, BATCH)) == BATCH:
        pass


SWEEPERS = [Sweeper("tax-answers", 3600, forget_answers)]
