"""The lists of stock: levels, movements, holds, locations, counts, transfers."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.catalog import Tracking
from samlad.kernel.listing import Filter, Listing, Sort, anywhere, texts, uuids
from samlad.stock.model import Cause, CountStatus, HoldKind, LocationKind, TransferStatus

_SKU = "v.sku = ANY({}::text[])"
_CALLED = """NOT EXISTS (SELECT FROM unnest(({0}::text[])[2:]) word
                 WHERE strpos(lower(concat_ws(' ', v.sku, product.title, v.option_text)), word) = 0)"""
# By the longest word each part of a name is looked up by its index; then all words are looked for.
_CALLED_BY_INDEX = f"""
    SELECT l.id FROM (SELECT id FROM variant WHERE lower(sku) LIKE ({{0}}::text[])[1]
                      UNION ALL SELECT id FROM variant WHERE lower(option_text) LIKE ({{0}}::text[])[1]
                      UNION ALL SELECT n.id FROM variant n JOIN product ON product.id = n.product
                            WHERE lower(product.title) LIKE ({{0}}::text[])[1]) AS named
    JOIN level l ON l.variant = named.id JOIN variant v ON v.id = named.id JOIN product ON product.id = v.product
    WHERE {_CALLED}"""
NAMED = (
    "m.variant IN (SELECT variant_names(a) FROM unnest({}::uuid[]) AS a)",
    "m.variant IN (SELECT variant_names(a.id) FROM variant a WHERE a.sku = ANY({}::text[]))",
)
"""Movements of variants, by id and by SKU, under all names that those have had while catalogues were joined."""
_PLACE = "p.code = ANY({}::text[])"
_HAS_LINE = (
    """{of}.id IN (SELECT n.{key} FROM {table} n JOIN variant v ON v.id = n.variant WHERE v.sku = {{0}})"""
)
"""Whether a list has a line of an SKU."""
_FREE = "l.on_hand - l.expired - l.expiring - l.blocked - l.held"


def moment(text: str) -> datetime:
    """An ISO 8601 moment, UTC when it names no zone; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if not 1900 <= moment.year <= 2200:
        raise ValueError("a year between 1900 and 2200")
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class LocationRow(msgspec.Struct, frozen=True):
    """A location as lists show it: the store channel by its code, units over all variants."""

    id: UUID
    code: str
    name: str
    kind: LocationKind
    pool: UUID
    channel: str | None
    address: dict[str, Any]
    latitude: float | None
    longitude: float | None
    time_zone: str
    priority: int
    is_active: bool
    version: int
    buffer: int


LOCATIONS: Listing[LocationRow] = Listing(
    row=LocationRow,
    select="""p.id, p.code, p.name, p.kind, p.pool, c.code AS channel, p.address, p.latitude, p.longitude, p.time_zone,
              p.priority, p.is_active, p.version, p.buffer""",
    source="location p LEFT JOIN channel c ON c.id = p.channel",
    key="p.id",
    sorts={"code": Sort("p.code"), "name": Sort("p.name"), "priority": Sort("p.priority", "int")},
    default_sort="priority",
    filters={
        "code": Filter(_PLACE, texts),
        "kind": Filter("p.kind = ANY({}::text[])", texts),
        "q": Filter("strpos(lower(p.code || ' ' || p.name), lower({})) > 0", str.strip),
        "channel": Filter("c.code = ANY({}::text[])", texts),
        "pool": Filter("p.pool = ANY({}::uuid[])", uuids),
    },
)


class LevelRow(msgspec.Struct, frozen=True):
    """A level as lists show it. ``available`` is on hand minus held, and minus what has expired, will soon, or is blocked;
    negative: units owed to backorders.
    """

    location: UUID
    location_code: str
    variant: UUID
    sku: str
    title: str
    options: str
    on_hand: int
    held: int
    available: int
    expired: int
    expiring: int
    blocked: int
    backorder_limit: int
    low_at: int
    incoming: int
    sells_incoming: bool
    backorder_on: date | None
    reorder_point: int | None
    reorder_quantity: int | None
    tracking: Tracking
    updated_at: datetime


