"""Goods that are put aside, in the database."""

from collections.abc import Sequence
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.kernel.problems import NotFound
from samlad.stock.model import Moved
from samlad.stock.quarantine_model import Quarantine, Verdict
from samlad.stock.reach import stands_at

_COLUMNS = """q.id, q.location, p.code AS location_code, q.variant, v.sku, product.title, q.lot, t.code AS lot_code,
              q.quantity, q.units_left, q.value_e4, q.reason, q.reference, q.order_id, q.actor, q.version, q.created_at"""
_SOURCE = """stock_quarantine q JOIN location p ON p.id = q.location JOIN variant v ON v.id = q.variant
             JOIN product ON product.id = v.product LEFT JOIN lot t ON t.id = q.lot"""


def _state(text: str) -> bool:
    if text not in ("open", "done"):
        raise ValueError("open or done")
    return text == "open"


QUARANTINE: Listing[Quarantine] = Listing(
    row=Quarantine,
    select=_COLUMNS,
    source=_SOURCE,
    key="q.id",
    sorts={"created_at": Sort("q.created_at", "timestamptz"), "sku": Sort("v.sku")},
    default_sort="created_at",
    filters={
        "location": Filter("p.code = ANY({}::text[])", texts),
        "variant": Filter("q.variant = ANY({}::uuid[])", uuids),
        "sku": Filter("v.sku = ANY({}::text[])", texts),
        "lot": Filter("q.lot = ANY({}::uuid[])", uuids),
        "reference": Filter("q.reference = ANY({}::uuid[])", uuids),
        "order": Filter("q.order_id = ANY({}::uuid[])", uuids),
        "state": Filter("(q.units_left > 0) = {}::bool", _state),
    },
)


async def insert(
    tx: Tx, rows: Sequence[tuple[UUID, Moved, int, str]], reference: UUID, order: UUID | None
) -> None:
    """Units that left their level: (id, movement, value, reason) each."""
    await tx.execute(
        """INSERT INTO stock_quarantine (id, location, variant, lot, quantity, units_left, value_e4, reason, reference,
                                         order_id, actor)
           SELECT n.id, n.location, n.variant, n.lot, n.quantity, n.quantity, n.value, n.reason, $8, $9, $10
           FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::int[], $6::bigint[], $7::text[])
                AS n (id, location, variant, lot, quantity, value, reason)""",
        [one for one, _, _, _ in rows],
        [moved.location for _, moved, _, _ in rows],
        [moved.variant for _, moved, _, _ in rows],
        [moved.lot for _, moved, _, _ in rows],
        [-moved.quantity for _, moved, _, _ in rows],
        [value for _, _, value, _ in rows],
        [reason for _, _, _, reason in rows],
        reference,
        order,
        tx.actor.label,
    )


async def get(reader: Reader, quarantine: UUID) -> Quarantine:
    """Goods that were put aside. Raises NotFound."""
    found = await reader.one(Quarantine, f"SELECT {_COLUMNS} FROM {_SOURCE} WHERE q.id = $1", quarantine)
    if found is None:
        raise NotFound(f"Nothing was put aside as {quarantine}.")
    return found


async def lock(tx: Tx, quarantine: UUID) -> Quarantine:
    """As `get`, and nobody else decides about it until the commit."""
    await tx.execute("SELECT FROM stock_quarantine WHERE id = $1 FOR UPDATE", quarantine)
    return await get(tx, quarantine)


async def act(reader: Reader, act_id: UUID) -> UUID | None:
    """What a verdict was about, if it was given."""
    found: UUID | None = await reader.value(
        "SELECT quarantine FROM stock_quarantine_act WHERE id = $1", act_id
    )
    return found


async def take(tx: Tx, quarantine: UUID, units: int, value: int) -> None:
    """So many fewer are left, and worth so much less."""
    await tx.execute(
        """UPDATE stock_quarantine SET units_left = units_left - $2, value_e4 = value_e4 - $3, version = version + 1
           WHERE id = $1""",
        quarantine,
        units,
        value,
    )


async def note(
    tx: Tx, act_id: UUID, quarantine: UUID, verdict: Verdict, units: int, supplier: UUID | None, text: str
) -> None:
    """Keep a verdict."""
    await tx.execute(
        """INSERT INTO stock_quarantine_act (id, quarantine, verb, quantity, supplier, note, actor)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        act_id,
        quarantine,
        verdict,
        units,
        supplier,
        text,
        tx.actor.label,
    )


stands_at(("quarantine_id",), "SELECT location FROM stock_quarantine WHERE id = $1")
