"""What must always hold of documents, as statements that find what does not; for ``samlad doctor``."""

from samlad.documents.rules import ROUNDING_TITLE
from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database

# By name: what holds, and the statement that answers (what, detail) of up to 20 things for which it does not.
_RULES: dict[str, tuple[str, str]] = {
    "document-numbers": (
        "The numbers of each series of documents are without a gap",
        """
        SELECT e.code || ' ' || s.kind || CASE WHEN s.year = 0 THEN '' ELSE ' ' || s.year END AS what,
               format('at %s, but %s documents up to %s', s.last, d.count, d.highest) AS detail
        FROM document_series s JOIN legal_entity e ON e.id = s.entity CROSS JOIN LATERAL (
            SELECT count(*) AS count, coalesce(max(sequence), 0) AS highest FROM document
            WHERE entity = s.entity AND kind = s.kind AND year = s.year) AS d
        WHERE s.last <> d.count OR s.last <> d.highest
        UNION ALL
        SELECT 'document ' || number, 'is of no series' FROM document d
        WHERE NOT EXISTS (SELECT FROM document_series s
                          WHERE (s.entity, s.kind, s.year) = (d.entity, d.kind, d.year))
        ORDER BY 1 LIMIT 20
    """,
    ),
    "document-dates": (
        "A later number of a series is not of an earlier moment",
        """
        SELECT e.code || ' ' || kind AS what, format('%s is of %s, the one before of %s', number, issued_at, before)
               AS detail
        FROM (SELECT entity, kind, number, issued_at,
                     lag(issued_at) OVER (PARTITION BY entity, kind, year ORDER BY sequence) AS before FROM document) d
        JOIN legal_entity e ON e.id = d.entity
        WHERE issued_at < before ORDER BY 1 LIMIT 20
    """,
    ),
    "document-sums": (
        "Invoices less credit notes come to their orders less what came back",
        f"""
        WITH told AS (
            SELECT order_id, sum(CASE kind WHEN 'invoice' THEN net + tax ELSE -net - tax END) AS total,
                   sum(CASE kind WHEN 'invoice' THEN tax ELSE -tax END) AS tax
            FROM document GROUP BY 1
        ), sold AS (
            SELECT t.order_id, o.number, t.total AS told, t.tax AS told_tax,
                   coalesce(sum(l.total), 0) AS total, coalesce(sum(l.tax), 0) AS tax
            FROM told t JOIN orders o ON o.id = t.order_id
            LEFT JOIN orders p ON (p.id = o.id AND o.status <> 'cancelled') OR p.returns = o.id
            LEFT JOIN order_line l ON l.order_id = p.id
                 AND NOT (l.kind = 'adjustment' AND l.tax_rate = 0 AND l.title = '{ROUNDING_TITLE}')
            WHERE EXISTS (SELECT FROM document d WHERE d.order_id = t.order_id AND d.cause NOT LIKE 'prepaid:%')
              AND NOT EXISTS (SELECT FROM orders q WHERE (q.id = o.id OR q.returns = o.id)
                                AND q.updated_at > now() - interval '5 minutes')
            GROUP BY t.order_id, o.number, t.total, t.tax
        )
        SELECT 'order ' || number AS what,
               format('documents %s (tax %s), order %s (tax %s)', told, told_tax, total, tax) AS detail
        FROM sold WHERE (told, told_tax) <> (total, tax) ORDER BY 1 LIMIT 20
    """,
    ),
    "document-prepayments": (
        "Prepayment invoices of orders whose rest is still to be paid come to what came in of them",
        """
        WITH told AS (
            SELECT order_id, sum(CASE kind WHEN 'invoice' THEN total ELSE -total END) AS told
            FROM document GROUP BY 1 HAVING bool_and(cause LIKE 'prepaid:%')
        )
        SELECT 'order ' || o.number AS what, format('documents %s, came in %s', t.told, p.came_in) AS detail
        FROM told t JOIN orders o ON o.id = t.order_id CROSS JOIN LATERAL (
            SELECT coalesce(sum(captured - refunded), 0) - o.credited AS came_in FROM payment WHERE order_id = o.id) AS p
        WHERE o.status <> 'cancelled' AND o.payment_status IN ('unpaid', 'pending') AND t.told <> p.came_in
              AND o.updated_at < now() - interval '5 minutes' ORDER BY 1 LIMIT 20
    """,
    ),
}


def _check(name: str, description: str, sql: str) -> Check:
    async def look(database: Database) -> Finding:
        rows = await database.rows(sql)
        if not rows:
            return Finding("ok", "all of them")
        more = " and more" if len(rows) == 20 else ""
        told = "; ".join(f"{row['what']}: {row['detail']}" for row in rows[:3])
        return Finding(
            "failed", f"{len(rows)}{more}: {told}", "docs/concepts/documents.md says what each number means"
        )

    return Check(name, description, look)


CHECKS = [_check(name, description, sql) for name, (description, sql) in _RULES.items()]
"""The checks of documents. Sums are compared once an order has rested for five minutes: the follower comes after."""
