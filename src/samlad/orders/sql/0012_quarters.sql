-- What was placed in each quarter of an hour, cancelled orders left out, for days that are still going on: a quarter lies in one
-- hour of every time zone. Kept as `order_day` is; `counted` says which orders are in it.
CREATE TABLE order_quarter (
    channel   uuid        NOT NULL REFERENCES channel,
    starts_at timestamptz NOT NULL,   -- a whole quarter of an hour, UTC
    currency  text        NOT NULL,
    orders    int         NOT NULL,
    revenue   bigint      NOT NULL,
    items     int         NOT NULL,
    PRIMARY KEY (channel, starts_at, currency)
) WITH (fillfactor = 80);

INSERT INTO order_quarter (channel, starts_at, currency, orders, revenue, items)
SELECT channel, date_bin('15 minutes', placed_at, 'epoch'), currency, count(*) FILTER (WHERE kind = 'sale'), sum(total),
       sum(items)
FROM orders WHERE counted GROUP BY 1, 2, 3;

-- Orders that the sums do not have yet, or (cancelled) still have: few, and added where the sums are read.
DROP INDEX orders_uncounted;
CREATE INDEX orders_unsummed ON orders (channel, placed_at) WHERE counted = (status = 'cancelled');

-- What the overview asks for each time that somebody looks.
CREATE INDEX orders_owed ON orders (placed_at)
    WHERE kind = 'sale' AND payment_status IN ('unpaid', 'pending') AND status IN ('placed', 'partially_fulfilled', 'fulfilled');
CREATE INDEX fulfilment_rejected ON fulfilment (changed_at) WHERE state = 'rejected';