def _words(text: str) -> list[str]:
    """The words of a name, before them the pattern of the longest, which is looked up."""
    words = sorted(text.lower().split(), key=len, reverse=True) or [""]
    return [anywhere(words[0]), *words]


def _state(text: str) -> str:
    if text not in ("low", "out", "in"):
        raise ValueError("one of in, low, out")
    return text


LEVELS: Listing[LevelRow] = Listing(
    row=LevelRow,
    select=f"""l.location, p.code AS location_code, l.variant, v.sku, product.title, v.option_text AS options, l.on_hand,
              l.held, {_FREE} AS available, l.expired, l.expiring, l.blocked, l.backorder_limit, l.low_at, l.incoming,
              l.sells_incoming, l.backorder_on, l.reorder_point, l.reorder_quantity, l.tracking, l.updated_at""",
    source="""level l JOIN location p ON p.id = l.location JOIN variant v ON v.id = l.variant
              JOIN product ON product.id = v.product""",
    key="l.id",
    sorts={
        "sku": Sort("v.sku"),
        "available": Sort(f"({_FREE})", "int"),
        "on_hand": Sort("l.on_hand", "int"),
        "updated_at": Sort("l.updated_at", "timestamptz"),
    },
    default_sort="sku",
    filters={
        "location": Filter(
            _PLACE,
            texts,
            one="l.location = (SELECT one.id FROM location one WHERE one.code = ({}::text[])[1])",
        ),
        "pool": Filter("p.pool = ANY({}::uuid[])", uuids),
        "variant": Filter("l.variant = ANY({}::uuid[])", uuids),
        "sku": Filter(_SKU, texts),
        "q": Filter(_CALLED, _words, few=_CALLED_BY_INDEX),
        "state": Filter(
            f"""CASE WHEN {_FREE} <= 0 THEN 'out' WHEN {_FREE} <= l.low_at THEN 'low'
                ELSE 'in' END = {{}}::text""",
            _state,
        ),
    },
)


class MovementRow(msgspec.Struct, frozen=True):
    """A line of the ledger as lists show it."""

    id: UUID
    created_at: datetime
    location: UUID
    location_code: str
    variant: UUID
    sku: str
    quantity: int
    lot: UUID | None
    lot_code: str | None
    on_hand_after: int
    cause: Cause
    reference: UUID | None
    reason: str
    actor: str
    event: UUID | None


MOVEMENTS: Listing[MovementRow] = Listing(
    row=MovementRow,
    select="""m.id, m.created_at, m.location, p.code AS location_code, m.variant, v.sku, m.quantity, m.lot, t.code AS lot_code,
              m.on_hand_after, m.cause, m.reference, m.reason, m.actor, m.event""",
    source="""movement m JOIN location p ON p.id = m.location JOIN variant v ON v.id = m.variant
              LEFT JOIN lot t ON t.id = m.lot""",
    key="m.id",
    sorts={"time": Sort("m.seq", "bigint")},
    default_sort="-time",
    filters={
        "location": Filter(_PLACE, texts),
        "variant": Filter(NAMED[0], uuids),
        "sku": Filter(NAMED[1], texts),
        "cause": Filter("m.cause = ANY({}::text[])", texts),
        "reference": Filter("m.reference = ANY({}::uuid[])", uuids),
        "lot": Filter("m.lot = ANY({}::uuid[])", uuids),
        "since": Filter("m.created_at >= {}::timestamptz", moment),
        "until": Filter("m.created_at < {}::timestamptz", moment),
    },
)


class HoldRow(msgspec.Struct, frozen=True):
    """A hold as lists show it."""

    id: UUID
    created_at: datetime
    location: UUID
    location_code: str
    variant: UUID
    sku: str
    quantity: int
    kind: HoldKind
    owner: UUID
    channel: str | None
    expires_at: datetime | None


