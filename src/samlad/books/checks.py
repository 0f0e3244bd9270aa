"""What ``samlad doctor`` looks at in the money book: it balances, and it equals orders, payments, credit and drawers.

Each rule is a statement that answers (what, detail) of up to 20 rows for which it does not hold: which row differs.
The ones that compare with other floors look at what the follower has come to; while it is behind they say so.
"""

from samlad.books.followers import FOLLOWERS
from samlad.books.posting import Cause, settle_order
from samlad.kernel import followers
from samlad.kernel.checks import Check, Finding
from samlad.kernel.clock import now
from samlad.kernel.database import Database

SHOWN = 5
ADVICE = "Nothing mends this by itself: docs/concepts/books.md says what each number means"

_OWN: dict[str, tuple[str, str]] = {
    "books-balanced": (
        "Every voucher has lines and they come to zero",
        """
        SELECT 'voucher ' || v.series || v.number || ' of ' || v.year AS what,
               format('comes to %s %s', coalesce(sum(l.amount), 0), coalesce(l.currency, '(no lines)')) AS detail
        FROM voucher v LEFT JOIN voucher_line l ON l.voucher = v.id
        GROUP BY v.id, l.currency HAVING coalesce(sum(l.amount), 0) <> 0 OR count(l.voucher) = 0 ORDER BY 1 LIMIT 20
    """,
    ),
    "books-numbers": (
        "The numbers of vouchers, and of Z reports, have no gap",
        """
        SELECT 'series ' || s.series || ' of ' || s.year AS what,
               format('%s vouchers, the last number is %s, the series says %s', v.count, v.last, s.last) AS detail
        FROM book_series s LEFT JOIN LATERAL (SELECT count(*) AS count, max(number) AS last FROM voucher
             WHERE (book, series, year) = (s.book, s.series, s.year)) AS v ON true
        WHERE v.count <> s.last OR coalesce(v.last, 0) <> s.last
        UNION ALL
        SELECT 'drawer ' || t.name || ' at ' || p.code, format('%s Z reports, the last number is %s', z.count, t.last_z)
        FROM till t JOIN location p ON p.id = t.location LEFT JOIN LATERAL (
             SELECT count(*) AS count, coalesce(max(number), 0) AS last FROM till_shift WHERE till = t.id
             AND number IS NOT NULL) AS z ON true
        WHERE z.count <> t.last_z OR z.last <> t.last_z
        ORDER BY 1 LIMIT 20
    """,
    ),
    "books-drawers": (
        "What the book says is in drawers is what their shifts say",
        """
        WITH drawer AS (
            SELECT t.location, s.currency, sum(
                CASE WHEN s.closed_at IS NULL THEN s.float + coalesce(m.amount, 0)
                     ELSE s.counted - s.taken END)::bigint AS amount
            FROM till t JOIN LATERAL (SELECT * FROM till_shift WHERE till = t.id ORDER BY opened_at DESC, id DESC LIMIT 1)
                 AS s ON true
                 LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM till_movement WHERE shift = s.id) AS m ON true
            GROUP BY 1, 2
        ), unclaimed AS (
            SELECT p.location, p.currency, sum(p.amount)::bigint AS amount FROM till_payment p
            LEFT JOIN till_shift s ON s.id = p.shift WHERE p.tender = 'cash' AND (p.shift IS NULL OR s.closed_at IS NULL)
            GROUP BY 1, 2
        ), booked AS (
            SELECT l.location, l.currency, sum(l.amount)::bigint AS amount FROM voucher_line l
            WHERE l.purpose LIKE 'cash%' AND l.location IS NOT NULL GROUP BY 1, 2
        ), compared AS (
            SELECT location, currency, sum(booked) AS booked, sum(there) AS there FROM (
                SELECT location, currency, amount AS booked, 0 AS there FROM booked
                UNION ALL SELECT location, currency, 0, amount FROM drawer
                UNION ALL SELECT location, currency, 0, amount FROM unclaimed) AS each GROUP BY 1, 2
        )
        SELECT 'cash at ' || p.code AS what,
               format('book %s, drawers and what was not counted yet %s %s', c.booked, c.there, c.currency) AS detail
        FROM compared c JOIN location p ON p.id = c.location WHERE c.booked <> c.there ORDER BY 1 LIMIT 20
    """,
    ),
}
_OWN["books-tips"] = (
    "What was paid out of each tip is what payouts say, and those are in the book",
    """
    WITH told AS (
        SELECT x.order_id, sum(x.amount)::bigint AS amount FROM tip_payout_line x JOIN tip_payout p ON p.id = x.payout
        WHERE p.undone_at IS NULL GROUP BY 1
    ), booked AS (
        SELECT split_part(v.cause, ':', 3) AS payout, sum(l.amount)::bigint AS amount FROM voucher v
        JOIN voucher_line l ON l.voucher = v.id AND l.purpose = 'tips' WHERE v.cause LIKE 'tips:%' GROUP BY 1
    )
    SELECT 'tip of order ' || t.order_id AS what, format('%s paid out, payouts say %s', t.paid, coalesce(d.amount, 0)) AS detail
    FROM order_tip t LEFT JOIN told d USING (order_id) WHERE t.paid <> coalesce(d.amount, 0)
    UNION ALL
    SELECT 'payout ' || p.id, format('%s paid out, its tips come to %s, %s in the book',
           CASE WHEN p.undone_at IS NULL THEN p.amount ELSE 0 END, x.amount, coalesce(b.amount, 0))
    FROM tip_payout p CROSS JOIN LATERAL (SELECT sum(amount)::bigint AS amount FROM tip_payout_line WHERE payout = p.id) AS x
         LEFT JOIN booked b ON b.payout = p.id::text
    WHERE p.amount IS DISTINCT FROM x.amount
          OR CASE WHEN p.undone_at IS NULL THEN p.amount ELSE 0 END <> coalesce(b.amount, 0)
    ORDER BY 1 LIMIT 20
""",
)
_ACROSS: dict[str, tuple[str, str]] = {
    "books-money": (
        "Money in and out is in the book: each payment and refund, by its tender",
        """
        WITH fact AS (
            SELECT id, 'payment' AS kind, provider, captured AS amount FROM payment
            WHERE captured <> 0 AND (order_id IS NOT NULL OR channel IS NOT NULL) AND provider <> 'history'
            UNION ALL
            SELECT r.id, 'refund', coalesce(r.way, p.provider), -r.amount FROM refund r JOIN payment p ON p.id = r.payment
            WHERE r.status = 'done' AND r.reference IS DISTINCT FROM 'history'  -- that was before it was imported
                  AND r.way IS DISTINCT FROM 'store_credit'  -- booked by the credit
        ), booked AS (
            SELECT v.subject AS id, v.kind, sum(l.amount)::bigint AS amount
            FROM voucher v JOIN voucher_line l ON l.voucher = v.id
            WHERE v.kind IN ('payment', 'refund') AND l.tender IS NOT NULL AND l.purpose <> 'refunds_to_pay'
            GROUP BY 1, 2 HAVING sum(l.amount) <> 0
        )
        SELECT kind || ' ' || id AS what,
               format('%s: %s moved, %s in the book', coalesce(f.provider, '?'), coalesce(f.amount, 0),
                      coalesce(b.amount, 0)) AS detail
        FROM fact f FULL JOIN booked b USING (id, kind) WHERE coalesce(f.amount, 0) <> coalesce(b.amount, 0)
        ORDER BY 1 LIMIT 20
    """,
    ),
    "books-paid-otherwise": (
        "Cash that went back in place of a refused refund left a drawer",
        """
        SELECT 'refund ' || r.id AS what, format('%s in cash, no drawer moved', r.amount) AS detail FROM refund r
        WHERE r.way = 'cash' AND NOT EXISTS (SELECT FROM till_movement m WHERE m.id = r.id AND m.amount < 0)
        ORDER BY r.id LIMIT 20
    """,
    ),
    "books-orders": (
        "What orders come to is in the book once they are paid, and nothing of cancelled ones",
        """
        WITH truth AS (
            SELECT o.id, o.number, o.kind, CASE WHEN o.status = 'cancelled' THEN 0 ELSE o.total END AS total,
                   CASE WHEN o.status = 'cancelled' THEN 0 ELSE o.tax END AS tax
            FROM orders o
            WHERE (o.imported IS NULL OR EXISTS (SELECT FROM payment p WHERE p.order_id = o.id
                                                     AND p.provider <> 'history'))
                 AND (o.kind <> 'sale' OR o.status = 'cancelled' OR o.payment_status IN ('paid', 'refunded'))
            UNION ALL
            SELECT o.id, o.number, 'deposit of', (SELECT coalesce(sum(p.captured - p.refunded), 0) FROM payment p
                                                  WHERE p.order_id = o.id), NULL
            FROM orders o
            WHERE o.deposit IS NOT NULL AND o.kind = 'sale' AND o.payment_status NOT IN ('paid', 'refunded')
                  AND o.status <> 'cancelled'
                  AND NOT EXISTS (SELECT FROM order_line l WHERE l.order_id = o.id AND (l.cancelled > 0 OR l.fulfilled > 0))
        )
        SELECT t.kind || ' ' || t.number AS what,
               format('comes to %s, %s in the book; tax %s, %s in the book', t.total, coalesce(b.total, 0), t.tax,
                      coalesce(b.tax, 0)) AS detail
        FROM truth t LEFT JOIN LATERAL (
            SELECT sum(l.amount) FILTER (WHERE l.purpose = 'receivables') AS total,
                   -sum(l.amount) FILTER (WHERE split_part(l.purpose, ':', 1) = 'tax'
                                              AND split_part(l.purpose, ':', 4) <> 'margin') AS tax
            FROM voucher v JOIN voucher_line l ON l.voucher = v.id WHERE v.subject = t.id AND v.kind = 'order') AS b ON true
        WHERE (t.total, coalesce(t.tax, b.tax, 0)) <> (coalesce(b.total, 0), coalesce(b.tax, 0)) ORDER BY 1 LIMIT 20
    """,
    ),
    "books-fees": (
        "What payment providers kept, corrected and paid out is in the book",
        """
        WITH fact AS (
            SELECT id, provider, -fee + CASE WHEN kind IN ('payout', 'adjustment') THEN amount ELSE 0 END AS amount
            FROM payment_settlement
        ), booked AS (
            SELECT v.subject AS id, sum(l.amount) FILTER (WHERE l.purpose LIKE 'clearing:%')::bigint AS amount
            FROM voucher v JOIN voucher_line l ON l.voucher = v.id WHERE v.kind = 'settlement' GROUP BY 1
        )
        SELECT f.provider || ' ' || f.id AS what,
               format('%s there, %s in the book', f.amount, coalesce(b.amount, 0)) AS detail
        FROM fact f LEFT JOIN booked b USING (id) WHERE f.amount <> coalesce(b.amount, 0) ORDER BY 1 LIMIT 20
    """,
    ),
    "books-supplier-returns": (
        "What went back to suppliers and what they credited is in the book",
        """
        WITH truth AS (
            SELECT r.id, r.number, CASE WHEN r.status = 'sent' THEN greatest(0, r.expected - r.credited) ELSE 0 END AS owed,
                   r.credited FROM supplier_return r
        ), booked AS (
            SELECT v.subject AS id, sum(l.amount) FILTER (WHERE l.purpose = 'suppliers_owe')::bigint AS owed,
                   sum(l.amount) FILTER (WHERE l.purpose = 'suppliers_credited')::bigint AS credited
            FROM voucher v JOIN voucher_line l ON l.voucher = v.id WHERE v.kind = 'supplier_return' GROUP BY 1
        )
        SELECT 'return ' || t.number AS what,
               format('%s to come and %s credited, %s and %s in the book', t.owed, t.credited, coalesce(b.owed, 0),
                      coalesce(b.credited, 0)) AS detail
        FROM truth t LEFT JOIN booked b USING (id)
        WHERE (t.owed, t.credited) <> (coalesce(b.owed, 0), coalesce(b.credited, 0)) ORDER BY 1 LIMIT 20
    """,
    ),
    "books-points": (
        "The debt of members' points is what they have, at its fair value",
        """
        WITH worth AS (
            SELECT a.holder, b.id AS book, sum(a.balance) * b.points_worth AS thousandths
            FROM credit_account a
            CROSS JOIN LATERAL (
                SELECT o.pool FROM channel_pool c JOIN channel k ON k.id = c.channel
                JOIN channel_pool o ON o.channel = c.channel AND o.resource = 'orders'
                WHERE c.pool = a.pool ORDER BY k.created_at, k.id LIMIT 1) AS first
            JOIN book b ON b.id = first.pool
            WHERE a.kind IN ('points', 'pending') GROUP BY a.holder, b.id, b.points_worth
        ), booked AS (
            SELECT v.subject AS holder, -sum(l.amount) AS amount FROM voucher v JOIN voucher_line l ON l.voucher = v.id
            WHERE v.kind = 'points' AND l.purpose = 'loyalty_points' GROUP BY 1
        )
        SELECT 'customer ' || coalesce(w.holder, b.holder) AS what,
               format('points are worth %s thousandths, %s in the book', coalesce(w.thousandths, 0),
                      coalesce(b.amount, 0)) AS detail
        FROM worth w FULL JOIN booked b USING (holder)
        WHERE abs(coalesce(w.thousandths, 0) - 1000 * coalesce(b.amount, 0)) > 500 ORDER BY 1 LIMIT 20
    """,
    ),
    "books-credit": (
        "What can still be spent on gift cards and store credit is what the book of credit says",
        """
        WITH truth AS (
            SELECT CASE a.kind WHEN 'gift_card' THEN 'gift_cards' ELSE 'store_credit' END AS purpose, a.unit AS currency,
                   sum(a.balance)::bigint AS amount
            FROM credit_account a WHERE a.kind IN ('gift_card', 'store_credit') GROUP BY 1, 2
        ), booked AS (
            SELECT l.purpose, l.currency, -sum(l.amount)::bigint AS amount
            FROM voucher v JOIN voucher_line l ON l.voucher = v.id
            WHERE l.purpose IN ('gift_cards', 'store_credit') AND v.kind <> 'reversal' GROUP BY 1, 2
        )
        SELECT purpose AS what, format('credit says %s %s, the book %s', coalesce(t.amount, 0), currency,
                                       coalesce(b.amount, 0)) AS detail
        FROM truth t FULL JOIN booked b USING (purpose, currency) WHERE coalesce(t.amount, 0) <> coalesce(b.amount, 0)
        ORDER BY 1 LIMIT 20
    """,
    ),
}


