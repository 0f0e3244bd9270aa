"""What must always hold of payments and their providers; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database
from samlad.payments.dispute_store import HELD

_RULES: dict[str, tuple[str, str, str, str]] = {
    "payment-providers": (
        "Every payment provider answers",
        """
        SELECT p.provider || ' payment ' || p.id AS what,
               format('%s wished %s ago, asked %s times: %s', o.kind, date_trunc('second', now() - o.created_at), o.tries,
                      coalesce(o.reason, 'no answer')) AS detail
        FROM payment_operation o JOIN payment p ON p.id = o.payment
        WHERE o.status = 'open' AND o.tries >= 5 AND o.reason IS NOT NULL AND o.created_at < now() - interval '15 minutes'
        ORDER BY o.created_at LIMIT 20
        """,
        "warning",
        "Look at the provider's own status page; what is wished is asked for again by itself",
    ),
    "payment-hanging": (
        "No money is reserved that no order needs",
        """
        SELECT p.provider || ' payment ' || p.id AS what,
               format('%s %s of %s, expired %s', p.status, p.amount, p.currency, p.expires_at) AS detail
        FROM payment p
        WHERE p.order_id IS NULL AND p.status IN ('pending', 'authorized', 'captured') AND (p.status <> 'captured' OR p.refunded < p.captured)
              AND p.expires_at < now() - interval '10 minutes' AND NOT EXISTS (
                  SELECT 1 FROM payment_operation o WHERE o.payment = p.id AND o.status = 'open')
        ORDER BY p.expires_at LIMIT 20
        """,
        "failed",
        "Is a worker running? It lets go of them: samlad worker",
    ),
    "payment-captures": (
        "Nothing was captured twice, and what was let go is not kept",
        """
        SELECT p.provider || ' payment ' || p.id AS what,
               format('captured %s of %s, refunded %s, %s captures', p.captured, p.amount, p.refunded, c.count) AS detail
        FROM payment p CROSS JOIN LATERAL (
            SELECT count(*) FROM payment_operation o WHERE o.payment = p.id AND o.kind = 'capture' AND o.status = 'done') AS c
        WHERE c.count > 1 OR p.is_leaving AND p.captured > p.refunded AND NOT EXISTS (
            SELECT 1 FROM refund r WHERE r.payment = p.id AND r.status = 'failed')
        LIMIT 20
        """,
        "failed",
        "docs/concepts/payments.md says what each number means",
    ),
    "payment-refunds-pending": (
        "Money that is to go back goes back",
        """
        SELECT p.provider || ' refund ' || r.id AS what,
               format('%s of %s is %s since %s %s', r.amount, p.currency, r.status, r.created_at, coalesce(r.problem, ''))
                   AS detail
        FROM refund r JOIN payment p ON p.id = r.payment
        WHERE r.status = 'failed' AND p.disputed < p.captured - p.refunded AND NOT EXISTS (  -- tried again, or given back otherwise through the same order
                  SELECT FROM refund n JOIN payment q ON q.id = n.payment
                  WHERE (q.id = p.id OR q.order_id = p.order_id) AND n.status <> 'failed' AND n.instead_of IS NULL
                        AND n.created_at > r.created_at)
                  AND NOT EXISTS (SELECT FROM refund n WHERE n.again_of = r.id)
                  AND r.amount > (SELECT coalesce(sum(n.amount), 0) FROM refund n WHERE n.instead_of = r.id)
              OR r.status = 'pending' AND r.created_at < now() - interval '3 days'
        ORDER BY r.created_at LIMIT 20
        """,
        "warning",
        "Pay it back in another way; what goes back by hand is confirmed with POST /api/refunds/{id}/done",
    ),
    "payment-disputes": (
        "What is disputed of a payment is what its disputes say",
        f"""
        SELECT p.provider || ' payment ' || p.id AS what, format('disputed %s, by disputes %s', p.disputed, d.amount) AS detail
        FROM payment p CROSS JOIN LATERAL (
            SELECT least(p.captured, coalesce(sum(CASE WHEN d.currency = p.currency THEN d.amount ELSE p.captured END), 0))
                   AS amount
            FROM payment_dispute d WHERE d.payment = p.id AND {HELD}) AS d
        WHERE (p.disputed > 0 OR p.id IN (SELECT payment FROM payment_dispute)) AND p.disputed <> d.amount
        ORDER BY p.id LIMIT 20
        """,
        "failed",
        "docs/concepts/payments.md says what a dispute takes away",
    ),
    "payment-dispute-money": (
        "The money of disputes that were lost is gone, and of those that were won it is back",
        """
        SELECT d.provider || ' dispute ' || d.reference AS what,
               format('%s, %s of %s; the entries of the account come to %s', d.status, d.amount, d.currency,
                      coalesce(e.amount, 0)) AS detail
        FROM payment_dispute d CROSS JOIN LATERAL (
            SELECT sum(s.amount)::bigint AS amount, bool_and(s.currency = d.currency) AS is_same FROM payment_settlement s
            WHERE s.provider = d.provider AND s.reference = ANY (d.entries)) AS e
        WHERE d.closed_at < now() - interval '3 days' AND NOT d.is_inquiry AND d.amount > 0
              AND (d.status = 'lost' AND (coalesce(e.amount, 0) >= 0 OR e.is_same AND e.amount <> -d.amount)
                   OR d.status = 'won' AND e.is_same AND e.amount <> 0)
        ORDER BY d.closed_at LIMIT 20
        """,
        "warning",
        "It is asked for each hour; does the provider's account show another amount?",
    ),
    "payment-paid-otherwise": (
        "What was given back otherwise had failed, is no more than that, and did not go back through its provider too",
        """
        SELECT p.provider || ' refund ' || r.id AS what,
               format('%s of %s is %s, %s went back otherwise', r.amount, p.currency, r.status, o.amount) AS detail
        FROM refund r JOIN payment p ON p.id = r.payment CROSS JOIN LATERAL (
            SELECT sum(amount)::bigint AS amount, bool_and(payment = r.payment AND status = 'done') AS fits FROM refund
            WHERE instead_of = r.id) AS o
        WHERE o.amount > 0 AND (r.status <> 'failed' OR o.amount > r.amount OR NOT o.fits)
           OR r.way = 'store_credit' AND r.amount IS DISTINCT FROM (
               SELECT sum(e.amount) FROM credit_transaction t JOIN credit_entry e ON e.transaction = t.id
               WHERE t.key = 'credit-refund:' || r.id AND e.amount > 0)
        ORDER BY r.created_at LIMIT 20
        """,
        "failed",
        "docs/concepts/payments.md says how it is paid back in another way",
    ),
}


def _check(name: str, description: str, sql: str, status: str, advice: str) -> Check:
    async def look(database: Database) -> Finding:
        rows = await database.rows(sql)
        if not rows:
            return Finding("ok", "all of them")
        more = " and more" if len(rows) == 20 else ""
        told = "; ".join(f"{row['what']}: {row['detail']}" for row in rows[:3])
        return Finding("warning" if status == "warning" else "failed", f"{len(rows)}{more}: {told}", advice)

    return Check(name, description, look)


CHECKS = [_check(name, *rule) for name, rule in _RULES.items()]
