"""What subscriptions have in pools: themselves, with the orders that they make."""

from uuid import UUID

from samlad.catalog.twins import repointing
from samlad.channels import Resource
from samlad.channels.pooling import Finding, Level, Move, MoveKind, Pooling, Step, Turn, relabel
from samlad.customers.pooling import renaming
from samlad.kernel.database import Reader, Tx
from samlad.kernel.i18n import marked


async def look(reader: Reader, move: Move) -> list[Finding]:
    """Subscriptions that come along."""
    count = await reader.value(
        "SELECT count(*) FROM subscription WHERE channel = $1 AND pool = $2", move.channel, move.old
    )
    text = marked("Subscriptions that come along")
    found = Finding(code="subscriptions", level=Level.INFO, text=text, count=count, is_moved=True)
    return [found] if count else []


async def widen_plans(tx: Tx, move: Move, _cursor: UUID | None, _limit: int) -> Turn:
    """A plan for goods of the channel holds for what stands for them, as long as it does."""
    if move.kind is MoveKind.JOIN:
        return Turn(
            await tx.execute(
                """
                WITH wanted AS (
                    SELECT s.id, s.variants, s.products,
                           ARRAY(SELECT DISTINCT j.twin FROM pool_move_row j
                                 WHERE j.move = $1 AND j.subject = 'variant' AND j.twin IS NOT NULL
                                   AND j.row = ANY (s.variants) AND NOT j.twin = ANY (s.variants)) AS more,
                           ARRAY(SELECT DISTINCT b.product FROM pool_move_row j
                                 JOIN variant a ON a.id = j.row JOIN variant b ON b.id = j.twin
                                 WHERE j.move = $1 AND j.subject = 'variant' AND a.product = ANY (s.products)
                                   AND NOT b.product = ANY (s.products)) AS wider
                    FROM selling_plan s ORDER BY s.id FOR UPDATE OF s
                ), put AS (
                    UPDATE selling_plan s SET variants = s.variants || w.more, products = s.products || w.wider
                    FROM wanted w WHERE w.id = s.id AND (w.more <> '{}' OR w.wider <> '{}') RETURNING s.id
                )
                INSERT INTO pool_move_row (move, subject, row, before)
                SELECT $1, 'selling_plan', w.id, jsonb_build_object('more', w.more, 'wider', w.wider)
                FROM wanted w JOIN put ON put.id = w.id
                """,
                move.id,
            )
        )
    return Turn(
        await tx.execute(
            """
            UPDATE selling_plan s SET
                variants = ARRAY(SELECT v FROM unnest(s.variants) WITH ORDINALITY AS u (v, n)
                                 WHERE NOT j.before -> 'more' ? v::text ORDER BY n),
                products = ARRAY(SELECT v FROM unnest(s.products) WITH ORDINALITY AS u (v, n)
                                 WHERE NOT j.before -> 'wider' ? v::text ORDER BY n)
            FROM pool_move_row j WHERE j.move = $1 AND j.subject = 'selling_plan' AND s.id = j.row
            """,
            move.joined,
        )
    )


POOLING = Pooling(
    order=80,
    moves={"subscription": Resource.ORDERS},
    look={Resource.ORDERS: look},
    steps={
        Resource.ORDERS: [relabel("subscription", since="t.channel = $3")],
        Resource.CATALOGUE: [
            repointing(
                "subscription_line",
                key="subscription",
                ours="EXISTS (SELECT FROM subscription s WHERE s.id = t.subscription AND s.channel = $1)",
                with_switch=True,
            ),
            Step("selling plans", widen_plans, with_switch=True),
        ],
        Resource.CUSTOMERS: [renaming("subscription")],
    },
)
