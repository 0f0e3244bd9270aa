-- What payment providers took for themselves and paid out: one row for each entry of their own account with us.
CREATE TABLE payment_settlement (
    id          uuid        PRIMARY KEY,
    provider    text        NOT NULL,
    reference   text        NOT NULL,              -- the provider's id of the entry: the same one again counts once
    kind        text        NOT NULL CHECK (kind IN ('charge', 'refund', 'fee', 'adjustment', 'payout')),
    amount      bigint      NOT NULL,              -- minor units; below zero it left the account there
    fee         bigint      NOT NULL DEFAULT 0,    -- what the provider kept, below zero if it gave it back
    currency    text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payment     uuid        REFERENCES payment,
    source      text,                              -- what it was for there
    channel     uuid        REFERENCES channel,
    happened_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, reference)
);
CREATE INDEX payment_settlement_newest ON payment_settlement (happened_at, id);
CREATE INDEX payment_settlement_payment ON payment_settlement (payment) WHERE payment IS NOT NULL;
