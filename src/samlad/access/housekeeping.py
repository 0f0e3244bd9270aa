"""What keeps access's own tables small, by itself."""

from samlad.access import rate, sessions
from samlad.kernel.database import Database, Tx
from samlad.kernel.sweepers import Sweeper


async def forget_old(database: Database) -> None:
    """Remove sessions, links, ceremonies, tries and rate windows that are over."""

    async def work(tx: Tx) -> None:
        await sessions.forget_old(tx)
        await rate.forget_old(tx)

    await database.transaction(work)


SWEEPERS = [Sweeper("access.forget-old", 900, forget_old)]
