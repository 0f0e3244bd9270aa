"""What conversations have in pools: themselves. Whose they are is somebody of the pool of customers that the channel is in."""

from uuid import UUID

from samlad.channels import Resource
from samlad.channels.pooling import (
    SHOWN,
    Finding,
    Level,
    Move,
    MoveKind,
    Pooling,
    Step,
    Turn,
    examples,
    relabel,
)
from samlad.conversations import merging
from samlad.customers.pooling import renaming
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Conversations that appear among those of the others, or go, and which of them wait for an answer."""
    found = []
    for code, text, only in (
        ("conversations", marked("Conversations that come along"), "true"),
        (
            "conversations-open",
            marked("Of these, conversations that wait for an answer: they go on where they are"),
            "c.state = 'open'",
        ),
    ):
        count = await reader.value(
            f"SELECT count(*) FROM conversation c WHERE c.channel = $1 AND c.pool = $2 AND {only}",
            move.channel,
            move.old,
        )
        if not count and code != "conversations":
            continue
        _, some = await examples(
            reader,
            f"""SELECT c.subject AS label, coalesce(nullif(c.name, ''), c.email, '') AS here, c.state AS why, 0 AS total
                FROM conversation c WHERE c.channel = $1 AND c.pool = $2 AND {only}
                ORDER BY c.last_at DESC, c.id LIMIT {SHOWN}""",
            move.channel,
            move.old,
        )
        found.append(
            Finding(
                code=code,
                level=Level.INFO,
                text=text,
                count=count,
                examples=some,
                is_moved=code == "conversations",
            )
        )
    return found


async def take_apart(tx: Tx, move: Move, cursor: UUID | None, limit: int) -> Turn:
    """Conversations of both that were put together meanwhile stand by themselves again, each with what was said in it.

    It comes after the others: two of different pools cannot be put together any more, so none is missed.
    """
    if move.kind is MoveKind.JOIN:
        return Turn(0)
    rows = await tx.rows(
        """SELECT c.id FROM conversation c JOIN conversation o ON o.id = c.merged_into
           WHERE c.pool = ANY ($1::uuid[]) AND o.pool = ANY ($1::uuid[]) AND c.pool <> o.pool
             AND ($2::uuid IS NULL OR c.id > $2) ORDER BY c.id LIMIT $3""",
        [move.home, move.shared],
        cursor,
        limit,
    )
    for row in rows:
        await merging.split(tx, row["id"])
    return Turn(len(rows), rows[-1]["id"] if len(rows) == limit else None)


POOLING = Pooling(
    order=90,
    moves={"conversation": Resource.CONVERSATIONS},
    look={Resource.CONVERSATIONS: look},
    steps={
        Resource.CONVERSATIONS: [
            relabel("conversation", since="t.channel = $3"),
            Step("conversations that were put together", take_apart),
        ],
        Resource.CUSTOMERS: [renaming("conversation")],
    },
)
