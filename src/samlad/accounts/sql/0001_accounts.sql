-- How customers prove who they are, where they are signed in, and what they keep with us. Whose an account is, is a row of
-- customers: the pool is that row's, and the person whatever identity makes of it now.

CREATE TABLE account (
    id            uuid        PRIMARY KEY,
    customer      uuid        NOT NULL UNIQUE REFERENCES customer,
    email         text        CHECK (email = lower(email)),  -- proved by a link; null: came in by a code at a till
    password_hash text,       -- argon2id in PHC form; null: without a password
    language      text,
    store         uuid        REFERENCES location,
    signed_in_at  timestamptz,
    version       int         NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX account_email ON account (email) WHERE email IS NOT NULL;

CREATE TABLE account_session (
    id           uuid        PRIMARY KEY,
    token_hash   bytea       NOT NULL UNIQUE,  -- SHA-256 of 32 random bytes that only the browser has
    account      uuid        NOT NULL REFERENCES account ON DELETE CASCADE,
    means        text        NOT NULL CHECK (means IN ('link', 'code', 'password', 'passkey')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen    timestamptz NOT NULL DEFAULT now(),
    idle_until   timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    remote       text,
    agent        text        NOT NULL DEFAULT ''
);
CREATE INDEX account_session_account ON account_session (account);
CREATE INDEX account_session_ends ON account_session (ends_at);

CREATE TABLE account_passkey (
    id            uuid        PRIMARY KEY,
    account       uuid        NOT NULL REFERENCES account ON DELETE CASCADE,
    credential_id bytea       NOT NULL UNIQUE,
    public_key    bytea       NOT NULL,  -- COSE
    sign_count    bigint      NOT NULL,
    name          text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used     timestamptz
);
CREATE INDEX account_passkey_account ON account_passkey (account);

-- A link that was sent to an address. It signs in whoever has the address; the account is made then, not before.
CREATE TABLE account_link (
    token_hash   bytea       PRIMARY KEY,
    email        text        NOT NULL CHECK (email = lower(email)),
    channel      uuid        NOT NULL REFERENCES channel ON DELETE CASCADE,
    browser_hash bytea,      -- SHA-256 of what the browser keeps that asked; null: somebody else asked for them
    next         text        NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL,
    used_at      timestamptz
);
CREATE INDEX account_link_email ON account_link (email);
CREATE INDEX account_link_expires ON account_link (expires_at);

-- A code that a clerk shows; one for each customer.
CREATE TABLE account_code (
    customer    uuid        PRIMARY KEY REFERENCES customer,
    code_hash   bytea       NOT NULL,
    secret_hash bytea       NOT NULL UNIQUE,
    tries_left  int         NOT NULL CHECK (tries_left >= 0),
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL
);

-- Another address for an account, until both have said yes: the one that it is and the one that it will be.
CREATE TABLE account_mail_change (
    account    uuid        PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    email      text        NOT NULL CHECK (email = lower(email)),
    new_hash   bytea       NOT NULL UNIQUE,
    old_hash   bytea       UNIQUE,  -- null: there was no address, or it has said yes
    new_said   boolean     NOT NULL DEFAULT false,
    old_said   boolean     NOT NULL DEFAULT false,
    expires_at timestamptz NOT NULL
);

CREATE TABLE account_address (
    id          uuid        PRIMARY KEY,
    account     uuid        NOT NULL REFERENCES account ON DELETE CASCADE,
    address     jsonb       NOT NULL,
    is_delivery boolean     NOT NULL DEFAULT false,  -- filled in at the checkout
    is_invoice  boolean     NOT NULL DEFAULT false,
    version     int         NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX account_address_account ON account_address (account);
CREATE UNIQUE INDEX account_address_delivery ON account_address (account) WHERE is_delivery;
CREATE UNIQUE INDEX account_address_invoice ON account_address (account) WHERE is_invoice;

CREATE TABLE account_size (
    account uuid NOT NULL REFERENCES account ON DELETE CASCADE,
    chart   uuid NOT NULL REFERENCES size_chart ON DELETE CASCADE,
    size    text NOT NULL,
    PRIMARY KEY (account, chart)
);
