"""SQL of the tables ``tracking_retention`` and ``tracked_deleted``, and of forgetting events."""

from datetime import datetime
from uuid import UUID

import msgspec

from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.tracking.events_store import DELETING
from samlad.tracking.model import RetentionInput, RetentionRule

_RULE = "id, type, name, days, version, created_at, updated_at"


async def rules(reader: Reader) -> list[RetentionRule]:
    """All rules, the most general first."""
    return await reader.all(
        RetentionRule, f"SELECT {_RULE} FROM tracking_retention ORDER BY type NULLS FIRST, name NULLS FIRST"
    )


async def set_rule(tx: Tx, data: RetentionInput) -> tuple[RetentionRule, bool]:
    """Add or replace the rule of a type and name; whether anything changed."""
    changed = await tx.one(
        RetentionRule,
        f"""INSERT INTO tracking_retention AS r (id, type, name, days) VALUES ($1, $2, $3, $4)
            ON CONFLICT (type, name) DO UPDATE SET days = excluded.days, version = r.version + 1, updated_at = now()
            WHERE r.days <> excluded.days RETURNING {_RULE}""",
        new_id(),
        data.type,
        data.name,
        data.days,
    )
    if changed is not None:
        return changed, True
    same = await tx.one(
        RetentionRule,
        f"""SELECT {_RULE} FROM tracking_retention WHERE type IS NOT DISTINCT FROM $1
            AND name IS NOT DISTINCT FROM $2""",
        data.type,
        data.name,
    )
    assert same is not None
    return same, False


async def delete_rule(tx: Tx, rule: UUID) -> RetentionRule | None:
    """Remove a rule; None: there is none."""
    await tx.execute(f"SELECT pg_advisory_xact_lock({DELETING})")
    return await tx.one(
        RetentionRule, f"DELETE FROM tracking_retention WHERE id = $1 RETURNING {_RULE}", rule
    )


class Gone(msgspec.Struct, frozen=True):
    """An event that was removed: its type, its name if it was tracked, and on whom it had landed."""

    type: str
    name: str | None
    identity: UUID | None


async def delete_event(tx: Tx, event: UUID) -> Gone | None:
    """Remove one event and on whom it landed, and note that its message is never taken again; None: there is none."""
    await tx.execute(f"SELECT pg_advisory_xact_lock({DELETING})")
    return await tx.one(
        Gone,
        """
        WITH gone AS (DELETE FROM tracked_event WHERE id = $1 RETURNING id, received_at, source, message_id, type, name),
             landing AS (DELETE FROM tracked_profile p USING gone
                         WHERE p.received_at = gone.received_at AND p.event = gone.id RETURNING p.identity),
             noted AS (INSERT INTO tracked_deleted (source, digest)
                       SELECT source, sha256(convert_to(message_id, 'UTF8')) FROM gone ON CONFLICT DO NOTHING)
        SELECT type, CASE WHEN type = 'track' THEN name END AS name, (SELECT identity FROM landing) AS identity FROM gone
        """,
        event,
    )


class Forgotten(msgspec.Struct, frozen=True):
    """What a rule had removed: how many events, the names of those that were tracked, and whether there were others."""

    rule: UUID
    events: int
    names: list[str]
    has_others: bool


async def forget(tx: Tx, at: datetime, limit: int) -> list[Forgotten]:
    """Remove events that are kept no longer; what, by rule."""
    await tx.execute(f"SELECT pg_advisory_xact_lock({DELETING})")
    return await tx.all(
        Forgotten,
        """
        WITH old AS MATERIALIZED (
            SELECT e.id, e.received_at, r.id AS rule FROM tracked_event e CROSS JOIN LATERAL (
                SELECT r.id, r.days FROM tracking_retention r
                WHERE (r.type IS NULL OR r.type = e.type) AND (r.name IS NULL OR r.name = e.name)
                ORDER BY r.name NULLS LAST, r.type NULLS LAST LIMIT 1) AS r
            WHERE e.received_at < $1::timestamptz - (SELECT min(days) FROM tracking_retention) * interval '1 day'
              AND e.received_at < $1::timestamptz - r.days * interval '1 day'
            ORDER BY e.received_at LIMIT $2),
        events AS (DELETE FROM tracked_event e USING old
                   WHERE e.received_at = old.received_at AND e.id = old.id RETURNING old.rule, e.type, e.name),
        landings AS (DELETE FROM tracked_profile p USING old
                     WHERE p.received_at = old.received_at AND p.event = old.id)
        SELECT rule, count(*)::int AS events, bool_or(type <> 'track') AS has_others,
               coalesce(array_agg(DISTINCT name) FILTER (WHERE type = 'track' AND name IS NOT NULL), '{}') AS names
        FROM events GROUP BY rule ORDER BY rule
        """,
        at,
        limit,
    )
