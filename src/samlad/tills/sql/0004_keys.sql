-- Keys of tills: with one a till signs the receipts that it writes without network. Kept for ever, since old receipts are checked with them.
CREATE TABLE till_key (
    kid         text        PRIMARY KEY CHECK (kid ~ '^[0-9a-f]{16}$'),   -- beginning of the SHA-256 of ``public``
    till        uuid        NOT NULL REFERENCES till_device,
    channel     uuid        NOT NULL REFERENCES channel,
    location    uuid        NOT NULL REFERENCES location,
    public      bytea       NOT NULL CHECK (length(public) = 65),        -- a point of P-256, not compressed
    session     uuid,                                -- the sign-in that named it last; it may be over
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text        NOT NULL,
    replaced_at timestamptz,                         -- the till has another since: what this one signed before is good
    revoked_at  timestamptz,
    revoked_by  text,
    reason      text        NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX till_key_current ON till_key (till) WHERE replaced_at IS NULL AND revoked_at IS NULL;
CREATE INDEX till_key_location ON till_key (location, created_at);
CREATE INDEX till_key_session ON till_key (session) WHERE revoked_at IS NULL;
