"""The lists of buying: suppliers and purchase orders."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.kernel.listing import Filter, Listing, Sort, texts
from samlad.stock.purchase_model import PurchaseStatus


class SupplierRow(msgspec.Struct, frozen=True):
    """A supplier as lists show it."""

    id: UUID
    code: str
    name: str
    email: str
    lead_days: int
    is_active: bool
    version: int


SUPPLIERS: Listing[SupplierRow] = Listing(
    row=SupplierRow,
    select="s.id, s.code, s.name, s.email, s.lead_days, s.is_active, s.version",
    source="supplier s",
    key="s.id",
    sorts={"code": Sort("s.code"), "name": Sort("s.name")},
    default_sort="name",
    filters={"code": Filter("s.code = ANY({}::text[])", texts)},
)


class PurchaseRow(msgspec.Struct, frozen=True):
    """A purchase order as lists show it: units ordered and received, the next day on which something is to come."""

    id: UUID
    number: int
    supplier: UUID
    supplier_code: str
    supplier_name: str
    location: UUID
    location_code: str
    status: PurchaseStatus
    reference: str
    units: int
    received: int
    expected_on: date | None
    created_at: datetime
    ordered_at: datetime | None


PURCHASES: Listing[PurchaseRow] = Listing(
    row=PurchaseRow,
    select="""o.id, o.number, o.supplier, s.code AS supplier_code, s.name AS supplier_name, o.location,
              p.code AS location_code, o.status, o.reference, sums.units, sums.received, sums.expected_on, o.created_at,
              o.ordered_at""",
    source="""purchase_order o JOIN supplier s ON s.id = o.supplier JOIN location p ON p.id = o.location
              LEFT JOIN LATERAL (SELECT coalesce(sum(l.quantity), 0)::bigint AS units,
                                        coalesce(sum(l.received), 0)::bigint AS received,
                                        min(l.expected_on) FILTER (WHERE l.received < l.quantity) AS expected_on
                                 FROM (SELECT o.id) one JOIN purchase_order_line l ON l.purchase = one.id) sums
              ON true""",
    key="o.id",
    sorts={"created_at": Sort("o.created_at", "timestamptz"), "number": Sort("o.number", "bigint")},
    default_sort="-created_at",
    filters={
        "supplier": Filter("s.code = ANY({}::text[])", texts),
        "location": Filter("p.code = ANY({}::text[])", texts),
        "status": Filter("o.status = ANY({}::text[])", texts),
        "q": Filter(
            """o.number::text = {0} OR strpos(lower(o.reference || ' ' || o.note), lower({0})) > 0 OR o.id IN (
                   SELECT n.purchase FROM purchase_order_line n JOIN variant v ON v.id = n.variant WHERE v.sku = {0})""",
            str.strip,
        ),
    },
)
