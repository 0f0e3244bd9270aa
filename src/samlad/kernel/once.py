"""What a person sends by a page is done once: a second click, and a page that a browser sends again, change nothing.

A form carries a word that was made for it when it was shown. What was sent with it, all of its fields, is remembered for a day
by a hash. (Programs send an Idempotency-Key: `kernel.http`; they get the first answer again. A person gets a page that says so.)
"""

from samlad.kernel.database import Tx
from samlad.kernel.problems import Problem


class SentBefore(Problem):
    """The very same form was sent before, and is done."""

    code, status, title = "sent-before", 409, "This was sent before"


async def claim(tx: Tx, sent: bytes) -> None:
    """Let this transaction be the one that does what was sent; who sends it meanwhile waits for how it ends.

    Raises:
        SentBefore: it is done.
    """
    if not await tx.execute("INSERT INTO form_sent (hash) VALUES ($1) ON CONFLICT DO NOTHING", sent):
        raise SentBefore("This was sent before, and is done. Nothing was done twice.")
