"""Transfers in the database."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.stock.model import Transfer, TransferStatus
from samlad.stock.store import MoveOutcome

_TRANSFER = "id, origin, destination, status, note, version, created_at, updated_at, expected_on"
_LINES = """(SELECT coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'quantity', l.quantity,
             'received', l.received, 'lost', l.lost, 'lot', l.lot, 'lot_code', t.code) ORDER BY l.variant, t.code), '[]')
             FROM stock_transfer_line l LEFT JOIN lot t ON t.id = l.lot WHERE l.transfer = stock_transfer.id) AS lines"""


async def insert(
    tx: Tx, transfer: UUID, origin: UUID, destination: UUID, note: str, expected_on: date | None
) -> None:
    """A transfer that is under way, without lines yet."""
    await tx.execute(
        "INSERT INTO stock_transfer (id, origin, destination, note, expected_on) VALUES ($1, $2, $3, $4, $5)",
        transfer,
        origin,
        destination,
        note,
        expected_on,
    )


async def put_lines(tx: Tx, transfer: UUID, left: MoveOutcome) -> None:
    """What has left with it, by variant and lot, and what that was worth."""
    await tx.execute(
        """INSERT INTO stock_transfer_line (transfer, variant, lot, quantity, value_e4)
           SELECT $1, variant, lot, sum(quantity), sum(value)
           FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::bigint[]) AS t (variant, lot, quantity, value)
           GROUP BY variant, lot""",
        transfer,
        [moved.variant for moved in left.moved],
        [moved.lot for moved in left.moved],
        [-moved.quantity for moved in left.moved],
        [-value for value in left.values_e4],
    )


async def get(reader: Reader, transfer: UUID) -> Transfer:
    """A transfer with its lines. Raises NotFound."""
    found = await reader.one(
        Transfer, f"SELECT {_TRANSFER}, {_LINES} FROM stock_transfer WHERE id = $1", transfer
    )
    if found is None:
        raise NotFound(f"There is no transfer {transfer}.")
    return found


async def lock(tx: Tx, transfer: UUID) -> Transfer:
    """As `get`, and nobody else changes it until the commit."""
    await tx.execute("SELECT FROM stock_transfer WHERE id = $1 FOR UPDATE", transfer)
    return await get(tx, transfer)


async def values_under_way(reader: Reader, transfer: UUID) -> dict[tuple[UUID, UUID | None], int]:
    """What the units of each variant and lot that are under way are worth."""
    rows = await reader.rows(
        "SELECT variant, lot, value_e4 - received_e4 - lost_e4 AS value FROM stock_transfer_line WHERE transfer = $1",
        transfer,
    )
    return {(row["variant"], row["lot"]): row["value"] for row in rows}


async def values_lost(reader: Reader, transfer: UUID) -> dict[tuple[UUID, UUID | None], int]:
    """What the units of each variant and lot that are lost were worth."""
    rows = await reader.rows(
        "SELECT variant, lot, lost_e4 AS value FROM stock_transfer_line WHERE transfer = $1", transfer
    )
    return {(row["variant"], row["lot"]): row["value"] for row in rows}


async def note_received(tx: Tx, transfer: UUID, lines: Sequence[tuple[UUID, UUID | None, int, int]]) -> None:
    """Add to what was received: (variant, lot, units, value) each. Raises asyncpg.CheckViolationError for more than was sent."""
    await _note(tx, transfer, "received", lines)


async def note_lost(tx: Tx, transfer: UUID, lines: Sequence[tuple[UUID, UUID | None, int, int]]) -> None:
    """Add to what is lost, or take off: (variant, lot, ± units, ± value) each."""
    await _note(tx, transfer, "lost", lines)


async def _note(
    tx: Tx, transfer: UUID, what: str, lines: Sequence[tuple[UUID, UUID | None, int, int]]
) -> None:
    await tx.execute(
        f"""
        UPDATE stock_transfer_line l SET {what} = l.{what} + t.quantity, {what}_e4 = l.{what}_e4 + t.value
        FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::bigint[]) AS t (variant, lot, quantity, value)
        WHERE l.transfer = $1 AND l.variant = t.variant AND l.lot IS NOT DISTINCT FROM t.lot
        """,
        transfer,
        [variant for variant, _, _, _ in lines],
        [lot for _, lot, _, _ in lines],
        [quantity for _, _, quantity, _ in lines],
        [value for _, _, _, value in lines],
    )


async def set_day(tx: Tx, transfer: UUID, expected_on: date | None) -> None:
    """When it is expected."""
    await tx.execute("UPDATE stock_transfer SET expected_on = $2 WHERE id = $1", transfer, expected_on)


async def set_status(tx: Tx, transfer: UUID, status: TransferStatus) -> Transfer:
    """Change the status and count the version up."""
    found = await tx.one(
        Transfer,
        f"""UPDATE stock_transfer SET status = $2, version = version + 1, updated_at = now() WHERE id = $1
            RETURNING {_TRANSFER}, {_LINES}""",
        transfer,
        status,
    )
    assert found is not None
    return found
