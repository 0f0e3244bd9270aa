"""Transfers in the database."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.stock.model import Transfer, TransferStatus

_TRANSFER = "id, origin, destination, status, note, version, created_at, updated_at"
_LINES = """(SELECT coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'quantity', l.quantity,
             'received', l.received) ORDER BY l.variant), '[]')
             FROM stock_transfer_line l WHERE l.transfer = stock_transfer.id) AS lines"""


async def insert(
    tx: Tx, transfer: UUID, origin: UUID, destination: UUID, note: str, lines: Sequence[tuple[UUID, int]]
) -> None:
    """A transfer that is under way, with its lines."""
    await tx.execute(
        """
        WITH made AS (INSERT INTO stock_transfer (id, origin, destination, note) VALUES ($1, $2, $3, $4))
        INSERT INTO stock_transfer_line (transfer, variant, quantity)
        SELECT $1, t.variant, t.quantity FROM unnest($5::uuid[], $6::int[]) AS t (variant, quantity)
        """,
        transfer,
        origin,
        destination,
        note,
        [variant for variant, _ in lines],
        [quantity for _, quantity in lines],
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


async def note_sent(tx: Tx, transfer: UUID, values_e4: Sequence[tuple[UUID, int]]) -> None:
    """Remember what units were worth when they left: (variant, value of all) each."""
    await tx.execute(
        """UPDATE stock_transfer_line l SET value_e4 = t.value
           FROM unnest($2::uuid[], $3::bigint[]) AS t (variant, value)
           WHERE l.transfer = $1 AND l.variant = t.variant""",
        transfer,
        [variant for variant, _ in values_e4],
        [value for _, value in values_e4],
    )


async def values_under_way(reader: Reader, transfer: UUID) -> dict[UUID, int]:
    """What the units of each variant that have not arrived are worth."""
    rows = await reader.rows(
        "SELECT variant, value_e4 - received_e4 AS value FROM stock_transfer_line WHERE transfer = $1",
        transfer,
    )
    return {row["variant"]: row["value"] for row in rows}


async def note_received(tx: Tx, transfer: UUID, lines: Sequence[tuple[UUID, int, int]]) -> None:
    """Add to what was received: (variant, units, value) each. Raises asyncpg.CheckViolationError for more than was sent."""
    await tx.execute(
        """
        UPDATE stock_transfer_line l SET received = l.received + t.quantity, received_e4 = l.received_e4 + t.value
        FROM unnest($2::uuid[], $3::int[], $4::bigint[]) AS t (variant, quantity, value)
        WHERE l.transfer = $1 AND l.variant = t.variant
        """,
        transfer,
        [variant for variant, _, _ in lines],
        [quantity for _, quantity, _ in lines],
        [value for _, _, value in lines],
    )


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
