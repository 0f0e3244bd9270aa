"""Suppliers and purchase orders in the database."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.problems import NotFound
from samlad.stock.purchase_model import Purchase, PurchaseReceipt, PurchaseStatus, Supplier, WantedLine

_SUPPLIER = "id, code, name, email, lead_days, is_active, version"
_PURCHASE = """id, number, supplier, location, status, reference, note, currency, actor, version, created_at, updated_at,
               ordered_at"""
_LINES = """(SELECT coalesce(jsonb_agg(jsonb_build_object('variant', l.variant, 'quantity', l.quantity, 'received',
             l.received, 'received_e4', l.received_e4, 'unit_cost_e4', l.unit_cost_e4, 'expected_on', l.expected_on) ORDER BY l.variant), '[]')
             FROM purchase_order_line l WHERE l.purchase = purchase_order.id) AS lines"""


async def supplier(reader: Reader, supplier_id: UUID) -> Supplier:
    """A supplier. Raises NotFound."""
    found = await reader.one(Supplier, f"SELECT {_SUPPLIER} FROM supplier WHERE id = $1", supplier_id)
    if found is None:
        raise NotFound(f"There is no supplier {supplier_id}.")
    return found


async def supplier_by_code(reader: Reader, code: str) -> Supplier:
    """A supplier. Raises NotFound."""
    found = await reader.one(Supplier, f"SELECT {_SUPPLIER} FROM supplier WHERE code = $1", code)
    if found is None:
        raise NotFound(f"There is no supplier “{code}”.")
    return found


async def suppliers(reader: Reader) -> list[Supplier]:
    """All suppliers that are active, by name."""
    return await reader.all(Supplier, f"SELECT {_SUPPLIER} FROM supplier WHERE is_active ORDER BY name, code")


async def insert_supplier(
    tx: Tx, supplier_id: UUID, code: str, name: str, email: str, lead_days: int
) -> Supplier | None:
    """Insert a supplier; None when the code is taken."""
    return await tx.one(
        Supplier,
        f"""INSERT INTO supplier (id, code, name, email, lead_days) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (code) DO NOTHING RETURNING {_SUPPLIER}""",
        supplier_id,
        code,
        name,
        email,
        lead_days,
    )


async def update_supplier(
    tx: Tx, supplier_id: UUID, version: int, values: Mapping[str, Any]
) -> Supplier | None:
    """Set columns and count the version up; None when the version is not that any more."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 3))
    return await tx.one(
        Supplier,
        f"""UPDATE supplier SET {sets} version = version + 1, updated_at = now()
            WHERE id = $1 AND version = $2 RETURNING {_SUPPLIER}""",
        supplier_id,
        version,
        *values.values(),
    )


async def insert(
    tx: Tx, purchase: UUID, supplier_id: UUID, location: UUID, reference: str, note: str
) -> None:
    """A draft without lines."""
    await tx.execute(
        """INSERT INTO purchase_order (id, supplier, location, reference, note, actor, currency)
           SELECT $1, $2, id, $4, $5, $6, currency FROM location WHERE id = $3""",
        purchase,
        supplier_id,
        location,
        reference,
        note,
        tx.actor.label,
    )


async def put_lines(tx: Tx, purchase: UUID, lines: Sequence[WantedLine]) -> None:
    """Replace the lines."""
    await tx.execute("DELETE FROM purchase_order_line WHERE purchase = $1", purchase)
    await tx.execute(
        """INSERT INTO purchase_order_line (purchase, variant, quantity, unit_cost_e4, expected_on)
           SELECT $1, t.variant, t.quantity, t.cost, t.expected_on
           FROM unnest($2::uuid[], $3::int[], $4::bigint[], $5::date[]) AS t (variant, quantity, cost, expected_on)""",
        purchase,
        [line.variant for line in lines],
        [line.quantity for line in lines],
        [line.unit_cost_e4 for line in lines],
        [line.expected_on for line in lines],
    )


