"""Who else of the staff has a conversation open, so that no two write the same answer. It is no fact: nothing is on the log."""

from uuid import UUID

from samlad.conversations.permissions import READ
from samlad.kernel.database import Tx

EVERY_SECONDS = 20
"""How often a page that is open says so."""
GONE_SECONDS = 50
"""Who has not said so for so long has closed it: one lost call is borne."""
MOST = 5


async def here(tx: Tx, conversation: UUID) -> list[str]:
    """Say that whoever acts has a conversation open; the names of the others who do. Two statements."""
    tx.actor.require(READ)
    if tx.actor.kind == "staff" and tx.actor.id is not None:
        await tx.execute(
            """INSERT INTO conversation_viewer (conversation, staff, name, seen_at) SELECT $1, $2, $3, clock_timestamp()
               WHERE EXISTS (SELECT FROM conversation WHERE id = $1)
               ON CONFLICT (conversation, staff) DO UPDATE SET name = excluded.name, seen_at = excluded.seen_at""",
            conversation,
            tx.actor.id,
            tx.actor.name,
        )
    rows = await tx.rows(
        """SELECT name FROM conversation_viewer WHERE conversation = $1 AND staff IS DISTINCT FROM $2
             AND seen_at > clock_timestamp() - make_interval(secs => $3) ORDER BY name, staff LIMIT $4""",
        conversation,
        tx.actor.id,
        float(GONE_SECONDS),
        MOST,
    )
    return [row["name"] for row in rows]


async def forget_old(tx: Tx) -> None:
    """Forget who had something open an hour ago."""
    await tx.execute("DELETE FROM conversation_viewer WHERE seen_at < now() - interval '1 hour'")
