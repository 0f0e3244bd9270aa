-- A sale that was called off in parts until nothing was left has returns that sum it up, and keeps its lines and amounts; it is not
-- one of the orders of its customer any more ("who has not ordered before" holds again).
ALTER TABLE orders ADD COLUMN is_empty boolean NOT NULL DEFAULT false;

UPDATE orders o SET is_empty = true
WHERE o.kind = 'sale' AND o.status <> 'cancelled'
  AND o.id IN (SELECT order_id FROM order_line WHERE cancelled > 0)
  AND NOT EXISTS (SELECT FROM order_line l WHERE l.order_id = o.id AND l.kind = 'item' AND l.quantity > l.cancelled);

UPDATE customer_spend s SET orders = s.orders - e.orders
FROM (SELECT customer, currency, count(*) AS orders FROM orders
      WHERE is_empty AND counted AND customer IS NOT NULL GROUP BY 1, 2) AS e
WHERE s.customer = e.customer AND s.currency = e.currency;
