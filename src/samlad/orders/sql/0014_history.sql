-- What imported returns took back of sales that were imported, too, so that it does not come back once more: units on the
-- sale's lines (the first lines of the article first) and money. `came` are the returns, each told of once.
CREATE FUNCTION orders_came_back(came uuid[]) RETURNS void LANGUAGE sql AS $$
    WITH back AS (
        SELECT coalesce(l.returns, r.returns) AS sale, l.sku, -sum(l.quantity)::int AS units
        FROM orders r JOIN order_line l ON l.order_id = r.id
        WHERE r.id = ANY (came) AND l.kind = 'item' AND l.quantity < 0 AND NOT l.stock_correction GROUP BY 1, 2
    ), sold AS (
        SELECT l.order_id, l.position, l.fulfilled - l.returned AS units, b.units AS wanted,
               sum(l.fulfilled - l.returned) OVER (PARTITION BY l.order_id, l.sku ORDER BY l.position)
               - (l.fulfilled - l.returned) AS before
        FROM back b JOIN order_line l ON l.order_id = b.sale AND l.sku IS NOT DISTINCT FROM b.sku AND l.kind = 'item'
        JOIN orders s ON s.id = b.sale AND s.kind = 'sale' AND s.imported IS NOT NULL
    )
    UPDATE order_line l SET returned = l.returned + least(s.units, s.wanted - s.before)
    FROM sold s WHERE (l.order_id, l.position) = (s.order_id, s.position) AND s.units > 0 AND s.wanted > s.before;

    WITH gave AS (
        SELECT coalesce(l.returns, r.returns) AS sale, -sum(l.total)::bigint AS amount
        FROM orders r JOIN order_line l ON l.order_id = r.id WHERE r.id = ANY (came) GROUP BY 1
    )
    UPDATE orders s SET refunded = least(s.paid, s.refunded + greatest(g.amount, 0)),
           payment_status = CASE WHEN s.paid > 0 AND s.refunded + g.amount >= s.paid THEN 'refunded'
                                 ELSE s.payment_status END,
           status = CASE WHEN NOT EXISTS (SELECT FROM order_line l WHERE l.order_id = s.id AND l.kind = 'item'
                                          AND l.returned < l.quantity) THEN 'returned' ELSE s.status END
    FROM gave g WHERE s.id = g.sale AND s.kind = 'sale' AND s.imported IS NOT NULL AND g.amount > 0;
$$;

SELECT orders_came_back(array_agg(id)) FROM orders WHERE kind = 'return' AND imported IS NOT NULL;

-- An exchange before the goods were back, whose goods never came: how it is paid then, and that it was charged.
ALTER TABLE return_request
    ADD COLUMN agreed       text,               -- the provider that was agreed, if any
    ADD COLUMN agreed_token bytea,              -- what it is asked with, sealed
    ADD COLUMN charging     uuid,               -- the payment that is asked for at a provider on the network
    ADD COLUMN claimed_at   timestamptz;        -- when it was charged, or became a claim
CREATE INDEX return_request_unclaimed ON return_request (due_on, id)
    WHERE state = 'requested' AND exchange IS NOT NULL AND claimed_at IS NULL;
CREATE UNIQUE INDEX return_request_charging ON return_request (charging) WHERE charging IS NOT NULL;
