-- Tips: money that customers gave for the staff with what they paid. No turnover and no tax: they are no part of an order's total,
-- though its payments bring them. `returned` went back to the customer, because somebody said so.
CREATE TABLE order_tip (
    order_id   uuid        PRIMARY KEY REFERENCES orders,
    amount     bigint      NOT NULL CHECK (amount > 0),
    returned   bigint      NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND amount),
    currency   text        NOT NULL,
    channel    uuid        NOT NULL REFERENCES channel,
    location   uuid        NOT NULL REFERENCES location,
    clerk      uuid,                               -- who was on; null: nobody was named
    clerk_name text        NOT NULL DEFAULT '',
    tender     text        NOT NULL,               -- the provider that brought it
    at         timestamptz NOT NULL
);
CREATE INDEX order_tip_at ON order_tip (location, at);
