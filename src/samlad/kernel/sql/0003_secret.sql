-- Secrets at rest, sealed by kernel.vault: the database alone cannot open them.
CREATE TABLE secret (
    name       text        PRIMARY KEY,  -- what it is for, such as connector:0198…:token
    sealed     bytea       NOT NULL,     -- version, key id, nonce, AES-256-GCM of the value
    updated_at timestamptz NOT NULL DEFAULT now()
);
