"""What is told of profiles: on the log, in their history, and in the queue of what a person may want to look at."""

from collections.abc import Mapping, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from samlad.identity.events import (
    IdentifierQuarantined,
    IdentifierReleased,
    IdentityConflict,
    ProfilesMerged,
    ProfileSplit,
)
from samlad.identity.evidence import Key, Partition
from samlad.identity.store import Node
from samlad.kernel import log
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id

MOST_EVIDENCE = 10


class Change(msgspec.Struct, frozen=True):
    """A profile was joined by others, or others came off it."""

    kind: Literal["merged", "split"]
    profile: UUID
    others: list[UUID]
    evidence: list[UUID]


async def tell(
    tx: Tx, pool: UUID, changes: Sequence[Change], *, cause: str = "observed", pin: UUID | None = None
) -> None:
    """Append changes to the log and to the history."""
    if not changes:
        return
    for change in changes:
        evidence = list(dict.fromkeys(change.evidence))[:MOST_EVIDENCE]
        fact: log.Fact
        if change.kind == "merged":
            fact = ProfilesMerged(pool=pool, losers=change.others, cause=cause, evidence=evidence, pin=pin)
        else:
            fact = ProfileSplit(pool=pool, parts=change.others, cause=cause, pin=pin)
        log.append(tx, fact, subject=change.profile, profile=change.profile)
    await tx.execute(
        """
        INSERT INTO identity_change (id, pool, kind, profile, others, cause, evidence, pin, actor)
        SELECT id, $1, kind, profile, others::uuid[], $2, evidence::uuid[], $3, $4
        FROM unnest($5::uuid[], $6::text[], $7::uuid[], $8::text[], $9::text[]) AS t (id, kind, profile, others, evidence)
        """,
        pool,
        cause,
        pin,
        tx.actor.label,
        [new_id() for _ in changes],
        [change.kind for change in changes],
        [change.profile for change in changes],
        [_array(change.others) for change in changes],
        [_array(change.evidence[:MOST_EVIDENCE]) for change in changes],
    )


def _array(ids: Sequence[UUID]) -> str:
    return "{" + ",".join(map(str, ids)) + "}"


def tell_states(tx: Tx, pool: UUID, before: Mapping[UUID, Node], after: Mapping[UUID, Node]) -> None:
    """Append what was quarantined, and what may link again."""
    for node in after.values():
        old = before[node.id].state
        if node.state == "quarantined" and old != "quarantined":
            fact = IdentifierQuarantined(pool=pool, kind=node.kind, fan_out=node.fan_out or 0)
            log.append(tx, fact, subject=node.id, profile=node.profile)
        elif node.state == "live" and old != "live":
            log.append(
                tx, IdentifierReleased(pool=pool, kind=node.kind), subject=node.id, profile=node.profile
            )


async def keep_conflicts(
    tx: Tx, pool: UUID, partition: Partition, ids: Mapping[Key, UUID], around: Mapping[UUID, Node]
) -> None:
    """Queue the links that were left out, and close those that are none any more."""
    refused = {
        (ids[each.left], ids[each.right]): each
        for each in partition.refused
        if each.reason in ("limit", "weak")
    }
    rows = await tx.rows(
        """
        WITH given AS (
            SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[])
                          AS t (id, left_node, right_node, reason, evidence)
        ), settled AS (
            UPDATE identity_conflict c SET status = 'settled', changed_at = now()
            WHERE c.status = 'open' AND c.left_node = ANY($2) AND c.right_node = ANY($2)
              AND NOT EXISTS (SELECT FROM given g WHERE g.left_node = c.left_node AND g.right_node = c.right_node)
        )
        INSERT INTO identity_conflict AS c (id, pool, left_node, right_node, reason, evidence)
        SELECT id, $1, left_node, right_node, reason, evidence FROM given ORDER BY left_node, right_node
        ON CONFLICT (left_node, right_node) DO UPDATE
        SET status = 'open', reason = excluded.reason, evidence = excluded.evidence, changed_at = now()
        WHERE c.status = 'settled' OR (c.status = 'open' AND c.reason <> excluded.reason)
        RETURNING left_node, right_node, reason, evidence
        """,
        pool,
        list(around),
        [new_id() for _ in refused],
        [left for left, _ in refused],
        [right for _, right in refused],
        [each.reason for each in refused.values()],
        [None if each.why == "alias" else UUID(each.why) for each in refused.values()],
    )
    for row in rows:
        if row["reason"] == "limit":
            fact = IdentityConflict(
                pool=pool, left=row["left_node"], right=row["right_node"], sighting=row["evidence"]
            )
            log.append(tx, fact, subject=row["left_node"], profile=around[row["left_node"]].profile)
