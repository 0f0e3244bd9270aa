"""What customers have in pools: themselves.

A customer keeps its row and its id. Where somebody of the other pool has its number or e-mail address, that stays with
them and is taken off the one that comes; the journal keeps it for the way back. Whether both are one person identity
decides by its rules.
"""

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from samlad.channels import Resource
from samlad.channels.pooling import (
    SHOWN,
    Example,
    Finding,
    Level,
    Move,
    MoveKind,
    Pooling,
    Step,
    Turn,
    examples,
)
from samlad.customers import service
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked

_NAME = "coalesce(a.name, a.email, a.external_id)"


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Who comes along, who is known there already and why, and whose number is somebody else's there."""
    if move.kind is MoveKind.LEAVE:
        return await _look_back(reader, move)
    pools = (move.old, move.new)
    count = await reader.value("SELECT count(*) FROM customer WHERE pool = $1", move.old)
    same_email = await examples(
        reader,
        f"""SELECT {_NAME} AS label, a.email AS why, coalesce(a.external_id, '') AS here,
                   coalesce(b.external_id, '') AS there, count(*) OVER () AS total
            FROM customer a JOIN customer b ON b.pool = $2 AND lower(b.email) = lower(a.email)
            WHERE a.pool = $1 ORDER BY a.id LIMIT {SHOWN}""",
        *pools,
    )
    same_number = await examples(
        reader,
        f"""SELECT {_NAME} AS label, a.external_id AS why, count(*) OVER () AS total
            FROM customer a JOIN customer b ON b.pool = $2 AND b.external_id = a.external_id
            WHERE a.pool = $1 AND (a.email IS NULL OR b.email IS NULL) ORDER BY a.id LIMIT {SHOWN}""",
        *pools,
    )
    contrary = await examples(
        reader,
        f"""SELECT a.external_id AS label, a.email AS here, b.email AS there, count(*) OVER () AS total
            FROM customer a JOIN customer b ON b.pool = $2 AND b.external_id = a.external_id
            WHERE a.pool = $1 AND lower(a.email) <> lower(b.email) ORDER BY a.id LIMIT {SHOWN}""",
        *pools,
    )
    found = [
        _finding(
            "customers-contrary",
            Level.BLOCKING,
            marked("Customer numbers that somebody with another e-mail address has there"),
            contrary,
            marked("Numbers of two systems often collide: put a prefix before those of the channel."),
        ),
        _finding(
            "customers-email",
            Level.INFO,
            marked("The same people, by their e-mail address: one profile with both histories"),
            same_email,
        ),
        _finding(
            "customers-number",
            Level.INFO,
            marked("The same people, by their customer number: one profile with both histories"),
            same_number,
        ),
    ]
    moved = Finding(
        code="customers",
        level=Level.INFO,
        text=marked("Customers that come along"),
        count=count,
        is_moved=True,
    )
    return [*(each for each in found if each.count), moved]


def _finding(
    code: str, level: Level, text: str, found: tuple[int, list[Example]], advice: str = ""
) -> Finding:
    return Finding(code=code, level=level, text=text, count=found[0], examples=found[1], advice=advice)


async def _look_back(reader: Reader, move: Move) -> list[Finding]:
    count = await reader.value(
        """SELECT count(*) FROM pool_move_row j JOIN customer c ON c.id = j.row AND c.pool = $2
           WHERE j.move = $1 AND j.subject = 'customer'""",
        move.joined,
        move.old,
    )
    return [
        Finding(
            code="customers",
            level=Level.INFO,
            text=marked("Customers that came along and go back"),
            count=count,
            is_moved=True,
        )
    ]


