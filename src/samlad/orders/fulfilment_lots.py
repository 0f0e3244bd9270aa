"""SQL of the table ``fulfilment_lot``: which lots pickers have in hand, and which went to whom."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.orders.fulfilment_model import UNENDED

_UNENDED = [str(state) for state in UNENDED]

Given = tuple[UUID, int, UUID, UUID, int]
"""Fulfilment, position, variant, lot, units."""


async def claim(tx: Tx, fulfilment: UUID, position: int, variant: UUID, lot: UUID, location: UUID) -> bool:
    """One more of a lot is in the hand; False when the place has no more of it that customers may get.

    What others have in the hand counts; of two who scan the last one at once, one gets it.
    """
    await tx.execute(
        "SELECT FROM stock_lot WHERE location = $1 AND variant = $2 AND lot = $3 FOR NO KEY UPDATE",
        location,
        variant,
        lot,
    )
    return bool(
        await tx.execute(
            """INSERT INTO fulfilment_lot AS n (fulfilment, position, variant, lot, quantity)
               SELECT $1, $2, $3, s.lot, 1 FROM stock_lots_for_customers($5, $3) AS s
               WHERE s.lot = $4 AND s.on_hand > (
                   SELECT coalesce(sum(m.quantity), 0) FROM fulfilment_lot m JOIN fulfilment f ON f.id = m.fulfilment
                   WHERE m.lot = $4 AND f.location = $5 AND f.state = ANY($6))
               ON CONFLICT (fulfilment, position, lot) DO UPDATE SET quantity = n.quantity + 1""",
            fulfilment,
            position,
            variant,
            lot,
            location,
            _UNENDED,
        )
    )


async def forget(tx: Tx, fulfilment: UUID, positions: Sequence[int]) -> None:
    """Nobody has these in the hand any more, or another lot of them."""
    await tx.execute(
        "DELETE FROM fulfilment_lot WHERE fulfilment = $1 AND position = ANY($2::smallint[])",
        fulfilment,
        list(positions),
    )


async def forget_beyond(tx: Tx, fulfilment: UUID, position: int, quantity: int) -> None:
    """Fewer are in the hand than were scanned: which ones, nobody knows."""
    await tx.execute(
        """DELETE FROM fulfilment_lot WHERE fulfilment = $1 AND position = $2 AND $3 < (
               SELECT sum(quantity) FROM fulfilment_lot WHERE fulfilment = $1 AND position = $2)""",
        fulfilment,
        position,
        quantity,
    )


async def put(tx: Tx, given: Sequence[Given]) -> None:
    """What left, in place of what was scanned."""
    fulfilments = [fulfilment for fulfilment, _, _, _, _ in given]
    await tx.execute("DELETE FROM fulfilment_lot WHERE fulfilment = ANY($1::uuid[])", fulfilments)
    await tx.execute(
        """INSERT INTO fulfilment_lot (fulfilment, position, variant, lot, quantity)
           SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::uuid[], $5::int[])""",
        fulfilments,
        [position for _, position, _, _, _ in given],
        [variant for _, _, variant, _, _ in given],
        [lot for _, _, _, lot, _ in given],
        [units for _, _, _, _, units in given],
    )


async def codes(reader: Reader, fulfilment: UUID) -> dict[int, list[tuple[str, int]]]:
    """Lots or serial numbers of a fulfilment's lines, by position: (code, units). Those that nobody knows are left out."""
    rows = await reader.rows(
        """SELECT g.position, l.code, g.quantity FROM fulfilment_lot g JOIN lot l ON l.id = g.lot
           WHERE g.fulfilment = $1 AND l.code <> '' ORDER BY g.position, l.code""",
        fulfilment,
    )
    found: dict[int, list[tuple[str, int]]] = {}
    for row in rows:
        found.setdefault(row["position"], []).append((row["code"], row["quantity"]))
    return found
