"""Questions are about goods: they go where those go. Whoever asked or answered may be somebody else in another pool."""

from uuid import UUID

from samlad.catalog.twins import counterparts
from samlad.channels import Resource
from samlad.channels.pooling import Move, MoveKind, Pooling, Step, Turn
from samlad.customers.pooling import renaming
from samlad.kernel.database import Tx


async def carry(tx: Tx, move: Move, cursor: UUID | None, limit: int) -> Turn:
    """What was asked of a variant is asked of its counterpart from now on."""
    assert move.home is not None
    is_join = move.kind is MoveKind.JOIN
    rows = await tx.rows(
        f"""
        SELECT q.id, v.id AS variant, v.twin, q.channel = $1 AS is_ours
        FROM question q JOIN variant v ON v.id = q.variant
        WHERE {"v.pool = $2 AND v.twin IS NOT NULL AND $3::uuid IS NOT NULL" if is_join
               else "v.pool = CASE WHEN q.channel = $1 THEN $3::uuid ELSE $2::uuid END"}
          AND ($4::uuid IS NULL OR q.id > $4) ORDER BY q.id LIMIT $5
        """,
        move.channel,
        move.home,
        move.shared,
        cursor,
        limit,
    )  # fmt: skip
    if not rows:
        return Turn(0)
    there = [row["twin"] for row in rows]
    if not is_join:
        found: dict[tuple[UUID, bool], UUID] = {}
        for side, pool in ((True, move.home), (False, move.shared)):
            chosen = sorted({row["variant"] for row in rows if row["is_ours"] is side})
            if chosen:
                known = await counterparts(tx, move, chosen, pool)
                found |= {(variant, side): twin for variant, twin in known.items()}
        there = [found[row["variant"], row["is_ours"]] for row in rows]
    moved = await tx.execute(
        """
        UPDATE question q SET variant = v.id, product = v.product
        FROM unnest($1::uuid[], $2::uuid[]) AS n (id, there) JOIN variant v ON v.id = n.there WHERE q.id = n.id
        """,
        [row["id"] for row in rows],
        there,
    )
    return Turn(moved, rows[-1]["id"] if len(rows) == limit else None)


POOLING = Pooling(
    order=85,
    steps={
        Resource.CATALOGUE: [Step("questions", carry)],
        Resource.CUSTOMERS: [renaming("question"), renaming("question_answer")],
    },
)
