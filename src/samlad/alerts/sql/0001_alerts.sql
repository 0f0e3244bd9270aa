-- Who wants to be told once when something is there again. Told or given up, the address goes.
CREATE TABLE stock_alert (
    id         uuid        PRIMARY KEY,
    channel    uuid        NOT NULL REFERENCES channel,
    variant    uuid        NOT NULL REFERENCES variant ON DELETE CASCADE,
    customer   uuid        REFERENCES customer,
    email      text,                               -- small letters
    language   text        NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    consent    text        NOT NULL DEFAULT '',    -- the words that they agreed to
    asked_at   timestamptz NOT NULL DEFAULT now(),
    looked_at  timestamptz NOT NULL DEFAULT '-infinity',
    told_at    timestamptz,
    ended_at   timestamptz,
    CHECK (told_at IS NULL OR ended_at IS NOT NULL)
);
CREATE UNIQUE INDEX stock_alert_email ON stock_alert (channel, variant, email) WHERE ended_at IS NULL AND email IS NOT NULL;
CREATE UNIQUE INDEX stock_alert_customer ON stock_alert (channel, variant, customer)
    WHERE ended_at IS NULL AND customer IS NOT NULL;
CREATE INDEX stock_alert_waiting ON stock_alert (channel, variant) WHERE ended_at IS NULL;
CREATE INDEX stock_alert_of ON stock_alert (customer) WHERE customer IS NOT NULL;
