"""Returns to suppliers, in the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import NotFound
from samlad.stock.supplier_return_model import (
    SupplierCreditInput,
    SupplierReturn,
    SupplierReturnReason,
    SupplierReturnStatus,
)

_RETURN = """id, number, supplier, purchase, location, status, reason, reference, note, currency, expected, credited, actor,
             version, created_at"""
_PARTS = """(SELECT coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'lot', l.lot, 'quantity', l.quantity,
             'unit_cost_e4', l.unit_cost_e4, 'value_e4', l.value_e4) ORDER BY l.position), '[]')
             FROM supplier_return_line l WHERE l.supplier_return = supplier_return.id) AS lines,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('id', c.id, 'amount', c.amount, 'reference', c.reference,
             'actor', c.actor, 'created_at', c.created_at) ORDER BY c.created_at, c.id), '[]')
             FROM supplier_credit c WHERE c.supplier_return = supplier_return.id) AS credits"""


class SupplierReturnRow(msgspec.Struct, frozen=True):
    """A return to a supplier as lists show it; amounts in minor units."""

    id: UUID
    number: int
    supplier_code: str
    supplier_name: str
    location_code: str
    purchase: UUID | None
    purchase_number: int | None
    status: SupplierReturnStatus
    reason: SupplierReturnReason
    reference: str
    units: int
    currency: str
    expected: int
    credited: int
    created_at: datetime


SUPPLIER_RETURNS: Listing[SupplierReturnRow] = Listing(
    row=SupplierReturnRow,
    select="""r.id, r.number, s.code AS supplier_code, s.name AS supplier_name, p.code AS location_code, r.purchase,
              o.number AS purchase_number, r.status, r.reason, r.reference, sums.units, r.currency, r.expected, r.credited,
              r.created_at""",
    source="""supplier_return r JOIN supplier s ON s.id = r.supplier JOIN location p ON p.id = r.location
              LEFT JOIN purchase_order o ON o.id = r.purchase
              LEFT JOIN LATERAL (SELECT coalesce(sum(l.quantity), 0)::bigint AS units FROM supplier_return_line l
                                 WHERE l.supplier_return = r.id) sums ON true""",
    key="r.id",
    sorts={"created_at": Sort("r.created_at", "timestamptz"), "number": Sort("r.number", "bigint")},
    default_sort="-created_at",
    filters={
        "supplier": Filter("s.code = ANY({}::text[])", texts),
        "location": Filter("p.code = ANY({}::text[])", texts),
        "status": Filter("r.status = ANY({}::text[])", texts),
        "reason": Filter("r.reason = ANY({}::text[])", texts),
        "purchase": Filter("r.purchase = ANY({}::uuid[])", uuids),
        "q": Filter(
            """r.number::text = {0} OR strpos(lower(r.reference || ' ' || r.note), lower({0})) > 0 OR r.id IN (
                   SELECT n.supplier_return FROM supplier_return_line n JOIN variant v ON v.id = n.variant
                   WHERE v.sku = {0})""",
            str.strip,
        ),
    },
)


async def get(reader: Reader, return_id: UUID) -> SupplierReturn:
    """A return with its lines and credits. Raises NotFound."""
    found = await reader.one(
        SupplierReturn, f"SELECT {_RETURN}, {_PARTS} FROM supplier_return WHERE id = $1", return_id
    )
    if found is None:
        raise NotFound(f"There is no return to a supplier {return_id}.")
    return found


async def lock(tx: Tx, return_id: UUID) -> SupplierReturn:
    """As `get`, and nobody else changes it until the commit."""
    await tx.execute("SELECT FROM supplier_return WHERE id = $1 FOR UPDATE", return_id)
    return await get(tx, return_id)


async def insert(tx: Tx, made: SupplierReturn) -> bool:
    """Write a return without its lines; False when there is one of that id."""
    return bool(
        await tx.execute(
            """INSERT INTO supplier_return (id, supplier, purchase, location, reason, reference, note, currency, expected,
                                            actor)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (id) DO NOTHING""",
            made.id,
            made.supplier,
            made.purchase,
            made.location,
            made.reason,
            made.reference,
            made.note,
            made.currency,
            made.expected,
            made.actor,
        )
    )


async def insert_lines(
    tx: Tx, return_id: UUID, rows: Sequence[tuple[UUID, UUID | None, int, int, int]], expected: int
) -> None:
    """What left: (variant, lot, units, cost of each, value of all); and what is expected for it."""
    await tx.execute(
        """INSERT INTO supplier_return_line (supplier_return, position, variant, lot, quantity, unit_cost_e4, value_e4)
           SELECT $1, t.position, t.variant, t.lot, t.quantity, t.cost, t.value
           FROM unnest($2::uuid[], $3::uuid[], $4::int[], $5::bigint[], $6::bigint[]) WITH ORDINALITY
                AS t (variant, lot, quantity, cost, value, position)""",
        return_id,
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
        [row[3] for row in rows],
        [row[4] for row in rows],
    )
    await tx.execute("UPDATE supplier_return SET expected = $2 WHERE id = $1", return_id, expected)


async def worth(tx: Tx, location: UUID, variants: Sequence[UUID]) -> dict[UUID, tuple[int, int, int]]:
    """Units, value and average of levels by variant, which nobody moves until the commit; locked in key order."""
    rows = await tx.rows(
        """SELECT variant, on_hand, value_e4, unit_cost_e4 FROM level WHERE location = $1 AND variant = ANY($2::uuid[])
           ORDER BY variant FOR NO KEY UPDATE""",
        location,
        sorted(set(variants)),
    )
    return {row["variant"]: (row["on_hand"], row["value_e4"], row["unit_cost_e4"]) for row in rows}


async def gone_back(reader: Reader, purchase: UUID) -> dict[UUID, int]:
    """How many units of a purchase order went back before, by variant."""
    rows = await reader.rows(
        """SELECT l.variant, sum(l.quantity)::bigint AS units FROM supplier_return r
           JOIN supplier_return_line l ON l.supplier_return = r.id WHERE r.purchase = $1 GROUP BY 1""",
        purchase,
    )
    return {row["variant"]: row["units"] for row in rows}


async def insert_credit(tx: Tx, credit: UUID, return_id: UUID, data: SupplierCreditInput) -> UUID | None:
    """Keep a credit note; the return that had it already, if one had."""
    is_new = await tx.execute(
        """INSERT INTO supplier_credit (id, supplier_return, amount, reference, actor) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (id) DO NOTHING""",
        credit,
        return_id,
        data.amount,
        data.reference,
        tx.actor.label,
    )
    if is_new:
        return None
    other: UUID = await tx.value("SELECT supplier_return FROM supplier_credit WHERE id = $1", credit)
    return other


async def add_credit(tx: Tx, return_id: UUID, amount: int) -> None:
    """So much more was credited; with all that was expected it is done."""
    await tx.execute(
        """UPDATE supplier_return SET credited = credited + $2, version = version + 1, updated_at = now(),
               status = CASE WHEN status = 'sent' AND credited + $2 >= expected THEN 'credited' ELSE status END
           WHERE id = $1""",
        return_id,
        amount,
    )


async def close(tx: Tx, return_id: UUID, note: str) -> None:
    """No more is to come."""
    await tx.execute(
        """UPDATE supplier_return SET status = 'closed', version = version + 1, updated_at = now(),
               note = left(concat_ws(' · ', nullif(note, ''), $2::text), 1000)
           WHERE id = $1""",
        return_id,
        note,
    )
