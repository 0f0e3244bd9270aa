"""SQL of the tables ``segment``, ``segment_version`` and ``segment_listed``, and the lists of what is in the others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from samlad.audiences.conditions import Condition
from samlad.audiences.model import (
    ChangeRow,
    MemberRow,
    OfPerson,
    Overlap,
    Segment,
    SegmentKind,
    SegmentRow,
    SegmentVersion,
    SizeOn,
)
from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, anywhere_lowered, texts, uuids

_COLUMNS = """id, pool, kind, name, note, channel, time_zone, definition, version, built_version, built_at, size, trouble,
              deleted_at, created_at, updated_at"""


LISTING = Listing(
    row=SegmentRow,
    select="id, pool, kind, name, note, size, version, built_version, built_at, trouble, updated_at",
    source="segment WHERE deleted_at IS NULL",
    key="id",
    sorts={
        "name": Sort("lower(name)"),
        "size": Sort("size", "int"),
        "updated_at": Sort("updated_at", "timestamptz"),
    },
    default_sort="name",
    filters={
        "q": Filter("lower(name || ' ' || note) LIKE {}", anywhere_lowered),
        "kind": Filter("kind = ANY({}::text[])", texts),
        "pool": Filter("pool = ANY({}::uuid[])", uuids),
    },
)
"""All segments by name."""

MEMBERS = Listing(
    row=MemberRow,
    select="""c.id, c.external_id, c.name, c.email, c.phone, c.country, coalesce(s.orders, 0) AS orders,
              coalesce(s.spent, '{}') AS spent, s.last_order_at, m.entered_at""",
    source="""segment_member m JOIN customer c ON c.id = m.person LEFT JOIN LATERAL (
                  SELECT sum(orders)::int AS orders, jsonb_object_agg(currency, spent) AS spent,
                         max(last_order_at) AS last_order_at
                  FROM (SELECT currency, sum(orders) AS orders, sum(spent) AS spent, max(last_order_at) AS last_order_at
                        FROM (SELECT c.id AS member UNION ALL SELECT o.id FROM customer o WHERE o.survivor = c.id) AS same
                             JOIN customer_spend ON customer = member GROUP BY currency) AS sums) s ON true
              WHERE m.segment = $1""",
    key="c.id",
    sorts={
        "entered_at": Sort("m.entered_at", "timestamptz"),
        "name": Sort("coalesce(lower(c.name), '')"),
        "orders": Sort("coalesce(s.orders, 0)", "int"),
        "last_order_at": Sort("coalesce(s.last_order_at, '-infinity')", "timestamptz"),
    },
    default_sort="-entered_at",
    filters={
        "q": Filter(
            "c.id IN (SELECT coalesce(survivor, id) FROM customer WHERE search LIKE {})", anywhere_lowered
        ),
        "country": Filter("c.country = {}"),
        "people": Filter("c.id = ANY({}::uuid[])", uuids),
    },
)
"""The people of one segment (the scope's first argument)."""

CHANGES = Listing(
    row=ChangeRow,
    select="h.id, h.at, h.person, c.name, c.email, h.entered, h.cause",
    source="segment_change h LEFT JOIN customer c ON c.id = h.person WHERE h.segment = $1",
    key="h.id",
    sorts={"at": Sort("h.at", "timestamptz")},
    default_sort="-at",
    filters={
        "way": Filter("h.entered = ({} = 'in')"),
        "cause": Filter("h.cause = ANY({}::text[])", texts),
        "person": Filter("h.person = ANY({}::uuid[])", uuids),
        "q": Filter(
            "h.person IN (SELECT coalesce(survivor, id) FROM customer WHERE search LIKE {})", anywhere_lowered
        ),
    },
)
"""Who came to and went from one segment (the scope's first argument), the latest first."""


async def insert(
    tx: Tx,
    segment: UUID,
    *,
    pool: UUID,
    kind: SegmentKind,
    name: str,
    note: str,
    channel: UUID,
    time_zone: str,
    definition: Condition,
) -> Segment | None:
    """Add a segment; None if the name is taken."""
    return await tx.one(
        Segment,
        f"""INSERT INTO segment (id, pool, kind, name, note, channel, time_zone, definition)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING {_COLUMNS}""",
        segment,
        pool,
        kind,
        name,
        note,
        channel,
        time_zone,
        msgspec.to_builtins(definition),
    )


async def note_version(tx: Tx, segment: Segment) -> None:
    """Keep what a segment means from this version on."""
    await tx.execute(
        "INSERT INTO segment_version (segment, version, definition, actor) VALUES ($1, $2, $3, $4)",
        segment.id,
        segment.version,
        msgspec.to_builtins(segment.definition),
        tx.actor.label,
    )


async def versions(reader: Reader, segment: UUID) -> list[SegmentVersion]:
    """What a segment meant, the latest first; 100 at most."""
    return await reader.all(
        SegmentVersion,
        """SELECT version, definition, actor, created_at FROM segment_version WHERE segment = $1
           ORDER BY version DESC LIMIT 100""",
        segment,
    )


async def version_at(reader: Reader, segment: UUID, version: int) -> SegmentVersion | None:
    """What a segment meant when it had a version."""
    return await reader.one(
        SegmentVersion,
        """SELECT version, definition, actor, created_at FROM segment_version WHERE segment = $1 AND version <= $2
           ORDER BY version DESC LIMIT 1""",
        segment,
        version,
    )


async def update(tx: Tx, segment: UUID, fields: dict[str, Any]) -> Segment | None:
    """Set the named fields and count the version up; None if another segment has the name."""
    names = ", ".join(f"{name} = ${number}" for number, name in enumerate(fields, 2))
    values = [msgspec.to_builtins(value) if name == "definition" else value for name, value in fields.items()]
    try:
        async with tx.savepoint():
            return await tx.one(
                Segment,
                f"""UPDATE segment SET {names}, version = version + 1, updated_at = now()
                    WHERE id = $1 RETURNING {_COLUMNS}""",
                segment,
                *values,
            )
    except asyncpg.UniqueViolationError:
        return None


async def get(reader: Reader, segment: UUID) -> Segment | None:
    """A segment, deleted or not, or None."""
    return await reader.one(Segment, f"SELECT {_COLUMNS} FROM segment WHERE id = $1", segment)


async def lock(tx: Tx, segment: UUID) -> Segment | None:
    """A segment, held against changes until the transaction ends, or None."""
    return await tx.one(Segment, f"SELECT {_COLUMNS} FROM segment WHERE id = $1 FOR NO KEY UPDATE", segment)


async def lock_many(tx: Tx, segments: Sequence[UUID]) -> list[Segment]:
    """Segments that are not deleted, held until the transaction ends, in key order."""
    return await tx.all(
        Segment,
        f"""SELECT {_COLUMNS} FROM segment WHERE id = ANY ($1) AND deleted_at IS NULL
            ORDER BY id FOR NO KEY UPDATE""",
        list(segments),
    )


async def follow_channels(tx: Tx) -> list[Segment]:
    """Give segments the time zone of the channel whose days they count in, if it is in their pool; those that had another."""
    return await tx.all(
        Segment,
        f"""
        WITH due AS MATERIALIZED (
            SELECT s.id AS this, e.time_zone AS zone
            FROM segment s JOIN channel_pool u ON u.channel = s.channel AND u.resource = 'customers' AND u.pool = s.pool
            CROSS JOIN LATERAL effective_channel(s.channel) e
            WHERE s.deleted_at IS NULL AND e.time_zone <> s.time_zone ORDER BY s.id FOR NO KEY UPDATE OF s
        )
        UPDATE segment SET time_zone = zone, version = version + 1, updated_at = now() FROM due WHERE id = this
        RETURNING {_COLUMNS}
        """,
    )


async def queue(tx: Tx, pool: UUID) -> None:
    """One after the other: what segments of a pool mean is changed by one transaction at a time, so that none can be named
    by another while it goes, and no circle closes."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1::text, 71))", str(pool))


async def active(reader: Reader, pool: UUID | None = None) -> list[Segment]:
    """All segments that are not deleted (of a pool)."""
    return await reader.all(
        Segment,
        f"""SELECT {_COLUMNS} FROM segment WHERE deleted_at IS NULL AND ($1::uuid IS NULL OR pool = $1)
            ORDER BY id""",
        pool,
    )


async def of_person(reader: Reader, person: UUID) -> list[OfPerson]:
    """The segments that a person is in, by name."""
    return await reader.all(
        OfPerson,
        """SELECT s.id, s.name, s.kind, m.entered_at, k.at AS next_change_at
           FROM segment_member m JOIN segment s ON s.id = m.segment AND s.deleted_at IS NULL
                LEFT JOIN segment_clock k ON k.segment = m.segment AND k.person = m.person
           WHERE m.person = $1 ORDER BY lower(s.name), s.id""",
        person,
    )


async def entered_at(reader: Reader, segment: UUID, person: UUID) -> datetime | None:
    """Since when somebody is in a segment; None: they are not."""
    found: datetime | None = await reader.value(
        "SELECT entered_at FROM segment_member WHERE segment = $1 AND person = $2", segment, person
    )
    return found


async def sizes(reader: Reader, segment: UUID, days: int) -> list[SizeOn]:
    """Its size at the end of each day on which it changed, of the last so many, oldest first."""
    return await reader.all(
        SizeOn,
        """SELECT day, size, entered, "left" FROM segment_day
           WHERE segment = $1 AND day > (now() AT TIME ZONE 'UTC')::date - $2::int ORDER BY day""",
        segment,
        days,
    )


async def sizes_of(reader: Reader, segments: Sequence[UUID], days: int) -> dict[UUID, list[SizeOn]]:
    """`sizes` of many; what did not change in that time is left out."""
    found: dict[UUID, list[SizeOn]] = {}
    for row in await reader.rows(
        """SELECT segment, day, size, entered, "left" FROM segment_day
           WHERE segment = ANY ($1) AND day > (now() AT TIME ZONE 'UTC')::date - $2::int ORDER BY segment, day""",
        list(segments),
        days,
    ):
        on = SizeOn(day=row["day"], size=row["size"], entered=row["entered"], left=row["left"])
        found.setdefault(row["segment"], []).append(on)
    return found


async def overlap(reader: Reader, segments: Sequence[UUID]) -> list[Overlap]:
    """How many people are in exactly which of these segments, the most first."""
    return await reader.all(
        Overlap,
        """SELECT segments, count(*)::int AS people FROM (
               SELECT array_agg(segment ORDER BY array_position($1::uuid[], segment)) AS segments
               FROM segment_member WHERE segment = ANY ($1) GROUP BY person) AS people
           GROUP BY segments ORDER BY people DESC, segments""",
        list(segments),
    )


async def put_on_list(tx: Tx, segment: UUID, customers: Sequence[UUID]) -> int:
    """Put customers on a list; how many were not on it."""
    return await tx.execute(
        """INSERT INTO segment_listed (segment, customer)
           SELECT $1, id FROM unnest($2::uuid[]) AS t (id) ORDER BY id ON CONFLICT DO NOTHING""",
        segment,
        list(customers),
    )


async def take_off_list(tx: Tx, segment: UUID, customers: Sequence[UUID]) -> int:
    """Take people off a list, under whichever of their customer rows they were put on it; how many rows were removed."""
    return await tx.execute(
        "DELETE FROM segment_listed WHERE segment = $1 AND customer = ANY (customer_members($2::uuid[]))",
        segment,
        list(customers),
    )


async def in_pool(reader: Reader, pool: UUID, customers: Sequence[UUID]) -> set[UUID]:
    """Which of these are customers of a pool."""
    rows = await reader.rows(
        "SELECT id FROM customer WHERE id = ANY ($1) AND pool = $2", list(customers), pool
    )
    return {row["id"] for row in rows}


async def listed(reader: Reader, segment: UUID, people: Sequence[UUID]) -> set[UUID]:
    """Which of these people are on a list, under whichever of their customer rows."""
    rows = await reader.rows(
        """SELECT DISTINCT coalesce(c.survivor, c.id) AS person FROM segment_listed l JOIN customer c ON c.id = l.customer
           WHERE l.segment = $1 AND coalesce(c.survivor, c.id) = ANY ($2)""",
        segment,
        list(people),
    )
    return {row["person"] for row in rows}


class Match(msgspec.Struct, frozen=True):
    """A customer that a text names, and which person that is."""

    text: str
    customer: UUID
    person: UUID


async def match(reader: Reader, pool: UUID, names: Sequence[str], phones: Sequence[str]) -> list[Match]:
    """Customers of a pool by e-mail address, external id or id (``names``, trimmed) and by E.164 number (``phones``).

    Numbers are looked up as identity knows them, in their normal form.
    """
    return await reader.all(
        Match,
        """
        SELECT n.text, c.id AS customer, coalesce(c.survivor, c.id) AS person FROM (
            SELECT t.text, c.id FROM unnest($2::text[]) AS t (text)
                JOIN customer c ON c.pool = $1 AND lower(c.email) = lower(t.text)
            UNION SELECT t.text, c.id FROM unnest($2::text[]) AS t (text)
                JOIN customer c ON c.pool = $1 AND c.external_id = t.text
            UNION SELECT t.text, c.id FROM unnest($2::text[]) AS t (text)
                JOIN customer c ON c.pool = $1 AND c.id::text = lower(t.text)
            UNION SELECT t.text, c.id FROM unnest($2::text[]) AS t (text)
                JOIN customer c ON c.pool = $1 AND c.phone = t.text
            UNION SELECT n.value, c.id FROM identity_node n JOIN customer c ON c.id = n.profile
                WHERE n.pool = $1 AND n.kind = 'phone' AND n.value = ANY ($3)) AS n
            JOIN customer c ON c.id = n.id
        ORDER BY n.text, c.id
        """,
        pool,
        list(names),
        list(phones),
    )


async def country_of(reader: Reader, pool: UUID) -> str | None:
    """Where the first channel of a pool is: phone numbers without their country's code are from there."""
    found: str | None = await reader.value(
        """SELECT e.country FROM channel_pool p JOIN channel c ON c.id = p.channel, effective_channel(c.id) AS e
           WHERE p.pool = $1 ORDER BY c.created_at, c.id LIMIT 1""",
        pool,
    )
    return found
