"""What customers have in pools: themselves.

A customer keeps its row and its id. Where somebody of the other pool has its number or e-mail address, that stays with
them and is taken off the one that comes; the journal keeps it for the way back. Whether both are one person identity
decides by its rules.
"""

from uuid import UUID

from samlad.channels import Resource
from samlad.channels.pooling import SHOWN, Finding, Level, Move, MoveKind, Pooling, Step, Turn, examples
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


def _finding(code: str, level: Level, text: str, found: tuple[int, list], advice: str = "") -> Finding:
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
    """Those that came along go back. Who has bought in the channel since is copied, unless they only ever did there."""
    back = await tx.execute(
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
    return back


POOLING = Pooling(
    order=30,
    moves={"customer": Resource.CUSTOMERS},
    look={Resource.CUSTOMERS: look},
    steps={Resource.CUSTOMERS: [Step("customer", carry, with_switch=True)]},
)
