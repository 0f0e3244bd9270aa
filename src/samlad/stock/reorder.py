"""What runs low and is to be bought again: a list, and a proposal that becomes a draft purchase order."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.kernel.problems import Conflict
from samlad.stock import purchases
from samlad.stock.permissions import PURCHASE
from samlad.stock.purchase_model import Purchase, Supplier, WantedLine

MOST_LINES = 1000
"""Lines of one proposal; what is more comes with the next."""

# Whose goods they are: what the product says, else whoever brought them last.
_SUPPLIER = """coalesce(
    (SELECT s.code FROM supplier s WHERE product.supplier IN (s.code, s.name) ORDER BY s.code LIMIT 1),
    (SELECT s.code FROM purchase_order_line d JOIN purchase_order o ON o.id = d.purchase
     JOIN supplier s ON s.id = o.supplier
     WHERE d.variant = r.variant AND o.status <> 'cancelled' ORDER BY o.created_at DESC, o.id LIMIT 1))"""


class ReorderRow(msgspec.Struct, frozen=True):
    """What is to be bought again: ``projected`` units (free and expected) are at or below the reorder point.

    ``wanted`` units are to be bought, ``drafted`` ones are on drafts already. ``supplier`` is a code, if one is known.
    """

    location: UUID
    location_code: str
    variant: UUID
    sku: str
    title: str
    on_hand: int
    held: int
    incoming: int
    projected: int
    reorder_point: int
    wanted: int
    drafted: int
    supplier: str | None


REORDER: Listing[ReorderRow] = Listing(
    row=ReorderRow,
    select=f"""r.location, p.code AS location_code, r.variant, v.sku, product.title, r.on_hand, r.held, r.incoming,
               r.projected, r.reorder_point, r.wanted, r.drafted, {_SUPPLIER} AS supplier""",
    source="""stock_reorder r JOIN location p ON p.id = r.location JOIN variant v ON v.id = r.variant
              JOIN product ON product.id = v.product""",
    key="r.id",
    sorts={"sku": Sort("v.sku"), "projected": Sort("r.projected", "bigint")},
    default_sort="projected",
    filters={
        "q": Filter(
            "starts_with(lower(v.sku), lower({0})) OR product.title ILIKE '%' || {0} || '%'", str.strip
        ),
        "location": Filter("p.code = ANY({}::text[])", texts),
        "supplier": Filter(f"{_SUPPLIER} = ANY({{}}::text[])", texts),
    },
)


async def propose(tx: Tx, supplier: Supplier, location: UUID) -> Purchase:
    """Draft a purchase order of everything that is to be bought again from a supplier for a location.

    What is on another draft already is left out, so asking twice, even at once, does not buy twice. Units cost what this
    supplier took last, else what those of the level cost.

    Raises:
        Conflict: there is nothing to buy, or the supplier is not active.
    """
    tx.actor.require(PURCHASE, location=location)
    await tx.execute("SELECT FROM supplier WHERE id = $1 FOR UPDATE", supplier.id)
    lines = await _wanted(tx, supplier, location)
    if not lines:
        raise Conflict("Nothing is to be bought again from this supplier for this location.")
    return await purchases.draft(tx, supplier, location, lines)


async def _wanted(reader: Reader, supplier: Supplier, location: UUID) -> Sequence[WantedLine]:
    return await reader.all(
        WantedLine,
        f"""SELECT r.variant, r.wanted AS quantity, coalesce(
                (SELECT CASE WHEN d.received > 0 THEN round(d.received_e4::numeric / d.received)::bigint ELSE d.unit_cost_e4 END
                 FROM purchase_order_line d JOIN purchase_order o ON o.id = d.purchase
                 WHERE d.variant = r.variant AND o.supplier = $2 AND o.status <> 'cancelled'
                 ORDER BY o.created_at DESC, o.id LIMIT 1), l.unit_cost_e4) AS unit_cost_e4
            FROM stock_reorder r JOIN level l ON l.location = r.location AND l.variant = r.variant
            JOIN variant v ON v.id = r.variant AND v.status = 'active' JOIN product ON product.id = v.product
            WHERE r.location = $1 AND r.drafted = 0 AND {_SUPPLIER} = $3
            ORDER BY r.projected, r.variant LIMIT {MOST_LINES}""",
        location,
        supplier.id,
        supplier.code,
    )
