-- Whose data must not come in again by a file or a client: a keyed hash of each identifier of those who were erased.
CREATE TABLE customer_tombstone (
    hash      bytea       PRIMARY KEY,   -- HMAC-SHA-256 with a key of the vault; without that it tells nothing
    erased_at timestamptz NOT NULL DEFAULT now()
);
