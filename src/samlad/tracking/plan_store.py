"""SQL of the tables ``tracking_schema`` and ``tracking_schema_version``, and of what did not fit."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import Filter, Listing, Sort, texts, uuids
from samlad.tracking.model import EventSchema, SchemaVersion, ViolationRow

_SCHEMA = "id, event, source, schema, policy, version, created_at, updated_at"

SCHEMAS = Listing(
    row=EventSchema,
    select=_SCHEMA,
    source="tracking_schema",
    key="id",
    sorts={"event": Sort("event"), "updated_at": Sort("updated_at", "timestamptz")},
    default_sort="event",
    filters={
        "q": Filter("strpos(lower(event), lower({})) > 0"),
        "policy": Filter("policy = {}"),
        "source": Filter("source = ANY({}::uuid[])", uuids),
    },
)
"""The tracking plan, as a list."""

DAYS = 30
MOST_COUNTED = 50_000
"""Events that did not fit which are counted, the latest: enough to see what is wrong."""
EXAMPLES = 3

# What stands in a message is data where it names no property: those that are missing or unexpected are told apart by it.
_WRONG = f"""(
    SELECT md5(concat_ws(' ', f.event, f.source, f.outcome, f.path, f.rule, f.what))::uuid AS id, f.event, f.source,
           f.path, f.rule, f.outcome, (array_agg(f.message ORDER BY f.received_at DESC))[1] AS message,
           count(*)::int AS events, max(f.received_at) AS last_at,
           (array_agg(f.id ORDER BY f.received_at DESC))[:{EXAMPLES}] AS examples
    FROM (
        (SELECT e.id, e.source, e.received_at, CASE WHEN e.type = 'track' THEN e.name ELSE e.type END AS event,
                v ->> 'path' AS path, coalesce(v ->> 'rule', '') AS rule, v ->> 'message' AS message,
                CASE WHEN (v ->> 'dropped')::boolean THEN 'dropped' ELSE 'reported' END AS outcome,
                CASE WHEN v ->> 'rule' IN ('required', 'additionalProperties') THEN v ->> 'message' END AS what
         FROM (SELECT id, source, received_at, type, name, violations FROM tracked_event
               WHERE violations IS NOT NULL AND received_at > now() - interval '{DAYS} days'
               ORDER BY received_at DESC LIMIT {MOST_COUNTED}) e
         CROSS JOIN LATERAL jsonb_array_elements(e.violations) AS v)
        UNION ALL
        (SELECT id, source, received_at, CASE WHEN type = 'track' THEN name ELSE type END, NULL, 'plan', detail, 'parked',
                NULL
         FROM tracking_parked WHERE reason = 'plan' AND received_at > now() - interval '{DAYS} days'
         ORDER BY received_at DESC LIMIT {MOST_COUNTED})) AS f
    WHERE f.event IS NOT NULL
    GROUP BY f.event, f.source, f.outcome, f.path, f.rule, f.what) AS w WHERE true"""

VIOLATIONS = Listing(
    row=ViolationRow,
    select="w.event, w.source, w.path, w.rule, w.message, w.outcome, w.events, w.last_at, w.examples",
    source=_WRONG,
    key="w.id",
    sorts={
        "events": Sort("w.events", "int"),
        "last_at": Sort("w.last_at", "timestamptz"),
        "event": Sort("w.event"),
    },
    default_sort="-events",
    filters={
        "event": Filter("w.event = {}"),
        "source": Filter("w.source = ANY({}::uuid[])", uuids),
        "outcome": Filter("w.outcome = ANY({}::text[])", texts),
    },
)
"""What did not fit the plan, counted by event, source and place; the most frequent first."""


async def set_schema(
    tx: Tx, event: str, source: UUID | None, schema: dict[str, Any], policy: str, actor: str
) -> tuple[EventSchema, bool]:
    """Add or replace what is expected of an event; whether that changed anything. Every version is kept."""
    row = await tx.one(
        EventSchema,
        f"""WITH put AS (
                INSERT INTO tracking_schema AS s (id, event, source, schema, policy) VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (event, source) DO UPDATE SET schema = excluded.schema, policy = excluded.policy,
                    version = s.version + 1, updated_at = now()
                WHERE (s.schema, s.policy) IS DISTINCT FROM (excluded.schema, excluded.policy)
                RETURNING {_SCHEMA}),
            noted AS (
                INSERT INTO tracking_schema_version (schema_id, version, event, source, schema, policy, actor)
                SELECT id, version, event, source, schema, policy, $6 FROM put)
            SELECT {_SCHEMA} FROM put""",
        new_id(),
        event,
        source,
        schema,
        policy,
        actor,
    )
    if row is not None:
        return row, True
    found = await of_event(tx, event, source)
    assert found is not None
    return found, False


async def of_event(reader: Reader, event: str, source: UUID | None) -> EventSchema | None:
    """The line of an event and source (None: of all), or None."""
    return await reader.one(
        EventSchema,
        f"SELECT {_SCHEMA} FROM tracking_schema WHERE event = $1 AND source IS NOT DISTINCT FROM $2",
        event,
        source,
    )


async def get(reader: Reader, schema: UUID) -> EventSchema | None:
    """One line of the plan, or None."""
    return await reader.one(EventSchema, f"SELECT {_SCHEMA} FROM tracking_schema WHERE id = $1", schema)


async def delete_schema(tx: Tx, schema: UUID) -> EventSchema | None:
    """Take a line out of the plan; None if it is not there."""
    return await tx.one(EventSchema, f"DELETE FROM tracking_schema WHERE id = $1 RETURNING {_SCHEMA}", schema)


async def versions_of(reader: Reader, schema: UUID) -> list[SchemaVersion]:
    """What a line said, the latest first; also of one that was removed."""
    return await reader.all(
        SchemaVersion,
        """SELECT version, schema, policy, actor, at FROM tracking_schema_version WHERE schema_id = $1
           ORDER BY version DESC LIMIT 200""",
        schema,
    )


async def all_schemas(reader: Reader) -> Sequence[EventSchema]:
    """The whole plan."""
    return await reader.all(EventSchema, f"SELECT {_SCHEMA} FROM tracking_schema")


async def lock_all(tx: Tx) -> Sequence[EventSchema]:
    """The whole plan, held against changes until the transaction ends; others can go on reading it."""
    await tx.execute("LOCK TABLE tracking_schema IN SHARE ROW EXCLUSIVE MODE")
    return await all_schemas(tx)


async def samples(reader: Reader, event: str, source: UUID | None, last: int) -> list[dict[str, Any]]:
    """What the latest events of a name said: properties, or traits of identify and group."""
    rows = await reader.rows(
        f"""
        SELECT CASE WHEN type IN ('identify', 'group') THEN traits ELSE payload -> 'properties' END AS said
        FROM tracked_event
        WHERE CASE WHEN type = 'track' THEN name = $1 ELSE type = $1 END AND ($2::uuid IS NULL OR source = $2)
          AND received_at > now() - interval '{DAYS} days'
        ORDER BY received_at DESC LIMIT $3
        """,
        event,
        source,
        last,
    )
    return [row["said"] if isinstance(row["said"], dict) else {} for row in rows]


async def names_seen(reader: Reader, limit: int = 200) -> list[str]:
    """Names of the latest events: what a plan could speak of."""
    rows = await reader.rows(
        """SELECT event, count(*) FROM (
               SELECT CASE WHEN type = 'track' THEN name ELSE type END AS event FROM tracked_event
               ORDER BY received_at DESC LIMIT 5000) AS latest
           WHERE event IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT $1""",
        limit,
    )
    return [row["event"] for row in rows]
