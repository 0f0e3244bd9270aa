"""SQL of the tables ``tracked_event``, ``tracked_message``, ``tracked_profile``, ``tracking_volume``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.tracking.model import TrackedRow, Volume
from samlad.tracking.plan import Violation

_encode = msgspec.json.Encoder().encode


def spellings(text: str) -> list[str]:
    """How an identifier that somebody types may be kept: as it stands, and as e-mail addresses and phone numbers are."""
    plain = text.strip()
    digits = "+" + "".join(letter for letter in plain if letter.isdigit())
    return sorted({plain, plain.lower(), digits} - {"", "+"})


EVENTS = Listing(
    row=TrackedRow,
    select="""e.id, e.received_at, e.occurred_at, e.source, e.message_id, e.type, e.name, e.anonymous_id, e.user_id,
              e.previous_id, e.group_id, e.traits, e.consent, e.violations, e.payload, p.identity, p.failure,
              p.resolved_at""",
    source="tracked_event e LEFT JOIN tracked_profile p ON p.received_at = e.received_at AND p.event = e.id",
    key="e.id",
    sorts={"received_at": Sort("e.received_at", "timestamptz")},
    default_sort="-received_at",
    filters={
        "source": Filter("e.source = ANY({}::uuid[])", uuids),
        "type": Filter("e.type = ANY({}::text[])", texts),
        "name": Filter("e.name = {}"),
        "user_id": Filter("e.user_id = {}"),
        "identity": Filter("p.identity = ANY({}::uuid[])", uuids),
        "who": Filter("p.identity = ANY (ARRAY(SELECT identity_known_as({}::text[])))", spellings),
        "violating": Filter("(e.violations IS NOT NULL) = ({} = 'yes')"),
    },
)
"""All events, the latest first."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """An event to be stored; the fields are the columns."""

    id: UUID
    received_at: datetime
    batch: UUID
    source: UUID
    message_id: str
    type: str
    name: str | None
    occurred_at: datetime
    anonymous_id: str | None
    user_id: str | None
    previous_id: str | None
    group_id: str | None
    traits: dict[str, Any] | None
    consent: Any
    violations: list[Violation] | None
    payload: Any


class Stored(msgspec.Struct, frozen=True):
    """What of a source's arrivals was new."""

    source: UUID
    accepted: int
    violating: int


_COLUMNS = ", ".join(Arrival.__struct_fields__)
_JSON = ("traits", "consent", "violations", "payload")
_GIVEN = ", ".join(f"{name}::jsonb" if name in _JSON else name for name in Arrival.__struct_fields__)
_ARRAYS = ", ".join(
    f"${number}::{kind}[]"
    for number, kind in enumerate(
        (
            "uuid", "timestamptz", "uuid", "uuid", "text", "text", "text", "timestamptz", "text", "text", "text",
            "text", "text", "text", "text", "text",
        ),
        1,
    )
)  # fmt: skip


_NOT_DELETED = """NOT EXISTS (SELECT FROM tracked_deleted d WHERE d.source = given.source
                                 AND d.digest = sha256(convert_to(given.message_id, 'UTF8')))"""


def columns(rows: Sequence[msgspec.Struct], kind: type[msgspec.Struct]) -> list[list[Any]]:
    """The fields of rows, each as one array for ``unnest``."""
    return [[getattr(row, name) for row in rows] for name in kind.__struct_fields__]


def _arrival_columns(arrivals: Sequence[Arrival]) -> list[list[Any]]:
    """JSON as text: of every element of an array that is none the driver asks whether it is an array."""
    by_name = dict(zip(Arrival.__struct_fields__, columns(arrivals, Arrival), strict=True))
    for name in _JSON:
        by_name[name] = [None if value is None else _encode(value).decode() for value in by_name[name]]
    return list(by_name.values())


