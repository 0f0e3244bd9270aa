"""SQL of the table ``tracking_retention``, and of forgetting events."""

from datetime import datetime
from uuid import UUID

from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
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
    return await tx.one(
        RetentionRule, f"DELETE FROM tracking_retention WHERE id = $1 RETURNING {_RULE}", rule
    )


async def delete_event(tx: Tx, event: UUID) -> str | None:
    """Remove one event and on whom it landed; its type, None if there is none."""
    found: str | None = await tx.value("DELETE FROM tracked_event WHERE id = $1 RETURNING type", event)
    if found is not None:
        await tx.execute("DELETE FROM tracked_profile WHERE event = $1", event)
    return found


async def forget(tx: Tx, at: datetime, limit: int) -> dict[UUID, int]:
    """Remove events that are kept no longer; how many by rule."""
    rows = await tx.rows(
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
                   WHERE e.received_at = old.received_at AND e.id = old.id RETURNING old.rule),
        landings AS (DELETE FROM tracked_profile p USING old
                     WHERE p.received_at = old.received_at AND p.event = old.id)
        SELECT rule, count(*) AS events FROM events GROUP BY rule
        """,
        at,
        limit,
    )
    return {row["rule"]: row["events"] for row in rows}
