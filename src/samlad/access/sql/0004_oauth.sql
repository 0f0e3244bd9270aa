-- Clients of OAuth (RFC 6749 §4.4): programs that fetch short-lived tokens with a secret, beside API keys that are sent as they are.
CREATE TABLE oauth_client (
    id            uuid        PRIMARY KEY,      -- its client_id, too
    name          text        NOT NULL,
    scopes        text[]      NOT NULL,         -- permissions; a token has some of them
    locations     uuid[],                       -- null: everywhere
    token_seconds int         NOT NULL CHECK (token_seconds BETWEEN 60 AND 86400),
    created_by    text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz,
    last_used     timestamptz,
    version       int         NOT NULL DEFAULT 1
);
CREATE INDEX oauth_client_created ON oauth_client (created_at, id);

-- Several at once, so that one can be exchanged for another without a gap.
CREATE TABLE oauth_secret (
    id          uuid        PRIMARY KEY,
    client      uuid        NOT NULL REFERENCES oauth_client,
    secret_hash bytea       NOT NULL UNIQUE,    -- SHA-256 of 256 random bits
    hint        text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ends_at     timestamptz
);
CREATE INDEX oauth_secret_client ON oauth_secret (client, created_at);

CREATE TABLE oauth_token (
    token_hash bytea       PRIMARY KEY,
    client     uuid        NOT NULL REFERENCES oauth_client,
    scopes     text[]      NOT NULL,
    issued_at  timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX oauth_token_client ON oauth_token (client);
CREATE INDEX oauth_token_expires ON oauth_token (expires_at);
