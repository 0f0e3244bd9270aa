"""What conversations forget by themselves."""

from datetime import timedelta

from samlad.conversations import mail_store, presence
from samlad.kernel.context import SYSTEM, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.sweepers import Sweeper

DISMISSED_FOR, KEYS_FOR = timedelta(days=30), timedelta(days=400)
"""How long mails that were put aside are kept, and that a mail came or was sent."""


async def forget_old(database: Database) -> None:
    """Forget what was put aside a month ago, which mails came a long time ago, and who had what open."""

    async def work(tx: Tx) -> None:
        await mail_store.forget(tx, dismissed=DISMISSED_FOR, keys=KEYS_FOR)
        await presence.forget_old(tx)

    await database.transaction(work, Context(actor=SYSTEM))


SWEEPERS = [Sweeper("conversations-forget", 3600, forget_old)]