def _check(name: str, description: str, sql: str, *, follows: bool) -> Check:
    async def look(database: Database) -> Finding:
        behind = await _behind(database) if follows else 0
        if behind:
            return Finding("warning", f"{behind} events are still to be booked", "samlad worker")
        rows = await database.rows(sql)
        if not rows:
            return Finding("ok", "all of them")
        told = "; ".join(f"{row['what']}: {row['detail']}" for row in rows[:SHOWN])
        return Finding("failed", f"{len(rows)}: {told}", ADVICE)

    return Check(name, description, look)


async def _behind(database: Database) -> int:
    """How many events the follower has not come to."""
    lags = await followers.lags(database, FOLLOWERS)
    if lags:
        return lags[0].events
    return int(
        await database.value(
            "SELECT count(*) FROM event WHERE type = ANY($1)", list(FOLLOWERS[0].types or ())
        )
    )


_AS_FEES = """
    SELECT DISTINCT o.id, o.number FROM orders o JOIN order_line g ON g.order_id = o.id AND g.kind = 'gift_card'
    WHERE (SELECT coalesce(sum(v.amount), 0) FROM voucher h JOIN voucher_line v ON v.voucher = h.id
           WHERE h.subject = o.id AND h.kind = 'order' AND split_part(v.purpose, ':', 1) = 'fees') <> 0
      AND NOT EXISTS (SELECT FROM order_line f WHERE f.order_id = o.id AND f.kind = 'fee') ORDER BY o.number"""


async def _as_fees(database: Database) -> Finding:
    rows = await database.rows(_AS_FEES)
    if not rows:
        return Finding("ok", "all of them")
    told = ", ".join(row["number"] for row in rows[:SHOWN])
    return Finding("failed", f"booked as fees: {len(rows)} sales ({told})", "samlad doctor --fix")


async def _rebook_fees(database: Database) -> int:
    """Each gets a voucher of what differs, on its first open day."""
    rows = await database.rows(_AS_FEES)
    for row in rows:
        cause = Cause(key="gift-cards-no-fees", at=now(), actor="doctor")
        await database.transaction(lambda tx, sale=row["id"], why=cause: settle_order(tx, sale, why))  # type: ignore[misc]
    return len(rows)


CHECKS = [
    *(_check(name, told, sql, follows=False) for name, (told, sql) in _OWN.items()),
    *(_check(name, told, sql, follows=True) for name, (told, sql) in _ACROSS.items()),
    Check("books-gift-cards", "Gift cards that tills sold are no fees in the book", _as_fees, _rebook_fees),
]
"""The checks of the money book."""
