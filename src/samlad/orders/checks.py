"""What must always hold of orders, as statements that find what does not; for ``samlad doctor``."""

from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database
from samlad.orders.mending import DIFFERENCES, mend_holds

# By name: what holds, and the statement that answers (what, detail) of up to 20 things for which it does not.
_RULES: dict[str, tuple[str, str]] = {
    "order-totals": (
        "Orders come to the sums of their lines",
        """
        SELECT 'order ' || o.number AS what,
               format('total %s, lines %s; tax %s, lines %s; items %s, lines %s', o.total, l.total, o.tax, l.tax,
                      o.items, l.items) AS detail
        FROM orders o CROSS JOIN LATERAL (
            SELECT coalesce(sum(total), 0) AS total, coalesce(sum(tax), 0) AS tax,
                   coalesce(sum(CASE sold_by WHEN 'piece' THEN quantity ELSE sign(quantity) END)
                            FILTER (WHERE kind = 'item' AND NOT stock_correction), 0) AS items
            FROM order_line WHERE order_id = o.id) AS l
        WHERE (o.total, o.tax, o.items) <> (l.total, l.tax, l.items)
        ORDER BY o.placed_at LIMIT 20
    """,
    ),
    "order-days": (
        "The sums of each day are those of its orders",
        """
        WITH truth AS (
            SELECT channel, local_day AS day, currency, count(*) FILTER (WHERE kind = 'sale') AS orders,
                   sum(total) AS revenue, sum(items) AS items
            FROM orders WHERE counted GROUP BY 1, 2, 3
        )
        SELECT coalesce(c.code, '?') || ' ' || coalesce(t.day, d.day) AS what,
               format('orders %s/%s, revenue %s/%s, items %s/%s (orders/kept)', t.orders, d.orders, t.revenue,
                      d.revenue, t.items, d.items) AS detail
        FROM truth t FULL JOIN order_day d USING (channel, day, currency) LEFT JOIN channel c ON c.id = channel
        WHERE (coalesce(t.orders, 0), coalesce(t.revenue, 0), coalesce(t.items, 0))
              <> (coalesce(d.orders, 0), coalesce(d.revenue, 0), coalesce(d.items, 0))
        ORDER BY 1 LIMIT 20
    """,
    ),
    "order-quarters": (
        "The sums of each quarter of an hour are those of its orders",
        """
        WITH truth AS (
            SELECT channel, date_bin('15 minutes', placed_at, 'epoch') AS starts_at, currency,
                   count(*) FILTER (WHERE kind = 'sale') AS orders, sum(total) AS revenue, sum(items) AS items
            FROM orders WHERE counted GROUP BY 1, 2, 3
        )
        SELECT coalesce(c.code, '?') || ' ' || starts_at AS what,
               format('orders %s/%s, revenue %s/%s, items %s/%s (orders/kept)', t.orders, q.orders, t.revenue,
                      q.revenue, t.items, q.items) AS detail
        FROM truth t FULL JOIN order_quarter q USING (channel, starts_at, currency) LEFT JOIN channel c ON c.id = channel
        WHERE (coalesce(t.orders, 0), coalesce(t.revenue, 0), coalesce(t.items, 0))
              <> (coalesce(q.orders, 0), coalesce(q.revenue, 0), coalesce(q.items, 0))
        ORDER BY 1 LIMIT 20
    """,
    ),
    "customer-spend": (
        "The sums of each customer are those of their orders",
        """
        WITH truth AS (
            SELECT customer, currency, count(*) FILTER (WHERE kind = 'sale' AND NOT is_empty) AS orders,
                   sum(total) AS spent
            FROM orders WHERE counted AND customer IS NOT NULL GROUP BY 1, 2
        )
        SELECT 'customer ' || customer AS what,
               format('orders %s/%s, spent %s/%s (orders/kept)', t.orders, s.orders, t.spent, s.spent) AS detail
        FROM truth t FULL JOIN customer_spend s USING (customer, currency)
        WHERE (coalesce(t.orders, 0), coalesce(t.spent, 0)) <> (coalesce(s.orders, 0), coalesce(s.spent, 0))
        ORDER BY 1 LIMIT 20
    """,
    ),
    "order-stock": (
        "What is held and was shipped for orders is what was ordered",
        """
        WITH ordered AS (
            SELECT o.id, o.number, l.variant, sum(l.fulfilled) AS fulfilled,
                   sum(CASE WHEN o.is_held THEN l.quantity - l.fulfilled - l.cancelled ELSE 0 END)
                   - coalesce((SELECT sum(n.quantity) FROM fulfilment f JOIN fulfilment_line n ON n.fulfilment = f.id
                               WHERE f.order_id = o.id AND n.variant = l.variant AND f.location IS NULL
                                 AND f.state IN ('needs_customer', 'waiting')), 0) AS open
            FROM orders o JOIN order_line l ON l.order_id = o.id AND l.kind = 'item' AND l.variant IS NOT NULL
            WHERE o.kind = 'sale' AND o.imported IS NULL AND o.status <> 'cancelled'
            GROUP BY o.id, o.number, l.variant
        ), compared AS (
            SELECT r.*,
                   coalesce((SELECT sum(h.quantity) FROM hold h
                             WHERE h.owner = r.id AND h.variant = r.variant AND h.kind = 'order'), 0) AS held,
                   coalesce((SELECT -sum(m.quantity) FROM movement m
                             WHERE m.reference = r.id AND m.variant IN (SELECT variant_names(r.variant))
                               AND m.cause = 'sale'), 0) AS shipped
            FROM ordered r
        )
        SELECT 'order ' || number AS what,
               format('variant %s: to hold %s, held %s; fulfilled %s, shipped %s', variant, open, held, fulfilled,
                      shipped) AS detail
        FROM compared WHERE open <> held OR fulfilled <> shipped ORDER BY number LIMIT 20
    """,
    ),
    "order-allocations": (
        "What is held for orders is what their fulfilments are to give, place by place",
        f"""
        SELECT 'order ' || coalesce(o.number, d.order_id::text) AS what,
               format('variant %s at %s: to give %s, held %s', d.variant, p.code, d.given, d.held) AS detail
        FROM ({DIFFERENCES}) AS d LEFT JOIN orders o ON o.id = d.order_id LEFT JOIN location p ON p.id = d.location
        ORDER BY 1 LIMIT 20
    """,
    ),
    "order-fulfilments": (
        "Each unit of an order that has fulfilments is in exactly one of them",
        """
        WITH given AS (
            SELECT f.order_id, n.position,
                   sum(n.quantity) FILTER (WHERE f.state IN ('shipped', 'delivered')) AS gone,
                   sum(n.quantity) FILTER (WHERE f.state NOT IN ('shipped', 'delivered', 'rejected', 'cancelled'))
                       AS open
            FROM fulfilment f JOIN fulfilment_line n ON n.fulfilment = f.id GROUP BY 1, 2
        )
        SELECT 'order ' || o.number AS what,
               format('line %s: left %s, fulfilled %s; open %s, to go %s', l.position, coalesce(g.gone, 0), l.fulfilled,
                      coalesce(g.open, 0), CASE WHEN o.is_held THEN l.quantity - l.fulfilled - l.cancelled ELSE 0 END)
                   AS detail
        FROM orders o JOIN order_line l ON l.order_id = o.id AND l.kind = 'item' AND l.variant IS NOT NULL
        LEFT JOIN given g ON g.order_id = o.id AND g.position = l.position
        WHERE o.kind = 'sale' AND o.imported IS NULL
          AND EXISTS (SELECT FROM fulfilment f WHERE f.order_id = o.id)
          AND (coalesce(g.gone, 0), coalesce(g.open, 0))
              <> (l.fulfilled, CASE WHEN o.is_held THEN l.quantity - l.fulfilled - l.cancelled ELSE 0 END)
        ORDER BY o.number LIMIT 20
    """,
    ),
    "order-holds": (
        "No stock is held for an order that needs none",
        """
        SELECT 'order ' || coalesce(o.number, h.owner::text) AS what,
               format('%s of variant %s held though it is %s', h.quantity, h.variant, coalesce(o.status, 'unknown'))
                   AS detail
        FROM hold h LEFT JOIN orders o ON o.id = h.owner
        WHERE h.kind = 'order' AND (o.id IS NULL OR NOT o.is_held) ORDER BY 1 LIMIT 20
    """,
    ),
    "order-payments": (
        "Orders were paid and refunded as their payments say",
        """
        SELECT 'order ' || o.number AS what,
               format('paid %s, captured %s; refunded %s, given back %s', o.paid, p.captured, o.refunded, p.refunded)
                   AS detail
        FROM orders o CROSS JOIN LATERAL (
            SELECT coalesce(sum(captured), 0) AS captured,
                   coalesce(sum(refunded), 0) AS refunded
            FROM payment WHERE order_id = o.id) AS p
        WHERE (o.imported IS NULL OR EXISTS (SELECT FROM payment WHERE order_id = o.id))
              AND (o.paid, o.refunded) <> (p.captured, p.refunded) ORDER BY o.placed_at LIMIT 20
    """,
    ),
    "order-credited": (
        "What went back otherwise than through an order's payments is what its changes say",
        """
        SELECT 'order ' || o.number AS what,
               format('credited %s, by changes %s, by exchanges %s', o.credited, c.amount, e.amount) AS detail
        FROM orders o CROSS JOIN LATERAL (
            SELECT coalesce(sum(credited), 0) AS amount FROM order_change WHERE order_id = o.id) AS c
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount - given_back), 0) AS amount FROM exchange_credit WHERE order_id = o.id) AS e
        WHERE (o.credited > 0 OR c.amount > 0 OR e.amount > 0) AND o.credited <> c.amount + e.amount
        ORDER BY o.placed_at LIMIT 20
    """,
    ),
    "order-given-back": (
        "No order has given back more than was paid, and no line more than it cost",
        """
        SELECT 'order ' || number AS what,
               format('paid %s, refunded %s, credited %s', paid, refunded, credited) AS detail
        FROM orders WHERE kind = 'sale' AND refunded + credited > paid
        UNION ALL
        SELECT 'order ' || s.number, format('its returns come to %s of %s', -r.total, s.total)
        FROM orders s CROSS JOIN LATERAL (SELECT coalesce(sum(total), 0) AS total FROM orders WHERE returns = s.id) AS r
        WHERE s.kind = 'sale' AND s.imported IS NULL AND -r.total > greatest(s.total, 0)
              AND -r.total > (SELECT coalesce(sum(total), 0) FROM order_line WHERE order_id = s.id AND kind <> 'adjustment')
        LIMIT 20
    """,
    ),
    "order-promotions": (
        "Orders have used of promotions what their lines were reduced by",
        """
        WITH stepped AS (
            SELECT l.order_id, (s.step ->> 'promotion')::uuid AS promotion, sum((s.step ->> 'amount')::bigint) AS amount
            FROM order_line l JOIN orders o ON o.id = l.order_id AND o.kind = 'sale' AND o.status <> 'cancelled'
                CROSS JOIN LATERAL jsonb_array_elements(l.reductions) AS s (step)
            WHERE l.reductions <> '[]' AND NOT coalesce((s.step ->> 'by_hand')::bool, false) GROUP BY 1, 2
        ), used AS (
            -- What was called off in parts until nothing was left has given its uses back, and keeps its lines.
            SELECT order_id, promotion, amount FROM promotion_use u
            WHERE released_at IS NULL
                OR EXISTS (SELECT FROM orders o WHERE o.id = u.order_id AND o.status <> 'cancelled')
                    AND NOT EXISTS (SELECT FROM order_line l
                                    WHERE l.order_id = u.order_id AND l.kind = 'item' AND l.quantity > l.cancelled)
        )
        SELECT 'order ' || coalesce(o.number, order_id::text) AS what,
               format('promotion %s: used %s, lines %s', promotion, u.amount, s.amount) AS detail
        FROM stepped s FULL JOIN used u USING (order_id, promotion) LEFT JOIN orders o ON o.id = order_id
        WHERE s.amount IS DISTINCT FROM u.amount ORDER BY 1 LIMIT 20
    """,
    ),
    "order-reductions": (
        "Lines were paid as their steps lead from their list price",
        """
        SELECT 'order ' || o.number AS what,
               format('line %s: %s × %s less %s is not %s', l.position, l.quantity, l.unit_price, r.amount,
                      l.total - CASE WHEN l.tax_included THEN 0 ELSE l.tax END) AS detail
        FROM order_line l JOIN orders o ON o.id = l.order_id CROSS JOIN LATERAL (
            SELECT sum((s.step ->> 'amount')::bigint) AS amount FROM jsonb_array_elements(l.reductions) AS s (step)) AS r
        WHERE l.reductions <> '[]'
          AND round(l.quantity * l.unit_price / CASE l.sold_by WHEN 'piece' THEN 1.0 ELSE 1000.0 END) - r.amount
              <> l.total - CASE WHEN l.tax_included THEN 0 ELSE l.tax END
        ORDER BY 1 LIMIT 20
    """,
    ),
    "payment-refunds": (
        "Payments were given back as their refunds say",
        """
        SELECT 'payment ' || p.id AS what, format('refunded %s, refunds %s', p.refunded, r.amount) AS detail
        FROM payment p CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS amount FROM refund WHERE payment = p.id AND status <> 'failed') AS r
        WHERE p.refunded <> r.amount LIMIT 20
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
        advice = "docs/concepts/orders.md says what each number means"
        if fix is not None:
            advice = f"samlad doctor --fix; {advice}"
        return Finding("failed", f"{len(rows)}{more}: {told}", advice)

    fix = _FIXES.get(name)
    return Check(name, description, look, fix)


_FIXES = {"order-stock": mend_holds, "order-allocations": mend_holds, "order-holds": mend_holds}
"""By name: how a check mends what it finds."""

CHECKS = [_check(name, description, sql) for name, (description, sql) in _RULES.items()]
