-- Staff, how they prove who they are, what they may do, and what they did.

CREATE TABLE staff (
    id             uuid        PRIMARY KEY,
    email          text        NOT NULL CHECK (email = lower(email)),
    name           text        NOT NULL,
    locale         text        NOT NULL DEFAULT 'en',
    status         text        NOT NULL CHECK (status IN ('active', 'invited', 'disabled')),
    password_hash  text,       -- argon2id in PHC form; null: signs in by passkey or OpenID Connect only
    totp_secret    bytea,      -- encrypted by the vault
    totp_waiting   bytea,      -- the same, shown as a QR code but not confirmed by a first code yet
    totp_last_step bigint      NOT NULL DEFAULT 0,  -- a code of this 30-second step or before is not taken again
    oidc_subject   text,       -- issuer|sub; bound when they first sign in by OpenID Connect
    signed_in_at   timestamptz,
    version        int         NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX staff_email ON staff (email);

CREATE TABLE staff_role (
    staff uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    role  text NOT NULL,
    PRIMARY KEY (staff, role)
);
CREATE INDEX staff_role_role ON staff_role (role);

-- No rows: everywhere. The ids are those of stock's locations, a floor above, hence no foreign key.
CREATE TABLE staff_location (
    staff    uuid NOT NULL REFERENCES staff ON DELETE CASCADE,
    location uuid NOT NULL,
    PRIMARY KEY (staff, location)
);

CREATE TABLE passkey (
    id            uuid        PRIMARY KEY,
    staff         uuid        NOT NULL REFERENCES staff ON DELETE CASCADE,
    credential_id bytea       NOT NULL UNIQUE,
    public_key    bytea       NOT NULL,  -- COSE
    sign_count    bigint      NOT NULL,
    name          text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_used     timestamptz
);
CREATE INDEX passkey_staff ON passkey (staff);

CREATE TABLE recovery_code (
    staff     uuid        NOT NULL REFERENCES staff ON DELETE CASCADE,
    code_hash bytea       NOT NULL,  -- SHA-256 of 80 random bits
    used_at   timestamptz,
    PRIMARY KEY (staff, code_hash)
);

CREATE TABLE session (
    id           uuid        PRIMARY KEY,
    token_hash   bytea       NOT NULL UNIQUE,  -- SHA-256 of 32 random bytes that only the browser has
    staff        uuid        NOT NULL REFERENCES staff ON DELETE CASCADE,
    state        text        NOT NULL CHECK (state IN ('code-needed', 'signed-in')),
    means        text        NOT NULL,  -- password, password+code, password+recovery, passkey, oidc, link
    created_at   timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz NOT NULL DEFAULT now(),  -- when they last proved who they are
    last_seen    timestamptz NOT NULL DEFAULT now(),
    idle_until   timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    remote       text,
    agent        text        NOT NULL DEFAULT ''
);
CREATE INDEX session_staff ON session (staff);
CREATE INDEX session_ends ON session (ends_at);

CREATE TABLE one_time_link (
    token_hash bytea       PRIMARY KEY,
    staff      uuid        REFERENCES staff ON DELETE CASCADE,  -- null: the first owner, who is nobody yet
    purpose    text        NOT NULL CHECK (purpose IN ('first-owner', 'invitation', 'password-reset')),
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX one_time_link_staff ON one_time_link (staff);

-- A passkey or OpenID Connect exchange that has begun: what its answer must fit. Taken (deleted) by the answer.
CREATE TABLE ceremony (
    token_hash bytea       PRIMARY KEY,
    kind       text        NOT NULL,
    staff      uuid        REFERENCES staff ON DELETE CASCADE,
    data       jsonb       NOT NULL,
    expires_at timestamptz NOT NULL
);

-- Failed tries to sign in, by account (a hash of the e-mail as typed, whether it exists or not) and by address.
CREATE UNLOGGED TABLE sign_in_attempt (
    kind         text        NOT NULL,
    key          bytea       NOT NULL,
    failed       int         NOT NULL,
    last_at      timestamptz NOT NULL,
    locked_until timestamptz NOT NULL DEFAULT '-infinity',
    PRIMARY KEY (kind, key)
);

CREATE UNLOGGED TABLE rate_window (
    bucket     text        NOT NULL,
    key        text        NOT NULL,
    started_at timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    used       int         NOT NULL,
    PRIMARY KEY (bucket, key)
);

CREATE TABLE api_key (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    hint       text        NOT NULL,  -- the first characters, to recognise it by
    key_hash   bytea       NOT NULL UNIQUE,  -- SHA-256
    scopes     text[]      NOT NULL,
    locations  uuid[],     -- null: everywhere
    created_by text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used  timestamptz
);

CREATE TABLE audit_entry (
    id           uuid        PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    actor_kind   text        NOT NULL,
    actor_id     uuid,
    actor_name   text        NOT NULL,
    verb         text        NOT NULL,
    subject_type text        NOT NULL,
    subject      uuid,
    before       jsonb,
    after        jsonb,
    difference   text        NOT NULL,  -- for people, one line a field
    request      uuid        NOT NULL,
    remote       text
);
CREATE INDEX audit_entry_subject ON audit_entry (subject, id) WHERE subject IS NOT NULL;
CREATE INDEX audit_entry_actor ON audit_entry (actor_id, id) WHERE actor_id IS NOT NULL;
CREATE INDEX audit_entry_text ON audit_entry
    USING gin ((verb || ' ' || actor_name || ' ' || difference) gin_trgm_ops);

COMMENT ON TABLE audit_entry IS 'Who changed what. Append-only; written only by access.audit';

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_not_truncated BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
