-- Payments that are begun before there is an order, with providers on the network (docs/decisions/payments.md).
-- A row is one attempt to pay. It is made before its provider is called; placing an order claims it.
ALTER TABLE payment ALTER COLUMN order_id DROP NOT NULL;
ALTER TABLE payment DROP CONSTRAINT payment_check2;  -- refunded = 0 OR status = 'captured': parts are captured now
ALTER TABLE payment
    ADD COLUMN cart       uuid,             -- begun for this cart; of the floor of carts, which stands above this one
    ADD COLUMN channel    uuid        REFERENCES channel,
    ADD COLUMN captured   bigint      NOT NULL DEFAULT 0,   -- what came in of the amount
    ADD COLUMN is_leaving boolean     NOT NULL DEFAULT false,  -- to be let go: nobody can claim it, what comes in goes back
    ADD COLUMN expires_at timestamptz,      -- unclaimed after that it is let go
    ADD COLUMN places     boolean     NOT NULL DEFAULT false,  -- the order is placed as soon as the money is reserved
    ADD COLUMN asked_at   timestamptz,      -- when its provider was last asked how it stands
    ADD COLUMN due_on     date,             -- invoices and bank transfers: to be paid by
    ADD COLUMN reminded   smallint    NOT NULL DEFAULT 0,
    ADD COLUMN remind_on  date;             -- the day of the next reminder
UPDATE payment SET captured = amount WHERE status = 'captured';
ALTER TABLE payment
    ADD CHECK (captured >= 0 AND captured <= amount),
    ADD CHECK (refunded <= captured),
    ADD CHECK (status <> 'captured' OR captured > 0),
    ADD CHECK (order_id IS NOT NULL OR cart IS NOT NULL);
CREATE INDEX payment_authorized ON payment (asked_at) WHERE status = 'authorized';
CREATE INDEX payment_provider_reference ON payment (reference) WHERE reference IS NOT NULL AND cart IS NOT NULL;
CREATE INDEX payment_cart ON payment (cart) WHERE cart IS NOT NULL;
CREATE INDEX payment_unclaimed ON payment (expires_at)
    WHERE order_id IS NULL AND NOT is_leaving AND status IN ('pending', 'authorized', 'captured');
CREATE INDEX payment_reminder ON payment (remind_on) WHERE remind_on IS NOT NULL AND status = 'pending';
CREATE UNIQUE INDEX payment_reference ON payment (provider, reference) WHERE due_on IS NOT NULL;

ALTER TABLE refund
    ADD COLUMN status text NOT NULL DEFAULT 'done' CHECK (status IN ('pending', 'done', 'failed')),
    ADD COLUMN problem text;                -- why it failed
CREATE INDEX refund_pending ON refund (created_at) WHERE status = 'pending';

-- What a provider on the network is asked to do: one row each, made in the transaction that wants it, done after its
-- commit and tried again until the provider has answered. The id is the idempotency key. The row is also the job.
CREATE TABLE payment_operation (
    id         uuid        PRIMARY KEY,     -- of an authorisation the payment's, of a refund the refund's
    payment    uuid        NOT NULL REFERENCES payment,
    kind       text        NOT NULL CHECK (kind IN ('authorize', 'capture', 'void', 'refund')),
    amount     bigint      NOT NULL CHECK (amount > 0),
    status     text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'done', 'failed')),
    token      text,                        -- for the authorisation, until it is done: what the provider's page gave
    reason     text,                        -- why it failed, or what went wrong the last time
    tries      int         NOT NULL DEFAULT 0,
    next_at    timestamptz NOT NULL DEFAULT now(),  -- nobody asks before that; also the lease of who asks now
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    CHECK ((status = 'open') = (ended_at IS NULL))
);
CREATE INDEX payment_operation_due ON payment_operation (next_at) WHERE status = 'open';
CREATE INDEX payment_operation_payment ON payment_operation (payment);
-- A payment is authorised once, captured once (all of it or a part, the rest is let go) and let go once.
CREATE UNIQUE INDEX payment_operation_once ON payment_operation (payment, kind)
    WHERE kind <> 'refund' AND status <> 'failed';

-- Money that came in by bank or by hand and says which payment it is for. `bank_id` is the bank's own id of the
-- entry, so that a statement read twice counts once. Without a payment it waits for somebody to look at it.
CREATE TABLE payment_receipt (
    id          uuid        PRIMARY KEY,
    payment     uuid        REFERENCES payment,
    bank_id     text        UNIQUE,
    reference   text,
    currency    text        NOT NULL,
    amount      bigint      NOT NULL CHECK (amount > 0),
    matched     bigint      NOT NULL DEFAULT 0 CHECK (matched >= 0 AND matched <= amount),  -- the rest was too much
    received_on date        NOT NULL,
    note        text        NOT NULL DEFAULT '',
    actor       text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX payment_receipt_payment ON payment_receipt (payment);
CREATE INDEX payment_receipt_open ON payment_receipt (created_at) WHERE matched < amount;

-- References of bank transfers and invoices: numbers without a gap's meaning, never used twice.
CREATE SEQUENCE payment_reference_number START 10001;

-- The terminal simulator's own memory: it stands for a device and its bank, so nothing of ours refers to it.
CREATE TABLE terminal_simulation (
    id         uuid        PRIMARY KEY,     -- the payment's, as idempotency key
    amount     bigint      NOT NULL,
    currency   text        NOT NULL,
    status     text        NOT NULL CHECK (status IN ('waiting', 'approved', 'declined', 'cancelled', 'timed_out')),
    reason     text,
    captured   bigint      NOT NULL DEFAULT 0,
    refunds    jsonb       NOT NULL DEFAULT '{}',   -- amount by idempotency key
    started_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX terminal_simulation_waiting ON terminal_simulation (started_at) WHERE status = 'waiting';
