"""SQL of ``promotion_use`` and of what limits uses: counted when an order is placed, given back when it is cancelled."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import msgspec

from samlad.kernel.database import GoAlone, Reader, Tx

# The key share makes a change of limits wait for orders that are being placed and the other way round, so that what
# is counted from then on is exact; orders do not wait for each other by it. The rows that limits are kept in are
# locked in key order. What several orders want of one limit is counted at once: all of it fits, or none is counted.
_USE = """
WITH asked AS MATERIALIZED (
    SELECT n.* FROM (SELECT $1::uuid[] AS a, $2::uuid[] AS b, $3::bigint[] AS c, $4::uuid[] AS d, $5::uuid[] AS e,
                            $6::bool[] AS f, $7::date[] AS g OFFSET 0) AS given
    CROSS JOIN LATERAL unnest(given.a, given.b, given.c, given.d, given.e, given.f, given.g)
        AS n (order_id, promotion, amount, code, customer, stands, today)
), wanted AS MATERIALIZED (
    SELECT p.id, p.name, a.order_id, a.amount, a.code, a.customer,
           (p.limit_total IS NOT NULL OR p.budget IS NOT NULL) AS is_counted,
           CASE WHEN p.first_order THEN 1 ELSE p.limit_customer END AS each_customer,
           -- Hours that go over midnight are of the day on which they begin; to the minute it was looked at before.
           a.stands OR (p.status <> 'ended'
                        AND coalesce(a.today <= p.last_day + (p.hours ->> 'opens' >= p.hours ->> 'closes' IS TRUE)::int, true)) AS is_on
    FROM asked a JOIN promotion p ON p.id = a.promotion ORDER BY p.id FOR KEY SHARE OF p
), counted AS (
    UPDATE promotion p SET uses = p.uses + w.uses, spent = p.spent + w.spent
    FROM (SELECT id, count(*)::int AS uses, sum(amount)::bigint AS spent FROM wanted WHERE is_counted
          GROUP BY id ORDER BY id) AS w
    WHERE p.id = w.id AND (p.limit_total IS NULL OR p.uses + w.uses <= p.limit_total)
        AND (p.budget IS NULL OR p.spent + w.spent <= p.budget)
    RETURNING p.id
), persons AS (
    INSERT INTO promotion_customer AS c (promotion, customer, uses)
    SELECT id, customer, count(*) FROM wanted WHERE each_customer IS NOT NULL AND customer IS NOT NULL
    GROUP BY id, customer, each_customer HAVING count(*) <= each_customer ORDER BY id, customer
    ON CONFLICT (promotion, customer) DO UPDATE SET uses = c.uses + excluded.uses
    WHERE c.uses + excluded.uses <= (SELECT w.each_customer FROM wanted w WHERE w.id = c.promotion LIMIT 1)
    RETURNING c.promotion, c.customer
), codes AS (
    UPDATE promotion_code k SET uses = k.uses + w.uses
    FROM (SELECT code, count(*)::int AS uses FROM wanted WHERE code IS NOT NULL GROUP BY code ORDER BY code) AS w
    WHERE k.id = w.code AND (k.limit_total IS NULL OR k.uses + w.uses <= k.limit_total) RETURNING k.id
), used AS (
    INSERT INTO promotion_use (order_id, promotion, amount, customer, code)
    SELECT order_id, id, amount, CASE WHEN each_customer IS NOT NULL THEN customer END, code FROM wanted
)
SELECT w.order_id, w.id, w.name, CASE
    WHEN NOT w.is_on THEN 'ended'
    WHEN w.is_counted AND w.id NOT IN (SELECT id FROM counted) THEN 'used-up'
    WHEN w.code IS NOT NULL AND w.code NOT IN (SELECT id FROM codes) THEN 'used-up'
    WHEN w.each_customer IS NOT NULL AND w.customer IS NULL THEN 'who'
    WHEN w.each_customer IS NOT NULL AND (w.id, w.customer) NOT IN (SELECT promotion, customer FROM persons) THEN 'once'
    END AS reason,
    w.each_customer IS NOT NULL AND cardinality(customer_members(ARRAY[w.customer])) > 1 AS is_shared
