"""What stock is worth, and how it came to be: for those who may see costs."""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.stock.lists import NAMED, moment
from samlad.stock.model import Cause

_SKU = "v.sku = ANY({}::text[])"
_PLACE = "p.code = ANY({}::text[])"


class ValueRow(msgspec.Struct, frozen=True):
    """What a level is worth: ten-thousandths of a minor unit of ``currency``, of all its units and of each."""

    location: UUID
    location_code: str
    currency: str
    variant: UUID
    sku: str
    title: str
    on_hand: int
    value_e4: int
    unit_cost_e4: int


VALUES: Listing[ValueRow] = Listing(
    row=ValueRow,
    select="""l.location, p.code AS location_code, p.currency, l.variant, v.sku, product.title, l.on_hand, l.value_e4,
              l.unit_cost_e4""",
    source="""level l JOIN location p ON p.id = l.location JOIN variant v ON v.id = l.variant
              JOIN product ON product.id = v.product""",
    key="l.id",
    sorts={"sku": Sort("v.sku"), "value": Sort("l.value_e4", "bigint")},
    default_sort="-value",
    filters={
        "location": Filter(_PLACE, texts),
        "variant": Filter("l.variant = ANY({}::uuid[])", uuids),
        "sku": Filter(_SKU, texts),
    },
)


class CostRow(msgspec.Struct, frozen=True):
    """A line of the ledger with what it was worth, and what its level was worth after it."""

    id: UUID
    created_at: datetime
    location: UUID
    location_code: str
    currency: str
    variant: UUID
    sku: str
    cause: Cause
    reference: UUID | None
    quantity: int
    unit_cost_e4: int
    value_e4: int
    on_hand_after: int
    value_after_e4: int


COSTS: Listing[CostRow] = Listing(
    row=CostRow,
    select="""m.id, m.created_at, m.location, p.code AS location_code, p.currency, m.variant, v.sku, m.cause,
              m.reference, m.quantity, m.unit_cost_e4, m.value_e4, m.on_hand_after, m.value_after_e4""",
    source="movement m JOIN location p ON p.id = m.location JOIN variant v ON v.id = m.variant",
    key="m.id",
    sorts={"time": Sort("m.seq", "bigint")},
    default_sort="-time",
    filters={
        "location": Filter(_PLACE, texts),
        "variant": Filter(NAMED[0], uuids),
        "sku": Filter(NAMED[1], texts),
        "cause": Filter("m.cause = ANY({}::text[])", texts),
        "reference": Filter("m.reference = ANY({}::uuid[])", uuids),
        "since": Filter("m.created_at >= {}::timestamptz", moment),
        "until": Filter("m.created_at < {}::timestamptz", moment),
    },
)
