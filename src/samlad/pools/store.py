"""SQL of moves between pools. The tables are those of channels, because every package writes into the journal."""

from collections.abc import Sequence
from uuid import UUID

from samlad.channels import Resource
from samlad.channels.pooling import MoveKind
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.pools.model import MoveRow

_MOVE = """m.id, m.channel, c.code AS channel_code, m.resource, m.kind, m.home, m.shared, m.joined, m.status, m.step, m.rows,
           m.expected, m.problem, m.actor, m.started_at, m.finished_at, m.keeps_own"""
_SOURCE = "pool_move m JOIN channel c ON c.id = m.channel"

MOVES: Listing[MoveRow] = Listing(
    row=MoveRow,
    select=_MOVE,
    source=_SOURCE,
    key="m.id",
    sorts={"started_at": Sort("m.started_at", "timestamptz")},
    default_sort="-started_at",
    filters={
        "channel": Filter("c.code = ANY({}::text[])", texts),
        "resource": Filter("m.resource = ANY({}::text[])", texts),
        "status": Filter("m.status = ANY({}::text[])", texts),
    },
)


async def get(reader: Reader, move: UUID) -> MoveRow | None:
    """One move, or None."""
    return await reader.one(MoveRow, f"SELECT {_MOVE} FROM {_SOURCE} WHERE m.id = $1", move)


async def lock(tx: Tx, move: UUID) -> tuple[MoveRow, UUID | None] | None:
    """A move and how far its step came, held until the transaction ends."""
    cursor = await tx.row("SELECT cursor FROM pool_move WHERE id = $1 FOR UPDATE", move)
    found = await get(tx, move)
    return None if cursor is None or found is None else (found, cursor["cursor"])


async def running(reader: Reader, channel: UUID | None = None) -> list[MoveRow]:
    """Moves under way, of one channel or of all."""
    return await reader.all(
        MoveRow,
        f"""SELECT {_MOVE} FROM {_SOURCE} WHERE m.status = 'running' AND ($1::uuid IS NULL OR m.channel = $1)
            ORDER BY m.started_at""",
        channel,
    )


async def moves_of(reader: Reader, channel: UUID, limit: int = 50) -> list[MoveRow]:
    """What became of a channel's pools, the latest first."""
    return await reader.all(
        MoveRow,
        f"SELECT {_MOVE} FROM {_SOURCE} WHERE m.channel = $1 ORDER BY m.started_at DESC, m.id DESC LIMIT $2",
        channel,
        limit,
    )


async def latest(reader: Reader, channel: UUID, resource: Resource) -> MoveRow | None:
    """The last move of a channel's resource that is over."""
    return await reader.one(
        MoveRow,
        f"""SELECT {_MOVE} FROM {_SOURCE} WHERE m.channel = $1 AND m.resource = $2 AND m.status = 'done'
            ORDER BY m.started_at DESC, m.id DESC LIMIT 1""",
        channel,
        str(resource),
    )


async def insert(
    tx: Tx,
    *,
    channel: UUID,
    resource: Resource,
    kind: MoveKind,
    home: UUID,
    shared: UUID,
    joined: UUID | None,
    expected: int,
    keeps_own: bool,
) -> UUID | None:
    """Begin a move; None if one of this channel is under way."""
    made: UUID | None = await tx.value(
        """
        INSERT INTO pool_move (id, channel, resource, kind, home, shared, joined, status, expected, actor, keeps_own)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, $10)
        ON CONFLICT (channel) WHERE status = 'running' DO NOTHING RETURNING id
        """,
        new_id(),
        channel,
        str(resource),
        str(kind),
        home,
        shared,
        joined,
        expected,
        tx.actor.label,
        keeps_own,
    )
    return made


async def advance(tx: Tx, move: UUID, *, step: int, cursor: UUID | None, rows: int) -> None:
    """Note how far a move came."""
    await tx.execute(
        "UPDATE pool_move SET step = $2, cursor = $3, rows = rows + $4, problem = NULL WHERE id = $1",
        move,
        step,
        cursor,
        rows,
    )


async def finish(tx: Tx, move: UUID) -> None:
    """A move is over."""
    await tx.execute(
        "UPDATE pool_move SET status = 'done', cursor = NULL, finished_at = now() WHERE id = $1", move
    )


async def fail(tx: Tx, move: UUID, problem: str) -> None:
    """Note why an attempt failed; it is tried again."""
    await tx.execute(
        "UPDATE pool_move SET problem = $2 WHERE id = $1 AND status = 'running'", move, problem[:500]
    )


async def codes(reader: Reader, pools: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The codes of the channels in each pool."""
    rows = await reader.rows(
        """SELECT u.pool, array_agg(c.code ORDER BY c.code) AS codes FROM channel_pool u JOIN channel c ON c.id = u.channel
           WHERE u.pool = ANY ($1::uuid[]) GROUP BY 1""",
        list(pools),
    )
    return {row["pool"]: row["codes"] for row in rows}