FROM wanted w ORDER BY w.id
"""
_OVER = """
SELECT p.id FROM promotion p JOIN promotion_customer c ON c.promotion = p.id
WHERE p.id = ANY ($2::uuid[]) AND c.customer = ANY (customer_members(ARRAY[$1::uuid]))
GROUP BY p.id HAVING sum(c.uses) > CASE WHEN p.first_order THEN 1 ELSE p.limit_customer END
"""


class Used(msgspec.Struct, frozen=True):
    """A promotion that was to be used; ``reason`` says why it cannot be.

    ``is_shared``: it is limited for each customer, and this one is the same person as others.
    """

    id: UUID
    name: str
    reason: str | None
    is_shared: bool = False


class Uses(msgspec.Struct, frozen=True, kw_only=True):
    """What an order has of promotions: (promotion, amount in minor units, code) of each.

    ``stands``: what was agreed to holds though it has ended meanwhile; limits hold in any case.
    """

    order: UUID
    uses: Sequence[tuple[UUID, int, UUID | None]]
    customer: UUID | None
    stands: bool
    today: date


async def use(tx: Tx, wanted: Uses) -> list[Used]:
    """Count uses for an order; all or, when any has a reason, none (the caller raises). One statement.

    Limits for each customer are limits for each person. Where several customers are one, what this order has counted
    is looked at again over all of them, one order after the other; that takes two statements more.
    """
    told = await tx.with_others(_use_each, wanted, writes=True)
    if not any(each.is_shared for each in told):
        return told
    customer = wanted.customer
    await tx.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(coalesce(survivor, id)::text, 43)) FROM customer WHERE id = $1",
        customer,
    )
    rows = await tx.rows(_OVER, customer, [each.id for each in told if each.is_shared])
    over = {row["id"] for row in rows}
    return [
        msgspec.structs.replace(each, reason="once") if each.id in over and each.reason is None else each
        for each in told
    ]


async def _use_each(tx: Tx, wanted: Sequence[Uses]) -> list[list[Used] | BaseException]:
    """Of several who want more than is left, somebody may have it: each is asked alone then, one after the other."""
    asked = [(each, *one) for each in wanted for one in each.uses]
    rows = await tx.rows(
        _USE,
        [each.order for each, *_ in asked],
        [promotion for _, promotion, _, _ in asked],
        [amount for _, _, amount, _ in asked],
        [code for _, _, _, code in asked],
        [each.customer for each, *_ in asked],
        [each.stands for each, *_ in asked],
        [each.today for each, *_ in asked],
    )
    told: dict[UUID, list[Used]] = {each.order: [] for each in wanted}
    for row in rows:
        told[row["order_id"]].append(Used(row["id"], row["name"], row["reason"], row["is_shared"]))
    return [
        GoAlone()
        if tx.is_shared and any(one.reason or one.is_shared for one in told[each.order])
        else told[each.order]
        for each in wanted
    ]


async def known(reader: Reader, promotions: Sequence[UUID]) -> set[UUID]:
    """Which of these promotions there are."""
    rows = await reader.rows("SELECT id FROM promotion WHERE id = ANY($1)", list(promotions))
    return {row["id"] for row in rows}


async def note(tx: Tx, order: UUID, uses: Sequence[tuple[UUID, int]]) -> dict[UUID, bool]:
    """Count uses as (promotion, amount) that have happened, whatever the limits say. One statement, in key order.

    By promotion that is known: whether it is over its limit or budget now.
    """
    rows = await tx.rows(
        """
        WITH wanted AS MATERIALIZED (
            SELECT p.id, w.amount, (p.limit_total IS NOT NULL OR p.budget IS NOT NULL) AS is_counted
            FROM unnest($2::uuid[], $3::bigint[]) AS w (promotion, amount)
            JOIN promotion p ON p.id = w.promotion ORDER BY p.id FOR KEY SHARE OF p
        ), counted AS (
            UPDATE promotion p SET uses = p.uses + 1, spent = p.spent + w.amount FROM wanted w
            WHERE p.id = w.id AND w.is_counted
            RETURNING p.id, coalesce(p.uses > p.limit_total, false) OR coalesce(p.spent > p.budget, false) AS is_over
        ), used AS (
            INSERT INTO promotion_use (order_id, promotion, amount) SELECT $1, id, amount FROM wanted
        )
        SELECT w.id, coalesce(c.is_over, false) AS is_over FROM wanted w LEFT JOIN counted c USING (id)
        """,
        order,
        [promotion for promotion, _ in uses],
        [amount for _, amount in uses],
    )
    return {row["id"]: row["is_over"] for row in rows}


async def release(tx: Tx, order: UUID) -> list[UUID]:
    """Give back the uses of an order; of which promotions. Asked again: none. One statement."""
    rows = await tx.rows(
        """
        WITH known AS MATERIALIZED (
            SELECT p.id, (p.limit_total IS NOT NULL OR p.budget IS NOT NULL) AS is_counted FROM promotion p
            WHERE p.id IN (SELECT promotion FROM promotion_use WHERE order_id = $1 AND released_at IS NULL)
            ORDER BY p.id FOR KEY SHARE
        ), back AS (
            UPDATE promotion_use u SET released_at = now() FROM known k
            WHERE u.order_id = $1 AND u.promotion = k.id AND u.released_at IS NULL
            RETURNING u.promotion, u.amount, u.customer, u.code, k.is_counted
        ), counted AS (
            UPDATE promotion p SET uses = p.uses - 1, spent = p.spent - b.amount FROM back b
            WHERE p.id = b.promotion AND b.is_counted
        ), persons AS (
            UPDATE promotion_customer c SET uses = c.uses - 1 FROM back b
            WHERE c.promotion = b.promotion AND c.customer = b.customer
        ), codes AS (
            UPDATE promotion_code k SET uses = k.uses - 1 FROM back b WHERE k.id = b.code
        )
        SELECT promotion FROM back ORDER BY promotion
        """,
        order,
    )
    return [row["promotion"] for row in rows]


class UseSums(msgspec.Struct, frozen=True):
    """How often a promotion was used and what it took off (minor units), cancelled orders left out."""

    uses: int
    spent: int


async def sums(reader: Reader, promotion: UUID) -> UseSums:
    """What a promotion came to so far."""
    found = await reader.one(
        UseSums,
        """SELECT count(*)::int AS uses, coalesce(sum(amount), 0)::bigint AS spent FROM promotion_use
           WHERE promotion = $1 AND released_at IS NULL""",
        promotion,
    )
    assert found is not None
    return found