async def carry(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """All customers at once: nobody may be met twice because half of them are there."""
    if move.kind is MoveKind.JOIN:
        return Turn(await _join(tx, move))
    return Turn(await _leave(tx, move))


async def _join(tx: Tx, move: Move) -> int:
    return await tx.execute(
        """
        WITH ours AS MATERIALIZED (
            SELECT a.id, a.email, a.external_id, a.survivor, e.id AS by_email, n.id AS by_number
            FROM customer a LEFT JOIN customer e ON e.pool = $2 AND lower(e.email) = lower(a.email)
                            LEFT JOIN customer n ON n.pool = $2 AND n.external_id = a.external_id
            WHERE a.pool = $1 ORDER BY a.id FOR UPDATE OF a
        ), kept AS (
            INSERT INTO pool_move_row (move, subject, row, twin, before)
            SELECT $3, 'customer', id, coalesce(by_email, by_number),
                   jsonb_build_object('email', email, 'external_id', external_id, 'survivor', survivor)
            FROM ours
        )
        UPDATE customer c
        SET pool = $2, email = CASE WHEN o.by_email IS NULL THEN c.email END,
            external_id = CASE WHEN o.by_number IS NULL THEN c.external_id END
        FROM ours o WHERE c.id = o.id
        """,
        move.old,
        move.new,
        move.id,
    )


async def _leave(tx: Tx, move: Move) -> int:
    """Those that came along go back. Who has bought in the channel since gets a copy there: `renaming`."""
    return await tx.execute(
        """
        WITH back AS MATERIALIZED (
            SELECT c.id, j.before FROM pool_move_row j JOIN customer c ON c.id = j.row AND c.pool = $1
            WHERE j.move = $4 AND j.subject = 'customer' ORDER BY c.id FOR UPDATE OF c
        ), kept AS (
            INSERT INTO pool_move_row (move, subject, row) SELECT $3, 'customer', id FROM back
        )
        UPDATE customer c
        SET pool = $2, email = coalesce(c.email, b.before ->> 'email'),
            external_id = coalesce(c.external_id, b.before ->> 'external_id'),
            survivor = (b.before ->> 'survivor')::uuid
        FROM back b WHERE c.id = b.id
        """,
        move.old,
        move.new,
        move.id,
        move.joined,
    )


async def _counterparts(tx: Tx, move: Move, customers: Sequence[UUID], pool: UUID) -> dict[UUID, UUID]:
    """Who customers of one of the two pools are in the other, after the channel left.

    Whoever was found to be the same when it joined; else who has their number or address there; else a copy, made once.
    """
    rows = await tx.rows(
        """
        SELECT DISTINCT ON (t.id) t.id, coalesce(j.twin, same.id, p.id) AS found, j.row IS NOT NULL AS is_told
        FROM unnest($1::uuid[]) AS t (id) JOIN customer x ON x.id = t.id
             LEFT JOIN pool_move_row j ON j.move = $2 AND j.subject = 'customer copy' AND j.row = t.id
             LEFT JOIN pool_move_row c ON c.move = $3 AND c.subject = 'customer' AND c.twin IS NOT NULL
                                          AND t.id IN (c.row, c.twin)
             LEFT JOIN customer same ON same.id IN (c.row, c.twin) AND same.id <> t.id AND same.pool = $4
             LEFT JOIN customer p ON p.pool = $4 AND (lower(p.email) = lower(x.email) OR p.external_id = x.external_id)
        ORDER BY t.id, same.id, lower(p.email) = lower(x.email) DESC NULLS LAST, p.id
        """,
        list(customers),
        move.id,
        move.joined,
        pool,
    )
    missing = [row["id"] for row in rows if row["found"] is None]
    copies = await service.copy_into(tx, pool, missing, channel=move.channel)
    found = {row["id"]: row["found"] or copies[row["id"]] for row in rows}
    fresh = [row["id"] for row in rows if not row["is_told"]]
    await tx.execute(
        """INSERT INTO pool_move_row (move, subject, row, twin)
           SELECT $1, 'customer copy', * FROM unnest($2::uuid[], $3::uuid[])""",
        move.id,
        fresh,
        [found[each] for each in fresh],
    )
    return found


Renamed = Callable[[Tx, Sequence[UUID]], Awaitable[None]]


def renaming(table: str, *, sets: str = "", after: Renamed | None = None) -> Step:
    """The step of a table whose rows name a customer and a channel: after a leave they name who that is in their pool.

    Those of the channel name people of its own pool, those of the others people of theirs: who bought in both is in both.
    ``sets`` are further columns of ``t`` to set (``ours.there`` is the new customer); ``after`` gets all customers
    concerned. Names are the calling package's own.
    """

    async def run(tx: Tx, move: Move, cursor: UUID | None, limit: int) -> Turn:
        if move.kind is MoveKind.JOIN:
            return Turn(0)
        assert move.home is not None
        rows = await tx.rows(
            f"""
            SELECT DISTINCT t.customer, t.channel = $1 AS is_ours FROM {table} t JOIN customer c ON c.id = t.customer
            WHERE ((t.channel = $1 AND c.pool = $2) OR (t.channel <> $1 AND c.pool = $3 AND EXISTS (
                       SELECT FROM channel_pool u WHERE u.channel = t.channel AND u.resource = 'customers' AND u.pool = $2)))
              AND ($4::uuid IS NULL OR t.customer > $4)
            ORDER BY 1 LIMIT $5
            """,
            move.channel,
            move.shared,
            move.home,
            cursor,
            limit,
        )
        people = [row["customer"] for row in rows]
        found: dict[UUID, UUID] = {}
        for is_ours, pool in ((True, move.home), (False, move.shared)):
            chosen = [row["customer"] for row in rows if row["is_ours"] == is_ours]
            if chosen:
                found |= await _counterparts(tx, move, chosen, pool)
        moved = await tx.execute(
            f"""
            WITH ours AS (
                SELECT t.id, p.there FROM unnest($2::uuid[], $3::uuid[], $4::boolean[]) AS p (here, there, is_ours)
                JOIN {table} t ON t.customer = p.here AND (t.channel = $1) = p.is_ours ORDER BY t.id FOR NO KEY UPDATE OF t
            )
            UPDATE {table} t SET customer = ours.there{sets} FROM ours WHERE t.id = ours.id
            """,
            move.channel,
            people,
            [found[each] for each in people],
            [row["is_ours"] for row in rows],
        )
        if after is not None and people:
            await after(tx, [*found, *found.values()])
        return Turn(moved, people[-1] if len(people) == limit else None)

    return Step(f"customers of {table}", run)


POOLING = Pooling(
    order=30,
    moves={"customer": Resource.CUSTOMERS},
    look={Resource.CUSTOMERS: look},
    steps={Resource.CUSTOMERS: [Step("customer", carry, with_switch=True)]},
)
