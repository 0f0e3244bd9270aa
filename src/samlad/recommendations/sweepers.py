"""What the worker does about recommendations again and again."""

from samlad.kernel.database import Database
from samlad.kernel.sweepers import Sweeper
from samlad.recommendations import store

SECONDS = 3_600.0


async def sweep(database: Database) -> int:
    """Forget what is too old or too rare to say anything; how many pairs."""
    return await database.transaction(store.forget)


SWEEPERS = [Sweeper("bought-together", SECONDS, sweep)]
