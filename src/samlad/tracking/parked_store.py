"""SQL of the table ``tracking_parked``: events that could not be taken."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.tracking.events_store import columns
from samlad.tracking.model import Faults, ParkedEvent, ParkedRow

SHOWN_BODY = 2_000

PARKED = Listing(
    row=ParkedRow,
    select=f"""id, source, received_at, type, name, reason, detail, size,
               encode(substring(body FOR {SHOWN_BODY}), 'escape') AS body""",
    source="tracking_parked",
    key="id",
    sorts={"received_at": Sort("received_at", "timestamptz"), "size": Sort("size", "int")},
    default_sort="-received_at",
    filters={
        "source": Filter("source = ANY({}::uuid[])", uuids),
        "reason": Filter("reason = ANY({}::text[])", texts),
        "type": Filter("type = ANY({}::text[])", texts),
        "name": Filter("name = {}"),
    },
)
"""All parked events, the latest first."""


class Misfit(msgspec.Struct, frozen=True, kw_only=True):
    """An event to be parked; the fields are the columns."""

    id: UUID
    source: UUID
    fingerprint: bytes
    received_at: datetime
    sent_at: datetime | None
    route_type: str | None
    type: str | None
    name: str | None
    reason: str
    detail: str
    size: int
    body: bytes


async def park(tx: Tx, misfits: Sequence[Misfit]) -> dict[UUID, int]:
    """Park events; how many by source, those that were parked before left out. One statement."""
    names = ", ".join(Misfit.__struct_fields__)
    rows = await tx.rows(
        f"""
        WITH parked AS (
            INSERT INTO tracking_parked ({names})
            SELECT {names} FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::timestamptz[], $5::timestamptz[],
                $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::int[], $12::bytea[])
                AS given ({names})
            ORDER BY source, fingerprint ON CONFLICT (source, fingerprint) DO NOTHING RETURNING source)
        SELECT source, count(*)::int AS count FROM parked GROUP BY source
        """,
        *columns(misfits, Misfit),
    )
    return {row["source"]: row["count"] for row in rows}


async def lock(tx: Tx, parked: UUID) -> Misfit | None:
    """A parked event, held until the transaction ends, or None."""
    names = ", ".join(Misfit.__struct_fields__)
    return await tx.one(Misfit, f"SELECT {names} FROM tracking_parked WHERE id = $1 FOR UPDATE", parked)


async def lock_many(
    tx: Tx, *, source: UUID | None, reason: str | None, name: str | None, after: UUID | None, limit: int
) -> list[Misfit]:
    """Parked events in the order of their ids, held until the transaction ends. Those that others hold are left out.

    So are those that lacked consent (of whom they were is not known any more) and those that PostgreSQL cannot keep.
    """
    names = ", ".join(Misfit.__struct_fields__)
    return await tx.all(
        Misfit,
        f"""SELECT {names} FROM tracking_parked
            WHERE ($1::uuid IS NULL OR source = $1) AND ($2::text IS NULL OR reason = $2)
              AND ($3::text IS NULL OR name = $3) AND ($4::uuid IS NULL OR id > $4) AND reason NOT IN ('consent', 'unstorable')
            ORDER BY id LIMIT $5 FOR UPDATE SKIP LOCKED""",
        source,
        reason,
        name,
        after,
        limit,
    )


async def unpark(tx: Tx, parked: Sequence[UUID]) -> None:
    """Take events off the parking place."""
    await tx.execute("DELETE FROM tracking_parked WHERE id = ANY($1)", list(parked))


async def still_parked(tx: Tx, again: Sequence[tuple[UUID, str, str]]) -> None:
    """A retry failed for these reasons: id, reason, detail."""
    await tx.execute(
        """UPDATE tracking_parked p SET reason = g.reason, detail = g.detail
           FROM unnest($1::uuid[], $2::text[], $3::text[]) AS g (id, reason, detail)
           WHERE p.id = g.id AND (p.reason, p.detail) IS DISTINCT FROM (g.reason, g.detail)""",
        [parked for parked, _, _ in again],
        [reason for _, reason, _ in again],
        [detail for _, _, detail in again],
    )


async def get(reader: Reader, parked: UUID) -> ParkedEvent | None:
    """A parked event with all of its body, or None."""
    return await reader.one(
        ParkedEvent,
        """SELECT p.id, p.source, p.received_at, p.type, p.name, p.reason, p.detail, p.size,
                  encode(p.body, 'escape') AS body,
                  (SELECT s.id FROM tracking_schema s
                   WHERE s.event = CASE WHEN p.type = 'track' THEN p.name ELSE p.type END
                     AND (s.source = p.source OR s.source IS NULL) ORDER BY s.source NULLS LAST LIMIT 1) AS schema
           FROM tracking_parked p WHERE p.id = $1""",
        parked,
    )


async def between(
    reader: Reader, since: datetime, until: datetime | None, sources: Sequence[UUID], limit: int
) -> list[ParkedRow]:
    """What was parked in a span of time, the latest first; of some sources, or, if none is named, of all."""
    return await reader.all(
        ParkedRow,
        f"""SELECT {PARKED.select} FROM tracking_parked
            WHERE received_at >= $1 AND ($2::timestamptz IS NULL OR received_at < $2)
              AND (cardinality($3::uuid[]) = 0 OR source = ANY($3))
            ORDER BY received_at DESC, id DESC LIMIT $4""",
        since,
        until,
        list(sources),
        limit,
    )


async def reasons(reader: Reader) -> list[tuple[str, int]]:
    """For which reasons events are parked, the most frequent first, and how many."""
    rows = await reader.rows(
        "SELECT reason, count(*)::int AS events FROM tracking_parked GROUP BY reason ORDER BY events DESC, reason"
    )
    return [(row["reason"], row["events"]) for row in rows]


async def faults(
    reader: Reader, *, since: datetime, minutes: int, source: UUID | None = None
) -> list[Faults]:
    """What came since some time and is parked, by reason, in spans of so many minutes."""
    return await reader.all(
        Faults,
        """
        SELECT date_bin(make_interval(mins => $2), received_at, $1) AS at, reason, count(*)::int AS events
        FROM tracking_parked WHERE received_at >= $1 AND ($3::uuid IS NULL OR source = $3) GROUP BY 1, 2 ORDER BY 1, 2
        """,
        since,
        minutes,
        source,
    )


async def forget_parked(tx: Tx, before: datetime, limit: int) -> int:
    """Remove what was parked before some time; how many."""
    return await tx.execute(
        """DELETE FROM tracking_parked WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM tracking_parked WHERE received_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))""",
        before,
        limit,
    )
