"""Reviews are of goods: they go where those go. Whoever wrote them may be somebody else in another pool."""

from collections.abc import Sequence
from uuid import UUID

from samlad.catalog.search import index
from samlad.catalog.twins import counterparts
from samlad.channels import Resource
from samlad.channels.pooling import Move, MoveKind, Pooling, Step, Turn
from samlad.customers.pooling import renaming
from samlad.kernel.database import Tx
from samlad.reviews import rules, store


async def carry(tx: Tx, move: Move, cursor: UUID | None, limit: int) -> Turn:
    """What was written of a variant is shown with its counterpart. Of two for one order and product the first stays."""
    assert move.home is not None
    is_join = move.kind is MoveKind.JOIN
    rows = await tx.rows(
        f"""
        SELECT r.id, r.product, v.id AS variant, v.twin, r.channel = $1 AS is_ours
        FROM review r JOIN variant v ON v.id = r.variant
        WHERE {"v.pool = $2 AND v.twin IS NOT NULL AND $3::uuid IS NOT NULL" if is_join
               else "v.pool = CASE WHEN r.channel = $1 THEN $3::uuid ELSE $2::uuid END"}
          AND ($4::uuid IS NULL OR r.id > $4) ORDER BY r.id LIMIT $5
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
    changed = await tx.rows(
        """
        UPDATE review r SET variant = v.id, product = v.product
        FROM unnest($1::uuid[], $2::uuid[]) AS n (id, there) JOIN variant v ON v.id = n.there
        WHERE r.id = n.id AND NOT EXISTS (
            SELECT FROM review o WHERE o.product = v.product AND o.order_id = r.order_id AND o.id <> r.id)
        RETURNING r.product
        """,
        [row["id"] for row in rows],
        there,
    )
    await _count_anew(tx, sorted({row["product"] for row in [*rows, *changed]}))
    return Turn(len(changed), rows[-1]["id"] if len(rows) == limit else None)


async def _count_anew(tx: Tx, products: Sequence[UUID]) -> None:
    """What lists show of these products, counted from their reviews."""
    await tx.execute(
        """
        INSERT INTO review_total (product, ones, twos, threes, fours, fives)
        SELECT p.id, count(*) FILTER (WHERE stars = 1), count(*) FILTER (WHERE stars = 2), count(*) FILTER (WHERE stars = 3),
               count(*) FILTER (WHERE stars = 4), count(*) FILTER (WHERE stars = 5)
        FROM unnest($1::uuid[]) AS p (id) LEFT JOIN review r ON r.product = p.id AND r.status = 'approved'
        GROUP BY p.id ORDER BY p.id
        ON CONFLICT (product) DO UPDATE SET (ones, twos, threes, fours, fives)
            = (EXCLUDED.ones, EXCLUDED.twos, EXCLUDED.threes, EXCLUDED.fours, EXCLUDED.fives)
        """,
        list(products),
    )
    for product, stars in (await store.by_stars(tx, products)).items():
        found = rules.totals(stars)
        await index.put_rating(tx, product, found.average, found.count, rules.standing(found))


POOLING = Pooling(
    order=85,
    steps={
        Resource.CATALOGUE: [Step("reviews", carry)],
        Resource.CUSTOMERS: [renaming("review")],
    },
)
