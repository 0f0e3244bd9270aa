"""SQL of the table ``fulfilment_lot``: which lots pickers have in hand, and which went to whom."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.orders.fulfilment_model import UNENDED, Fulfilment
from samlad.orders.fulfilment_rules import Units

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


async def leave(tx: Tx, fulfilment: UUID, chosen: Sequence[tuple[int, int]]) -> None:
    """Units (position, quantity) are about to go out of a fulfilment's lines: those that are not picked yet first.

    Of one lot that was scanned fewer are in the hand; of several, which ones nobody knows any more.
    """
    await tx.execute(
        """WITH scanned AS (
               SELECT l.position, l.quantity - n.quantity AS stay, count(*) AS lots, sum(g.quantity) AS units
               FROM fulfilment_line l JOIN unnest($2::smallint[], $3::int[]) AS n (position, quantity) USING (position)
               JOIN fulfilment_lot g ON g.fulfilment = l.fulfilment AND g.position = l.position
               WHERE l.fulfilment = $1 GROUP BY 1, 2
           ), gone AS (
               DELETE FROM fulfilment_lot g USING scanned s WHERE g.fulfilment = $1 AND g.position = s.position
               AND (s.stay <= 0 OR s.units > s.stay AND s.lots > 1)
           )
           UPDATE fulfilment_lot g SET quantity = s.stay FROM scanned s
           WHERE g.fulfilment = $1 AND g.position = s.position AND s.stay > 0 AND s.lots = 1 AND s.units > s.stay""",
        fulfilment,
        [position for position, _ in chosen],
        [quantity for _, quantity in chosen],
    )


async def of_units(
    reader: Reader, found: Fulfilment, place: UUID, out: Sequence[Units]
) -> list[tuple[UUID, UUID | None, int]]:
    """Of which lots units are that a place has lost or that are broken: (variant, lot, units), None: whose turn it is.

    Units that are not picked yet lie on the shelf: those that somebody has in the hand are not among them. Of those that are in
    the hand it is the lot that was scanned, if it was one.
    """
    lines = {line.position: line for line in found.lines}
    wanted: dict[tuple[UUID, UUID | None], int] = {}
    for position, variant, quantity in out:
        line = lines[position]
        in_hand = max(0, quantity - (line.quantity - line.picked))
        scanned = [(each.lot, each.quantity) for each in line.lots]
        if in_hand and (len(scanned) == 1 or in_hand == sum(units for _, units in scanned)):
            for lot, units in scanned:
                part = min(units, in_hand)
                wanted[variant, lot] = wanted.get((variant, lot), 0) + part
                quantity -= part
        for lot, units in (
            await _on_shelf(reader, place, variant) if quantity and line.tracking != "none" else []
        ):
            part = min(quantity, units - wanted.get((variant, lot), 0))
            if part > 0:
                wanted[variant, lot] = wanted.get((variant, lot), 0) + part
                quantity -= part
        if quantity:
            wanted[variant, None] = wanted.get((variant, None), 0) + quantity
    return [(variant, lot, units) for (variant, lot), units in wanted.items()]


async def _on_shelf(reader: Reader, place: UUID, variant: UUID) -> list[tuple[UUID, int]]:
    """Lots of a level in their turn, without what pickers have in the hand."""
    rows = await reader.rows(
        """SELECT s.lot, s.on_hand - coalesce((
               SELECT sum(m.quantity) FROM fulfilment_lot m JOIN fulfilment f ON f.id = m.fulfilment
               WHERE m.lot = s.lot AND f.location = $1 AND f.state = ANY($3)), 0)::int AS units
           FROM stock_lots_for_customers($1, $2) s ORDER BY s.turn""",
        place,
        variant,
        _UNENDED,
    )
    return [(row["lot"], row["units"]) for row in rows if row["units"] > 0]


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
