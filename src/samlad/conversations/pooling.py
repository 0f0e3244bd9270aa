"""What conversations have in pools: themselves. Whose they are is somebody of the pool of customers that the channel is in."""

from samlad.channels import Resource
from samlad.channels.pooling import SHOWN, Finding, Level, Move, Pooling, examples, relabel
from samlad.customers.pooling import renaming
from samlad.kernel.database import Reader
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


POOLING = Pooling(
    order=90,
    moves={"conversation": Resource.CONVERSATIONS},
    look={Resource.CONVERSATIONS: look},
    steps={
        Resource.CONVERSATIONS: [relabel("conversation", since="t.channel = $3")],
        Resource.CUSTOMERS: [renaming("conversation")],
    },
)
