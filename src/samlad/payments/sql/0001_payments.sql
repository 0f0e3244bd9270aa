-- Money that came in for an order, or is promised. Card numbers never come here: a provider keeps them and gives a
-- reference. Each change of status is an event; the row is how it stands now.
CREATE TABLE payment (
    id          uuid        PRIMARY KEY,   -- also the idempotency key towards the provider
    order_id    uuid        NOT NULL,      -- of the floor of orders, which stands above this one
    provider    text        NOT NULL,
    currency    text        NOT NULL,
    amount      bigint      NOT NULL CHECK (amount > 0),                       -- minor units
    status      text        NOT NULL CHECK (status IN ('pending', 'authorized', 'captured', 'voided', 'declined')),
    refunded    bigint      NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= amount),
    reference   text,                      -- the provider's own
    reason      text,                      -- why it was declined
    tendered    bigint      CHECK (tendered >= amount),                        -- cash that was handed over
    change_due  bigint      GENERATED ALWAYS AS (tendered - amount) STORED,
    version     int         NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    CHECK (refunded = 0 OR status = 'captured')
);
CREATE INDEX payment_order ON payment (order_id);
CREATE INDEX payment_pending ON payment (created_at) WHERE status = 'pending';

-- What went back, one row each; its id is the idempotency key towards the provider.
CREATE TABLE refund (
    id         uuid        PRIMARY KEY,
    payment    uuid        NOT NULL REFERENCES payment,
    amount     bigint      NOT NULL CHECK (amount > 0),
    reference  text,
    reason     text        NOT NULL DEFAULT '',
    actor      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refund_payment ON refund (payment);