async def insert(tx: Tx, arrivals: Sequence[Arrival]) -> list[Stored]:
    """Store events whose message has not come before; what was new, by source. One statement.

    ``arrivals`` has no message twice. Keys are taken in order, so that twins on other processes wait for each other
    instead of locking each other out.
    """
    return await tx.all(
        Stored,
        f"""
        WITH given AS (SELECT {_GIVEN} FROM unnest({_ARRAYS}) AS given ({_COLUMNS})),
             fresh AS (INSERT INTO tracked_message (source, message_id, received_at)
                       SELECT source, message_id, received_at FROM given WHERE {_NOT_DELETED} ORDER BY source, message_id
                       ON CONFLICT DO NOTHING RETURNING source, message_id),
             stored AS (INSERT INTO tracked_event ({_COLUMNS})
                        SELECT {_COLUMNS} FROM given JOIN fresh USING (source, message_id)
                        RETURNING source, violations)
        SELECT source, count(*)::int AS accepted, count(violations)::int AS violating FROM stored GROUP BY source
        """,
        *_arrival_columns(arrivals),
    )


async def insert_own(tx: Tx, arrivals: Sequence[Arrival]) -> int:
    """Store events that this program reports; what is there already (their ids are made of the log's) stays. One statement."""
    return await tx.execute(
        f"""INSERT INTO tracked_event ({_COLUMNS})
            SELECT {_GIVEN} FROM unnest({_ARRAYS}) AS given ({_COLUMNS}) WHERE {_NOT_DELETED} ON CONFLICT DO NOTHING""",
        *_arrival_columns(arrivals),
    )


async def get(reader: Reader, event: UUID) -> TrackedRow | None:
    """One event, or None."""
    return await reader.one(
        TrackedRow,
        f"SELECT {EVENTS.select} FROM {EVENTS.source} WHERE e.id = $1 LIMIT 1",
        event,
    )


# -- what the follower reads and writes --------------------------------------------------------------------------------


class Unresolved(msgspec.Struct, frozen=True):
    """What identity is resolved from; in the order of the columns, because there are many.

    ``traits`` is an object or None; ``is_again``: it was tried before and failed.
    """

    id: UUID
    received_at: datetime
    occurred_at: datetime
    source: UUID
    type: str
    name: str | None
    anonymous_id: str | None
    user_id: str | None
    previous_id: str | None
    traits: Any
    session: Any
    consent: Any = None
    is_again: bool = False


async def of_batches(reader: Reader, batches: Sequence[tuple[UUID, datetime, datetime]]) -> list[Unresolved]:
    """The events of some groups (id, first and last arrival) on whom it was not noted yet, as they happened."""
    return await reader.all(
        Unresolved,
        """
        SELECT e.id, e.received_at, e.occurred_at, e.source, e.type, e.name, e.anonymous_id, e.user_id, e.previous_id,
               e.traits, e.payload #> '{context,sessionId}' AS session, e.consent, p.event IS NOT NULL AS is_again
        FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS b (batch, first, last)
        JOIN tracked_event e ON e.received_at BETWEEN b.first AND b.last AND e.batch = b.batch
        LEFT JOIN tracked_profile p ON p.received_at = e.received_at AND p.event = e.id
        WHERE p.event IS NULL OR p.failure IS NOT NULL
        ORDER BY e.occurred_at, e.id
        """,
        [batch for batch, _, _ in batches],
        [first for _, first, _ in batches],
        [last for _, _, last in batches],
    )


async def lists_of(reader: Reader, events: Sequence[Unresolved]) -> dict[UUID, str]:
    """Which mailing lists (``list_id``) events are about, of those that say so."""
    rows = await reader.rows(
        """SELECT e.id, e.payload #>> '{properties,list_id}' AS list
           FROM unnest($1::timestamptz[], $2::uuid[]) AS t (received_at, id)
           JOIN tracked_event e ON e.received_at = t.received_at AND e.id = t.id""",
        [each.received_at for each in events],
        [each.id for each in events],
    )
    return {row["id"]: row["list"] for row in rows if row["list"] is not None}


class Landing(msgspec.Struct, frozen=True):
    """On whom an event landed, or why that could not be found out."""

    event: Unresolved
    identity: UUID | None
    failure: str | None = None


async def note_landings(tx: Tx, landings: Sequence[Landing]) -> None:
    """Note on whom events landed, of those that were not deleted meanwhile. One statement beside the lock, and one more for
    those that failed before: what they found out stays."""
    await tx.execute(f"SELECT pg_advisory_xact_lock_shared({DELETING})")
    again = [landing for landing in landings if landing.event.is_again]
    fresh = [landing for landing in landings if not landing.event.is_again] if again else landings
    if fresh:
        await tx.execute(f"INSERT INTO tracked_profile {_LANDED}", *_landed(fresh))
    if again:
        await tx.execute(
            f"""INSERT INTO tracked_profile AS p {_LANDED} ON CONFLICT (received_at, event) DO UPDATE
                SET identity = excluded.identity, failure = excluded.failure, resolved_at = clock_timestamp()
                WHERE p.failure IS NOT NULL""",
            *_landed(again),
        )


