"""What keeps the tables of accounts small, by itself."""

from samlad.accounts import store
from samlad.kernel.database import Database
from samlad.kernel.sweepers import Sweeper


async def forget_old(database: Database) -> None:
    """Remove sessions, links, codes and changes that are over."""
    await database.transaction(store.forget_old)


SWEEPERS = [Sweeper("accounts.forget-old", 900, forget_old)]
