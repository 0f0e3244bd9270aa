"""What the worker does about carts from time to time."""

from samlad.carts.service import sweep
from samlad.kernel.database import Database
from samlad.kernel.sweepers import Sweeper


async def sweep_all(database: Database) -> int:
    """Put back what ran out, close what nobody touches, in batches of a transaction each; how many carts."""
    total = 0
    while True:
        expired, abandoned = await database.transaction(sweep)
        total += expired + abandoned
        if expired + abandoned == 0:
            return total


SWEEPERS = [Sweeper("carts", 30, sweep_all)]
