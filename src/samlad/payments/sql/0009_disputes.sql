-- What customers dispute at their banks: chargebacks, and inquiries that may become one. A row is how one stands at its
-- provider; it may be about a payment that nobody here knows. Its money is entries of the provider's account (`payment_settlement`).
CREATE TABLE payment_dispute (
    id                uuid        PRIMARY KEY,
    provider          text        NOT NULL,
    reference         text        NOT NULL,          -- the provider's own id
    payment           uuid        REFERENCES payment,
    payment_reference text,                          -- what the provider calls the payment
    channel           uuid        REFERENCES channel,
    amount            bigint      NOT NULL CHECK (amount >= 0),
    currency          text        NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    reason            text        NOT NULL DEFAULT '',
    status            text        NOT NULL
                      CHECK (status IN ('needs_response', 'under_review', 'won', 'lost', 'closed')),
    is_inquiry        boolean     NOT NULL,          -- the bank only asks: no money has moved
    evidence_due_at   timestamptz,                   -- by when it is to be answered
    url               text        NOT NULL DEFAULT '',  -- where a person answers it
    entries           text[]      NOT NULL DEFAULT '{}',  -- the provider's ids of its entries in our account there
    opened_at         timestamptz NOT NULL,
    closed_at         timestamptz,
    said_at           timestamptz NOT NULL,          -- as of when the provider said so: what is older changes nothing
    version           int         NOT NULL DEFAULT 1,
    UNIQUE (provider, reference),
    CHECK ((closed_at IS NULL) = (status IN ('needs_response', 'under_review')))
);
CREATE INDEX payment_dispute_payment ON payment_dispute (payment) WHERE payment IS NOT NULL;
CREATE INDEX payment_dispute_open ON payment_dispute (said_at) WHERE closed_at IS NULL;
CREATE INDEX payment_dispute_newest ON payment_dispute (opened_at, id);

-- What of a payment its customer's bank has taken back, or may: it cannot be given back a second time.
ALTER TABLE payment ADD COLUMN disputed bigint NOT NULL DEFAULT 0 CHECK (disputed >= 0 AND disputed <= captured);
