"""The lists of lots: what is where and until when it is good, and recalls."""

from datetime import date, datetime
from uuid import UUID

import msgspec

from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.stock.lots_model import LotState, Recall


class LotRow(msgspec.Struct, frozen=True):
    """Units of a lot at a location as lists show them. An empty ``code``: nobody knows which lot these are.

    ``days_left`` until the last good day, by the location's own today; negative: so long ago.
    """

    location: UUID
    location_code: str
    variant: UUID
    sku: str
    title: str
    lot: UUID
    code: str
    expires_on: date | None
    days_left: int | None
    state: LotState
    on_hand: int
    first_in: datetime
    recall: UUID | None
    version: int


_DAYS_LEFT = "(t.expires_on - (now() AT TIME ZONE p.time_zone)::date)"


def _whole(text: str) -> int:
    if not -100_000 <= int(text) <= 100_000:
        raise ValueError("a number of days")
    return int(text)


LOTS: Listing[LotRow] = Listing(
    row=LotRow,
    select=f"""s.location, p.code AS location_code, s.variant, v.sku, product.title, s.lot, t.code, t.expires_on,
               {_DAYS_LEFT} AS days_left, s.state, s.on_hand, s.first_in, t.recall, t.version""",
    source="""stock_lot s JOIN lot t ON t.id = s.lot JOIN location p ON p.id = s.location
              JOIN variant v ON v.id = s.variant JOIN product ON product.id = v.product WHERE s.on_hand > 0""",
    key="s.id",
    sorts={
        "expires_on": Sort("coalesce(t.expires_on, 'infinity')", "date"),
        "sku": Sort("v.sku"),
        "on_hand": Sort("s.on_hand", "int"),
        "first_in": Sort("s.first_in", "timestamptz"),
    },
    default_sort="expires_on",
    filters={
        "location": Filter("p.code = ANY({}::text[])", texts),
        "variant": Filter("s.variant = ANY({}::uuid[])", uuids),
        "sku": Filter("v.sku = ANY({}::text[])", texts),
        "lot": Filter("s.lot = ANY({}::uuid[])", uuids),
        "code": Filter("t.code = ANY({}::text[])", texts),
        "state": Filter("s.state = ANY({}::text[])", texts),
        "within_days": Filter(f"{_DAYS_LEFT} <= {{}}::int", _whole),
    },
)

RECALLS: Listing[Recall] = Listing(
    row=Recall,
    select="""r.id, r.lot, t.code AS lot_code, t.variant, v.sku, r.reason, r.actor, r.created_at, r.ended_at,
              r.ended_by""",
    source="stock_recall r JOIN lot t ON t.id = r.lot JOIN variant v ON v.id = t.variant",
    key="r.id",
    sorts={"created_at": Sort("r.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "lot": Filter("r.lot = ANY({}::uuid[])", uuids),
        "q": Filter(
            "starts_with(lower(v.sku), lower({0})) OR starts_with(lower(t.code), lower({0})) OR strpos(lower(r.reason), lower({0})) > 0",
            str.strip,
        ),
        "sku": Filter("v.sku = ANY({}::text[])", texts),
        "code": Filter("t.code = ANY({}::text[])", texts),
    },
)
