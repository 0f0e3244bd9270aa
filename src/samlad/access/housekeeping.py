"""What keeps access's own tables small, by itself."""

from datetime import timedelta

from samlad.access import rate, sessions, tokens_issued
from samlad.kernel.clock import now
from samlad.kernel.database import Database, Tx
from samlad.kernel.sweepers import Sweeper


async def forget_old(database: Database) -> None:
    """Remove sessions, links, ceremonies, tries, tokens and rate windows that are over."""

    async def work(tx: Tx) -> None:
        await sessions.forget_old(tx)
        await rate.forget_old(tx)
        await tokens_issued.forget_old(tx, now() - timedelta(days=1))

    await database.transaction(work)


SWEEPERS = [Sweeper("access.forget-old", 900, forget_old)]
