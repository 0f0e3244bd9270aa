"""What the worker does about customers again and again."""

from samlad.customers import note_store
from samlad.kernel.database import Database
from samlad.kernel.sealing import seal_old
from samlad.kernel.sweepers import Sweeper

SEAL_SECONDS = 600.0
"""Between two looks for notes of before texts were sealed."""


async def seal_notes(database: Database) -> int:
    """Seal notes of before texts were sealed; how many."""
    return await seal_old(database, note_store.SEALED)


SWEEPERS = [Sweeper("sealed-notes", SEAL_SECONDS, seal_notes)]
