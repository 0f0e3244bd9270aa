"""Lots in the database."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from samlad.catalog import Tracking
from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.stock.lots_model import Lot, LotAt, LotHere, LotMove, LotState, Named, Recall
from samlad.stock.model import Hold, HoldKind

_LOT = "id, variant, code, expires_on, recall, version"
_RECALL = """r.id, r.lot, t.code AS lot_code, t.variant, v.sku, r.reason, r.actor, r.created_at, r.ended_at, r.ended_by
             FROM stock_recall r JOIN lot t ON t.id = r.lot JOIN variant v ON v.id = t.variant"""


async def tracking_of(reader: Reader, variants: Sequence[UUID]) -> dict[UUID, Tracking]:
    """How units of these variants are told apart; unknown ones are missing."""
    rows = await reader.rows(
        """SELECT v.id, g.tracking FROM variant v JOIN product g ON g.id = v.product
           WHERE v.id = ANY($1::uuid[])""",
        list(set(variants)),
    )
    return {row["id"]: Tracking(row["tracking"]) for row in rows}


async def known(reader: Reader, lines: Sequence[Named]) -> dict[tuple[UUID, str], Lot]:
    """The lots that lines name, as far as there are any. In a transaction nobody recalls one until its end."""
    sql = f"""SELECT {_LOT} FROM lot WHERE (variant, code) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))
              ORDER BY id"""
    if isinstance(reader, Tx):
        sql += " FOR SHARE"
    found = await reader.all(Lot, sql, [line.variant for line in lines], [line.code or "" for line in lines])
    return {(lot.variant, lot.code): lot for lot in found}


async def make(tx: Tx, lines: Sequence[Named]) -> None:
    """Lots that are new, and dates of those that had none."""
    arguments = (
        [line.variant for line in lines],
        [line.code or "" for line in lines],
        [line.expires_on for line in lines],
    )
    named = """(SELECT variant, code, max(expires_on) AS expires_on
                FROM unnest($1::uuid[], $2::text[], $3::date[]) AS n (variant, code, expires_on)
                GROUP BY variant, code)"""
    await tx.execute(
        f"""INSERT INTO lot (variant, code, expires_on)
            SELECT variant, code, expires_on FROM {named} n ORDER BY variant, code
            ON CONFLICT (variant, code) DO NOTHING""",
        *arguments,
    )
    await tx.execute(
        f"""WITH dated AS (
                UPDATE lot l SET expires_on = n.expires_on, version = l.version + 1 FROM {named} n
                WHERE l.variant = n.variant AND l.code = n.code AND l.expires_on IS NULL AND n.expires_on IS NOT NULL
                RETURNING l.id)
            UPDATE stock_lot s SET look_on = '-infinity' FROM dated WHERE s.lot = dated.id""",
        *arguments,
    )


async def get(reader: Reader, lot: UUID) -> Lot:
    """A lot. Raises NotFound."""
    found = await reader.one(Lot, f"SELECT {_LOT} FROM lot WHERE id = $1", lot)
    if found is None:
        raise NotFound(f"There is no lot {lot}.")
    return found


async def lock(tx: Tx, lot: UUID) -> Lot:
    """As `get`, and nobody brings units of it or recalls it until the commit."""
    await tx.execute("SELECT FROM lot WHERE id = $1 FOR UPDATE", lot)
    return await get(tx, lot)


async def arriving(
    tx: Tx, keys: Sequence[tuple[UUID, UUID | None]]
) -> dict[tuple[UUID, UUID | None], UUID | None]:
    """As which lot units come back that left as (variant, lot): nobody's, where they left before their product was kept by
    lot. Nobody recalls these lots until the commit.
    """
    lots = [lot for _, lot in keys if lot is not None]
    if lots:
        await tx.execute("SELECT FROM lot WHERE id = ANY($1::uuid[]) ORDER BY id FOR SHARE", lots)
    bare = [variant for variant, lot in keys if lot is None]
    tracking = await tracking_of(tx, bare) if bare else {}
    found = {}
    for variant, lot in keys:
        is_nobodys = lot is None and tracking.get(variant, Tracking.NONE) is not Tracking.NONE
        found[variant, lot] = await unknown_lot(tx, variant) if is_nobodys else lot
    return found


async def unknown_lot(tx: Tx, variant: UUID) -> UUID:
    """The lot of units of which nobody knows the lot."""
    found: UUID = await tx.value("SELECT stock_unknown_lot($1)", variant)
    return found


async def set_date(tx: Tx, lot: UUID, version: int, expires_on: date | None) -> Lot | None:
    """Another last good day; None when the version is not that any more."""
    return await tx.one(
        Lot,
        f"UPDATE lot SET expires_on = $3, version = version + 1 WHERE id = $1 AND version = $2 RETURNING {_LOT}",
        lot,
        version,
        expires_on,
    )


async def judge(tx: Tx, lots: Sequence[UUID] | None, most: int) -> tuple[list[LotMove], list[Hold], int]:
    """Make lots what they ought to be by now: these, or those whose day has come; at so many levels.

    What became something else, holds that lost their units, and how many levels there were to look at.
    """
    rows = await tx.rows("SELECT * FROM stock_judge_lots($1, $2)", None if lots is None else list(lots), most)
    moves, dropped = [], []
    for row in rows:
        if row["outcome"] == "judged":
            moves.append(
                LotMove(
                    row["location"],
                    row["variant"],
                    row["lot"],
                    row["quantity"],
                    LotState(row["before"]),
                    LotState(row["after"]),
                )
            )
        elif row["outcome"] == "dropped":
            dropped.append(
                Hold(
                    row["id"],
                    row["location"],
                    row["variant"],
                    row["quantity"],
                    HoldKind(row["kind"]),
                    row["owner"],
                )
            )
    return moves, dropped, sum(row["outcome"] == "looked" for row in rows)


async def sold(
    reader: Reader, reference: UUID, variants: Sequence[UUID]
) -> dict[UUID, list[tuple[Lot, int]]]:
    """Which lots of variants were sold under a reference (an order), with their units, the first that left first.

    Those that left under another name of the goods (a channel shared them then, or does now) are lots of these by number.
    """
    rows = await reader.rows(
        f"""SELECT {", ".join(f"l.{name}" for name in Lot.__struct_fields__)}, m.units
            FROM unnest($2::uuid[]) AS asked (variant)
            CROSS JOIN LATERAL (SELECT lot, min(seq) AS first, -sum(quantity)::int AS units FROM movement
                                WHERE reference = $1 AND cause = 'sale' AND variant IN (SELECT variant_names(asked.variant))
                                  AND lot IS NOT NULL GROUP BY lot) m
            JOIN lot o ON o.id = m.lot JOIN lot l ON l.variant = asked.variant AND l.code = o.code ORDER BY m.first""",
        reference,
        list(variants),
    )
    found: dict[UUID, list[tuple[Lot, int]]] = {}
    for row in rows:
        *values, units = row.values()
        found.setdefault(row["variant"], []).append((Lot(*values), units))
    return found


async def here(reader: Reader, location: UUID, variants: Sequence[UUID]) -> list[LotHere]:
    """The lots of variants that customers may get at a location, whose turn it is first."""
    return await reader.all(
        LotHere,
        """SELECT v.id AS variant, s.lot, t.code, t.expires_on, s.on_hand, l.tracking = 'serial' AS is_serial
           FROM unnest($2::uuid[]) AS v (id) JOIN level l ON l.location = $1 AND l.variant = v.id
           CROSS JOIN LATERAL stock_lots_for_customers($1, v.id) AS s
           JOIN lot t ON t.id = s.lot WHERE t.code <> '' ORDER BY v.id, s.turn""",
        location,
        list(variants),
    )


async def where(reader: Reader, lot: UUID) -> list[LotAt]:
    """The locations that have units of a lot."""
    return await reader.all(
        LotAt,
        """SELECT s.location, p.name, s.on_hand, s.state FROM stock_lot s JOIN location p ON p.id = s.location
           WHERE s.lot = $1 AND s.on_hand > 0 ORDER BY p.priority, p.code""",
        lot,
    )


async def on_hand(reader: Reader, location: UUID, lots: Sequence[UUID]) -> dict[UUID, int]:
    """Units of lots at a location, for sale or not."""
    rows = await reader.rows(
        "SELECT lot, on_hand FROM stock_lot WHERE location = $1 AND lot = ANY($2::uuid[])",
        location,
        list(lots),
    )
    return {row["lot"]: row["on_hand"] for row in rows}


async def sold_before(reader: Reader, lots: Sequence[UUID], reference: UUID) -> dict[UUID, UUID]:
    """Which of these lots were sold under another reference, and under which last."""
    rows = await reader.rows(
        """SELECT DISTINCT ON (lot) lot, reference FROM movement
           WHERE lot = ANY($1::uuid[]) AND cause = 'sale' AND reference <> $2 ORDER BY lot, seq DESC""",
        list(lots),
        reference,
    )
    return {row["lot"]: row["reference"] for row in rows}


async def recalled_by(reader: Reader, lots: Sequence[UUID], moment: datetime) -> set[UUID]:
    """Those of these lots that were recalled already at a moment, and still are."""
    rows = await reader.rows(
        "SELECT lot FROM stock_recall WHERE lot = ANY($1::uuid[]) AND ended_at IS NULL AND created_at <= $2",
        list(lots),
        moment,
    )
    return {row["lot"] for row in rows}


async def variants_by_sku(reader: Reader, sku: str) -> list[UUID]:
    """The variants of a SKU, over all catalogues."""
    rows = await reader.rows("SELECT id FROM variant WHERE sku = $1 ORDER BY id LIMIT 2", sku)
    return [row["id"] for row in rows]


async def insert_recall(tx: Tx, recall: UUID, lot: UUID, reason: str) -> Recall | None:
    """Block a lot; None when it is blocked already."""
    is_new = await tx.execute(
        """INSERT INTO stock_recall (id, lot, reason, actor) VALUES ($1, $2, $3, $4)
           ON CONFLICT (lot) WHERE ended_at IS NULL DO NOTHING""",
        recall,
        lot,
        reason,
        tx.actor.label,
    )
    if not is_new:
        return None
    await tx.execute("UPDATE lot SET recall = $2, version = version + 1 WHERE id = $1", lot, recall)
    return await recall_by_id(tx, recall)


async def end_recall(tx: Tx, recall: UUID) -> bool:
    """The lot is free again; false when that was so already."""
    ended = await tx.execute(
        "UPDATE stock_recall SET ended_at = now(), ended_by = $2 WHERE id = $1 AND ended_at IS NULL",
        recall,
        tx.actor.label,
    )
    await tx.execute("UPDATE lot SET recall = NULL, version = version + 1 WHERE recall = $1", recall)
    return bool(ended)


async def recall_by_id(reader: Reader, recall: UUID) -> Recall:
    """A recall. Raises NotFound."""
    found = await reader.one(Recall, f"SELECT {_RECALL} WHERE r.id = $1", recall)
    if found is None:
        raise NotFound(f"There is no recall {recall}.")
    return found


async def recall_of(reader: Reader, lot: UUID) -> Recall:
    """The recall that blocks a lot."""
    found = await reader.one(Recall, f"SELECT {_RECALL} WHERE r.lot = $1 AND r.ended_at IS NULL", lot)
    if found is None:
        raise NotFound(f"Lot {lot} is not recalled.")
    return found


async def codes_of(reader: Reader, lots: Sequence[UUID]) -> dict[UUID, str]:
    """The codes of lots by their id."""
    rows = await reader.rows("SELECT id, code FROM lot WHERE id = ANY($1::uuid[])", list(lots))
    return {row["id"]: row["code"] for row in rows}
