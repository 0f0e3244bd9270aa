"""SQL of what is read of profiles, and of what was said of customers."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.customers import Customer
from samlad.identity.model import AuthLevel, DeviceClass, Kind
from samlad.identity.views import ChangeRow, ConflictRow, CutRow, DecisionRow, FieldValue
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids

MOST_EVIDENCE = 500
"""Sightings that a profile shows, the newest first."""


class Identified(msgspec.Struct, frozen=True):
    """An identifier of a profile."""

    id: UUID
    pool: UUID
    profile: UUID
    kind: Kind
    value: str
    state: str
    fan_out: int | None
    is_known: bool


async def identifiers_of(reader: Reader, any_id: UUID) -> list[Identified]:
    """All identifiers of the profile that an id belongs to now, moments at shared devices among them."""
    return await reader.all(
        Identified,
        """
        WITH one AS (SELECT coalesce(p.profile, n.profile) AS profile
                     FROM identity_node n LEFT JOIN identity_node p ON p.id = n.person WHERE n.id = $1),
             people AS (SELECT n.* FROM identity_node n JOIN one USING (profile) WHERE n.person IS NULL)
        SELECT id, pool, profile, kind, value, state, fan_out, is_known FROM people
        UNION ALL
        SELECT n.id, n.pool, (SELECT profile FROM one), n.kind, n.value, n.state, n.fan_out, n.is_known
        FROM identity_node n WHERE n.person IN (SELECT id FROM people)
        ORDER BY kind, value
        """,
        any_id,
    )


class SightingRow(msgspec.Struct, frozen=True):
    """A sighting for people to read."""

    id: UUID
    source: str
    channel: UUID | None
    device_class: DeviceClass
    auth: AuthLevel
    nodes: list[UUID]
    first_seen: datetime
    last_seen: datetime


async def evidence_of(reader: Reader, nodes: Sequence[UUID]) -> list[SightingRow]:
    """Where these identifiers were seen, the newest first, as far as is worth showing."""
    return await reader.all(
        SightingRow,
        """SELECT id, source, channel, device_class, auth, nodes, first_seen, last_seen FROM identity_sighting
           WHERE id IN (SELECT sighting FROM identity_sighting_node WHERE node = ANY($1))
           ORDER BY last_seen DESC, id LIMIT $2""",
        list(nodes),
        MOST_EVIDENCE,
    )


async def add_values(tx: Tx, values: Sequence[FieldValue]) -> None:
    """Keep what was said of customers; told twice it is kept once."""
    if not values:
        return
    columns = [[getattr(value, name) for value in values] for name in FieldValue.__struct_fields__]
    await tx.execute(
        """
        INSERT INTO identity_value (customer, field, value, source, event_id, channel, observed_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::timestamptz[])
        ON CONFLICT DO NOTHING
        """,
        *columns,
    )


async def values_of(reader: Reader, rows: Sequence[UUID]) -> list[FieldValue]:
    """What was ever said of these customers."""
    return await reader.all(
        FieldValue,
        """SELECT customer, field, value, source, event_id, channel, observed_at FROM identity_value
           WHERE customer = ANY($1)""",
        list(rows),
    )


async def unseen(reader: Reader, pool: UUID, limit: int) -> list[Customer]:
    """Customers of a pool whose identifiers are not known here yet."""
    return await reader.all(
        Customer,
        """SELECT c.id, c.pool, c.external_id, c.email, c.name, c.phone, c.country, c.locale, c.group_name, c.version,
                  c.created_at, c.updated_at
           FROM customer c WHERE c.pool = $1 AND NOT EXISTS (SELECT FROM identity_node n WHERE n.id = c.id)
           ORDER BY c.id LIMIT $2""",
        pool,
        limit,
    )


_PROFILES = "(SELECT profile FROM identity_node WHERE id = ANY({0}::uuid[]))"
"""SQL: the profiles of now, by any id that they have or had."""

CHANGES = Listing(
    row=ChangeRow,
    select="h.id, h.at, h.kind, h.profile, h.others, h.cause, h.evidence, h.pin AS decision, h.actor",
    source="identity_change h",
    key="h.id",
    sorts={"at": Sort("h.at", "timestamptz")},
    default_sort="-at",
    filters={
        "kind": Filter("h.kind = ANY({})", texts),
        "cause": Filter("h.cause = ANY({})", texts),
        "pool": Filter("h.pool = ANY({}::uuid[])", uuids),
    },
)
"""What became one and what came apart."""

CHANGES_OF = Listing(
    row=CHANGES.row,
    select=CHANGES.select,
    source="""identity_change h WHERE (h.profile = ANY($1) OR h.others && $1)""",
    key=CHANGES.key,
    sorts=CHANGES.sorts,
    default_sort=CHANGES.default_sort,
    filters=CHANGES.filters,
)
"""The same of one profile: the scope is every id that it has."""

DECISIONS = Listing(
    row=DecisionRow,
    select="""d.id, d.kind, d.left_nodes AS left, d.right_nodes AS right, d.reason, d.actor, d.made_at,
              d.retracted_at, d.retracted_by, d.retracted_why""",
    source="identity_pin d",
    key="d.id",
    sorts={"made_at": Sort("d.made_at", "timestamptz")},
    default_sort="-made_at",
    filters={
        "kind": Filter("d.kind = ANY({})", texts),
        "pool": Filter("d.pool = ANY({}::uuid[])", uuids),
        "profile": Filter(
            f"""d.id IN (SELECT pin FROM identity_pin_node p JOIN identity_node n ON n.id = p.node
                         WHERE n.profile IN {_PROFILES})""",
            uuids,
        ),
    },
)
"""What people decided, taken back or not."""

CONFLICTS = Listing(
    row=ConflictRow,
    select="""c.id, c.reason, c.status, l.id AS left_id, l.kind AS left_kind, l.value AS left_value,
              l.profile AS left_profile, r.id AS right_id, r.kind AS right_kind, r.value AS right_value,
              r.profile AS right_profile, c.evidence, c.first_at""",
    source="""identity_conflict c JOIN identity_node l ON l.id = c.left_node
              JOIN identity_node r ON r.id = c.right_node WHERE true""",
    key="c.id",
    sorts={"first_at": Sort("c.first_at", "timestamptz")},
    default_sort="-first_at",
    filters={
        "status": Filter("c.status = ANY({})", texts),
        "reason": Filter("c.reason = ANY({})", texts),
        "pool": Filter("c.pool = ANY({}::uuid[])", uuids),
        "profile": Filter(f"(l.profile IN {_PROFILES} OR r.profile IN {_PROFILES})", uuids),
    },
)
"""Links that were left out."""

QUARANTINE = Listing(
    row=CutRow,
    select="n.id, n.kind, n.value, n.state, n.fan_out, n.changed_at",
    source="identity_node n WHERE n.state <> 'live'",
    key="n.id",
    sorts={
        "changed_at": Sort("n.changed_at", "timestamptz"),
        "fan_out": Sort("coalesce(n.fan_out, 0)", "int"),
    },
    default_sort="-changed_at",
    filters={
        "state": Filter("n.state = ANY({})", texts),
        "kind": Filter("n.kind = ANY({})", texts),
        "pool": Filter("n.pool = ANY({}::uuid[])", uuids),
    },
)
"""Identifiers that link nobody."""
