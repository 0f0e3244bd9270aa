-- Goods that were added to an order after it was placed: they earn when they are paid for, and are then goods of the order.
CREATE TABLE credit_order_more (
    id         uuid        PRIMARY KEY,                    -- the change
    order_id   uuid        NOT NULL,
    goods      bigint      NOT NULL,
    is_paid    boolean     NOT NULL,
    is_settled boolean     NOT NULL DEFAULT false,         -- counted in credit_order.goods
    told_at    timestamptz NOT NULL
);
CREATE INDEX credit_order_more_order ON credit_order_more (order_id) WHERE NOT is_settled;
