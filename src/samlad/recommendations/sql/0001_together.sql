-- Which goods are bought together: orders that hold both, by month, as a projection of the log. A product with itself is how
-- many orders hold it. Months, so that what is long ago counts less and ends, and so that a cancelled order is taken out exactly.
CREATE TABLE product_pair (
    pool    uuid NOT NULL REFERENCES pool,       -- of orders
    product uuid NOT NULL REFERENCES product ON DELETE CASCADE,
    other   uuid NOT NULL REFERENCES product ON DELETE CASCADE,
    month   date NOT NULL,
    orders  int  NOT NULL CHECK (orders >= 0),
    PRIMARY KEY (pool, product, other, month)
) WITH (fillfactor = 85);
CREATE INDEX product_pair_month ON product_pair (month);
CREATE INDEX product_pair_other ON product_pair (other);

-- The orders that are in it, with the pool and month under which they are.
CREATE TABLE paired_order (
    order_id uuid PRIMARY KEY REFERENCES orders,
    pool     uuid NOT NULL REFERENCES pool,
    month    date NOT NULL
);
CREATE INDEX paired_order_month ON paired_order (month);
