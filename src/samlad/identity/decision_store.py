"""SQL of decisions, conflicts and rules."""

from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec

from samlad.identity.model import Decision, PinKind, Rules, RulesVersion
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id

_SHARE = "pg_advisory_xact_lock_shared(hashtextextended(pool::text, 41))"
_DECISION = """id, pool, kind, left_nodes AS left, right_nodes AS right, reason, actor, made_at, retracted_at,
               retracted_by, retracted_why"""


async def get(reader: Reader, decision: UUID) -> Decision | None:
    """One decision, or None."""
    return await reader.one(Decision, f"SELECT {_DECISION} FROM identity_pin WHERE id = $1", decision)


async def add(
    tx: Tx, pin: UUID, pool: UUID, kind: PinKind, left: Sequence[UUID], right: Sequence[UUID], reason: str
) -> Decision:
    """Keep a decision; one with this id that is there already stays as it is."""
    await tx.execute(
        """
        WITH added AS (
            INSERT INTO identity_pin (id, pool, kind, left_nodes, right_nodes, reason, actor)
            VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING RETURNING id, left_nodes || right_nodes AS nodes
        )
        INSERT INTO identity_pin_node (node, pin) SELECT DISTINCT unnest(nodes), id FROM added
        """,
        pin,
        pool,
        str(kind),
        list(left),
        list(right),
        reason,
        tx.actor.label,
    )
    made = await get(tx, pin)
    assert made is not None
    return made


async def retract(tx: Tx, decision: UUID, actor: str, reason: str) -> Decision | None:
    """Take a decision back, once; None if that was done before, or there is none."""
    return await tx.one(
        Decision,
        f"""UPDATE identity_pin SET retracted_at = now(), retracted_by = $2, retracted_why = $3
            WHERE id = $1 AND retracted_at IS NULL RETURNING {_DECISION}""",
        decision,
        actor,
        reason,
    )


async def share_pool_of(tx: Tx, decision: UUID) -> None:
    """Wait while other rules are put in force where this was decided."""
    await tx.execute(f"SELECT {_SHARE} FROM identity_pin WHERE id = $1", decision)


async def share_pools_of(tx: Tx, nodes: Collection[UUID]) -> None:
    """Wait while other rules are put in force where these identifiers are."""
    await tx.execute(
        f"""SELECT {_SHARE} FROM (SELECT DISTINCT pool FROM identity_node WHERE id = ANY($1) ORDER BY pool) AS pools""",
        list(nodes),
    )


async def retract_between(tx: Tx, kind: PinKind, left: UUID, right: UUID, reason: str) -> None:
    """Take back what was decided of exactly these two."""
    await tx.execute(
        """UPDATE identity_pin SET retracted_at = now(), retracted_by = $4, retracted_why = $5
           WHERE id IN (SELECT pin FROM identity_pin_node WHERE node = $2::uuid) AND kind = $1
             AND left_nodes = ARRAY[$2::uuid] AND right_nodes = ARRAY[$3::uuid] AND retracted_at IS NULL""",
        str(kind),
        left,
        right,
        tx.actor.label,
        reason,
    )


async def with_profiles(reader: Reader, decision: Decision) -> Decision:
    """The decision with the profiles that what it is about belongs to now."""
    rows = await reader.rows(
        "SELECT DISTINCT profile FROM identity_node WHERE id = ANY($1) ORDER BY profile",
        decision.left + decision.right,
    )
    return msgspec.structs.replace(decision, profiles=[row["profile"] for row in rows])


async def people_of(reader: Reader, profile: UUID) -> list[UUID]:
    """The identifiers of a profile, without moments at shared devices."""
    rows = await reader.rows(
        "SELECT id FROM identity_node WHERE profile = $1 AND kind <> 'sighting' ORDER BY id", profile
    )
    return [row["id"] for row in rows]


async def pools_of(reader: Reader, nodes: Collection[UUID]) -> list[UUID]:
    """The pools of these identifiers."""
    rows = await reader.rows("SELECT DISTINCT pool FROM identity_node WHERE id = ANY($1)", list(nodes))
    return [row["pool"] for row in rows]


async def dismiss(tx: Tx, conflict: UUID) -> bool:
    """Close an open conflict; False if there is none."""
    return bool(
        await tx.execute(
            "UPDATE identity_conflict SET status = 'dismissed', changed_at = now() WHERE id = $1 AND status = 'open'",
            conflict,
        )
    )


_RULES = "id, pool, version, document AS rules, note, status, actor, created_at, activated_at"


async def add_rules(tx: Tx, pool: UUID, rules: Rules, note: str) -> RulesVersion:
    """Keep rules as a draft with the pool's next version."""
    await tx.execute("SELECT 1 FROM pool WHERE id = $1 FOR NO KEY UPDATE", pool)
    added = await tx.one(
        RulesVersion,
        f"""INSERT INTO identity_rules (id, pool, version, document, note, status, actor)
            SELECT $1, $2, coalesce(max(version), 0) + 1, $3, $4, 'draft', $5 FROM identity_rules WHERE pool = $2
            RETURNING {_RULES}""",
        new_id(),
        pool,
        msgspec.to_builtins(rules),
        note,
        tx.actor.label,
    )
    assert added is not None
    return added


async def rules_version(reader: Reader, rules: UUID) -> RulesVersion | None:
    """One version of rules, or None."""
    return await reader.one(RulesVersion, f"SELECT {_RULES} FROM identity_rules WHERE id = $1", rules)


async def rules_versions(reader: Reader, pool: UUID) -> list[RulesVersion]:
    """Every version of a pool's rules, the newest first."""
    return await reader.all(
        RulesVersion, f"SELECT {_RULES} FROM identity_rules WHERE pool = $1 ORDER BY version DESC", pool
    )


async def activate(tx: Tx, rules: UUID) -> RulesVersion | None:
    """Put rules in force instead of those that are; None if they are already, or there are none such."""
    await tx.execute(
        """UPDATE identity_rules SET status = 'retired'
           WHERE status = 'active' AND id <> $1 AND pool = (SELECT pool FROM identity_rules WHERE id = $1)""",
        rules,
    )
    return await tx.one(
        RulesVersion,
        f"""UPDATE identity_rules SET status = 'active', activated_at = now()
            WHERE id = $1 AND status <> 'active' RETURNING {_RULES}""",
        rules,
    )