DELETING = "hashtextextended('tracked_event ' || current_schema(), 0)"
"""Whoever deletes events holds this lock alone, whoever notes on whom they landed shares it. Either the one who deletes sees
what was noted, or the one who notes sees that the event is gone. The lock is a statement of its own, before that."""
_LANDED = """(event, received_at, occurred_at, identity, failure)
             SELECT n.* FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::text[])
                    AS n (event, received_at, occurred_at, identity, failure)
             WHERE EXISTS (SELECT FROM tracked_event e WHERE e.received_at = n.received_at AND e.id = n.event)"""


def _landed(landings: Sequence[Landing]) -> list[list[Any]]:
    return [
        [landing.event.id for landing in landings],
        [landing.event.received_at for landing in landings],
        [landing.event.occurred_at for landing in landings],
        [landing.identity for landing in landings],
        [landing.failure for landing in landings],
    ]


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """What a group brought, for the plots; ``xid`` and ``seq`` are where in the log it is told."""

    source: UUID
    minute: datetime
    accepted: int
    duplicates: int
    parked: int
    violating: int
    blocked: int
    xid: int
    seq: int


async def add_volume(tx: Tx, counts: Sequence[Count]) -> None:
    """Add to the counts of minutes what they do not have yet; one statement, in key order. One follower calls it."""
    await tx.execute(
        """
        INSERT INTO tracking_volume AS v (source, minute, accepted, duplicates, parked, violating, blocked, position)
        SELECT source, minute, sum(g.accepted), sum(g.duplicates), sum(g.parked), sum(g.violating), sum(g.blocked),
               max(ARRAY[g.xid, g.seq])
        FROM unnest($1::uuid[], $2::timestamptz[], $3::int[], $4::int[], $5::int[], $6::int[], $7::int[], $8::bigint[],
                    $9::bigint[])
             AS g (source, minute, accepted, duplicates, parked, violating, blocked, xid, seq)
        LEFT JOIN tracking_volume b USING (source, minute)
        WHERE b.position IS NULL OR ARRAY[g.xid, g.seq] > b.position
        GROUP BY source, minute ORDER BY minute, source
        ON CONFLICT (minute, source) DO UPDATE SET accepted = v.accepted + excluded.accepted,
            duplicates = v.duplicates + excluded.duplicates, parked = v.parked + excluded.parked,
            violating = v.violating + excluded.violating, blocked = v.blocked + excluded.blocked,
            position = excluded.position
        """,
        *columns(counts, Count),
    )


async def volume(
    reader: Reader, *, since: datetime, minutes: int, source: UUID | None = None
) -> list[Volume]:
    """What came since some time, in spans of so many minutes; spans in which nothing came are left out."""
    return await reader.all(
        Volume,
        """
        SELECT date_bin(make_interval(mins => $2), minute, $1) AS at, sum(accepted)::int AS accepted,
               sum(duplicates)::int AS duplicates, sum(parked)::int AS parked, sum(violating)::int AS violating,
               sum(blocked)::int AS blocked
        FROM tracking_volume WHERE minute >= $1 AND ($3::uuid IS NULL OR source = $3) GROUP BY 1 ORDER BY 1
        """,
        since,
        minutes,
        source,
    )


# -- sweeping ------------------------------------------------------------------------------------------------------------


async def forget_messages(tx: Tx, before: datetime, limit: int) -> int:
    """Forget which messages came before some time; how many."""
    return await tx.execute(
        """DELETE FROM tracked_message WHERE ctid = ANY (ARRAY(
               SELECT ctid FROM tracked_message WHERE received_at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED))""",
        before,
        limit,
    )


async def make_partition(tx: Tx, month: Any) -> bool:
    """Make the partitions of a month; False if they are there."""
    return bool(await tx.value("SELECT tracking_partition($1)", month))