HOLDS: Listing[HoldRow] = Listing(
    row=HoldRow,
    select="""h.id, h.created_at, h.location, p.code AS location_code, h.variant, v.sku, h.quantity, h.kind, h.owner,
              c.code AS channel, h.expires_at""",
    source="""hold h JOIN location p ON p.id = h.location JOIN variant v ON v.id = h.variant
              LEFT JOIN channel c ON c.id = h.channel""",
    key="h.id",
    sorts={
        "created_at": Sort("h.created_at", "timestamptz"),
        "expires_at": Sort("coalesce(h.expires_at, 'infinity')", "timestamptz"),
    },
    default_sort="-created_at",
    filters={
        "location": Filter(_PLACE, texts),
        "variant": Filter("h.variant = ANY({}::uuid[])", uuids),
        "sku": Filter(_SKU, texts),
        "kind": Filter("h.kind = ANY({}::text[])", texts),
        "owner": Filter("h.owner = ANY({}::uuid[])", uuids),
    },
)


class CountRow(msgspec.Struct, frozen=True):
    """A count as lists show it: how many lines it has and by how many units they differ in all (blind: null)."""

    id: UUID
    location: UUID
    location_code: str
    status: CountStatus
    note: str
    lines: int
    difference: int | None
    is_blind: bool
    created_at: datetime
    closed_at: datetime | None


COUNTS: Listing[CountRow] = Listing(
    row=CountRow,
    select="""s.id, s.location, p.code AS location_code, s.status, s.note, sums.lines,
              CASE WHEN NOT s.is_blind OR s.status NOT IN ('open', 'submitted') THEN sums.difference END AS difference, s.is_blind, s.created_at,
              s.closed_at""",
    source="""stock_count s JOIN location p ON p.id = s.location
              LEFT JOIN LATERAL (SELECT count(l.variant)::int AS lines,
                                        coalesce(sum(l.counted - l.expected), 0)::bigint AS difference
                                 FROM (SELECT s.id) one JOIN stock_count_line l ON l.count = one.id) sums ON true""",
    key="s.id",
    sorts={"created_at": Sort("s.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "location": Filter(_PLACE, texts),
        "status": Filter("s.status = ANY({}::text[])", texts),
        "q": Filter(
            f"strpos(lower(s.note), lower({{0}})) > 0 OR {_HAS_LINE.format(table='stock_count_line', key='count', of='s')}",
            str.strip,
        ),
    },
)


class TransferRow(msgspec.Struct, frozen=True):
    """A transfer as lists show it: units sent, received and lost over all lines."""

    id: UUID
    origin: UUID
    origin_code: str
    destination: UUID
    destination_code: str
    status: TransferStatus
    note: str
    units: int
    received: int
    lost: int
    expected_on: date | None
    created_at: datetime
    updated_at: datetime


TRANSFERS: Listing[TransferRow] = Listing(
    row=TransferRow,
    select="""t.id, t.origin, a.code AS origin_code, t.destination, b.code AS destination_code, t.status, t.note,
              sums.units, sums.received, sums.lost, t.expected_on, t.created_at, t.updated_at""",
    source="""stock_transfer t JOIN location a ON a.id = t.origin JOIN location b ON b.id = t.destination
              LEFT JOIN LATERAL (SELECT coalesce(sum(l.quantity), 0)::int AS units,
                                        coalesce(sum(l.received), 0)::int AS received,
                                        coalesce(sum(l.lost), 0)::int AS lost
                                 FROM (SELECT t.id) one JOIN stock_transfer_line l ON l.transfer = one.id) sums
              ON true""",
    key="t.id",
    sorts={"created_at": Sort("t.created_at", "timestamptz")},
    default_sort="-created_at",
    filters={
        "origin": Filter("a.code = ANY({}::text[])", texts),
        "destination": Filter("b.code = ANY({}::text[])", texts),
        "status": Filter("t.status = ANY({}::text[])", texts),
        "q": Filter(
            f"strpos(lower(t.note), lower({{0}})) > 0 OR {_HAS_LINE.format(table='stock_transfer_line', key='transfer', of='t')}",
            str.strip,
        ),
    },
)