async def get(reader: Reader, purchase: UUID) -> Purchase:
    """A purchase order with its lines. Raises NotFound."""
    found = await reader.one(
        Purchase, f"SELECT {_PURCHASE}, {_LINES} FROM purchase_order WHERE id = $1", purchase
    )
    if found is None:
        raise NotFound(f"There is no purchase order {purchase}.")
    return found


async def lock(tx: Tx, purchase: UUID) -> Purchase:
    """As `get`, and nobody else changes it until the commit."""
    await tx.execute("SELECT FROM purchase_order WHERE id = $1 FOR UPDATE", purchase)
    return await get(tx, purchase)


async def update(tx: Tx, purchase: UUID, values: Mapping[str, Any]) -> Purchase:
    """Set columns and count the version up."""
    sets = "".join(f"{name} = ${number}, " for number, name in enumerate(values, 2))
    found = await tx.one(
        Purchase,
        f"""UPDATE purchase_order SET {sets} version = version + 1, updated_at = now() WHERE id = $1
            RETURNING {_PURCHASE}, {_LINES}""",
        purchase,
        *values.values(),
    )
    assert found is not None
    return found


async def set_status(tx: Tx, purchase: UUID, status: PurchaseStatus) -> Purchase:
    """Change the status; an order remembers when it was made."""
    return await update(tx, purchase, {"status": status})


async def note_ordered(tx: Tx, purchase: UUID, lead_days: int) -> None:
    """Lines without a day are expected after the supplier's lead time, by the location's calendar."""
    await tx.execute(
        """UPDATE purchase_order_line l SET expected_on = (now() AT TIME ZONE p.time_zone)::date + $2::int
           FROM purchase_order o JOIN location p ON p.id = o.location
           WHERE o.id = $1 AND l.purchase = o.id AND l.expected_on IS NULL""",
        purchase,
        lead_days,
    )
    await tx.execute("UPDATE purchase_order SET ordered_at = now() WHERE id = $1", purchase)


async def reschedule(tx: Tx, purchase: UUID, days: Sequence[tuple[UUID, date | None]]) -> int:
    """Set when lines are expected; how many there were."""
    return await tx.execute(
        """UPDATE purchase_order_line l SET expected_on = t.expected_on
           FROM unnest($2::uuid[], $3::date[]) AS t (variant, expected_on)
           WHERE l.purchase = $1 AND l.variant = t.variant""",
        purchase,
        [variant for variant, _ in days],
        [day for _, day in days],
    )


async def note_received(tx: Tx, purchase: UUID, lines: Sequence[tuple[UUID, int, int]]) -> None:
    """Add to what was received: (variant, units, cost of one) each."""
    await tx.execute(
        """UPDATE purchase_order_line l SET received = l.received + t.quantity,
                  received_e4 = l.received_e4 + t.quantity * t.cost
           FROM unnest($2::uuid[], $3::int[], $4::bigint[]) AS t (variant, quantity, cost)
           WHERE l.purchase = $1 AND l.variant = t.variant""",
        purchase,
        [variant for variant, _, _ in lines],
        [quantity for _, quantity, _ in lines],
        [cost for _, _, cost in lines],
    )


async def insert_receipt(tx: Tx, receipt: UUID, purchase: UUID, note: str) -> UUID | None:
    """Note a delivery; the purchase order that had it already, if one had."""
    is_new = await tx.execute(
        """INSERT INTO purchase_receipt (id, purchase, note, actor) VALUES ($1, $2, $3, $4)
           ON CONFLICT (id) DO NOTHING""",
        receipt,
        purchase,
        note,
        tx.actor.label,
    )
    if is_new:
        return None
    other: UUID = await tx.value("SELECT purchase FROM purchase_receipt WHERE id = $1", receipt)
    return other


async def receipts(reader: Reader, purchase: UUID) -> list[PurchaseReceipt]:
    """What was delivered when, the oldest first."""
    return await reader.all(
        PurchaseReceipt,
        """SELECT r.id, r.note, r.actor, r.created_at,
                  coalesce((SELECT sum(m.quantity) FROM movement m WHERE m.reference = r.id), 0)::bigint AS units
           FROM purchase_receipt r WHERE r.purchase = $1 ORDER BY r.created_at, r.id""",
        purchase,
    )
