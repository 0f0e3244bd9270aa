"""What must always hold of promotions; for ``samlad doctor``. That uses are what orders say is a check of orders."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database, Tx

_COUNTS = """
    SELECT p.id, p.name, p.uses, p.spent, u.uses AS used, u.spent AS taken
    FROM promotion p CROSS JOIN LATERAL (
        SELECT count(*) AS uses, coalesce(sum(amount), 0) AS spent
        FROM promotion_use WHERE promotion = p.id AND released_at IS NULL) AS u
    WHERE (p.limit_total IS NOT NULL OR p.budget IS NOT NULL) AND (p.uses, p.spent) <> (u.uses, u.spent)
"""
_CODES = """
    SELECT c.id, c.code, c.uses, u.uses AS used FROM promotion_code c CROSS JOIN LATERAL (
        SELECT count(*) AS uses FROM promotion_use
        WHERE promotion = c.promotion AND code = c.id AND released_at IS NULL) AS u
    WHERE c.uses <> u.uses
"""
_PERSONS = """
    SELECT coalesce(c.promotion, u.promotion) AS promotion, coalesce(c.customer, u.customer) AS customer,
           coalesce(c.uses, 0) AS uses, coalesce(u.uses, 0) AS used
    FROM promotion_customer c FULL JOIN (
        SELECT promotion, customer, count(*) AS uses FROM promotion_use
        WHERE customer IS NOT NULL AND released_at IS NULL GROUP BY 1, 2) AS u
        ON u.promotion = c.promotion AND u.customer = c.customer
    WHERE coalesce(c.uses, 0) <> coalesce(u.uses, 0)
"""


async def _counts(database: Database) -> Finding:
    rows = await database.rows(f"{_COUNTS} ORDER BY p.id LIMIT 5")
    return _finding(
        [
            f"“{r['name']}”: uses {r['uses']}, kept {r['used']}; spent {r['spent']}, kept {r['taken']}"
            for r in rows
        ]
    )


async def _fix_counts(database: Database) -> int:
    async def work(tx: Tx) -> int:
        # Locked first, so that no order is between its use and its count.
        await tx.rows(
            f"SELECT id FROM promotion WHERE id IN (SELECT id FROM ({_COUNTS}) AS d) ORDER BY id FOR UPDATE"
        )
        return await tx.execute(
            f"UPDATE promotion p SET uses = d.used, spent = d.taken FROM ({_COUNTS}) AS d WHERE p.id = d.id"
        )

    return await database.transaction(work)


async def _codes(database: Database) -> Finding:
    rows = await database.rows(f"{_CODES} ORDER BY c.code LIMIT 5")
    return _finding([f"{r['code']}: uses {r['uses']}, kept {r['used']}" for r in rows])


async def _persons(database: Database) -> Finding:
    rows = await database.rows(f"{_PERSONS} LIMIT 5")
    return _finding(
        [f"{r['promotion']} by {r['customer']}: uses {r['uses']}, kept {r['used']}" for r in rows]
    )


def _finding(told: list[str]) -> Finding:
    if not told:
        return Finding("ok", "all of them")
    return Finding("failed", "; ".join(told), "docs/concepts/promotions.md says what each number means")


CHECKS = [
    Check(
        "promotion-counts", "Limited promotions are used and spent as their uses say", _counts, _fix_counts
    ),
    Check("promotion-codes", "Codes are used as the uses of their promotions say", _codes),
    Check("promotion-customers", "Customers have used what is limited for each as the uses say", _persons),
]
