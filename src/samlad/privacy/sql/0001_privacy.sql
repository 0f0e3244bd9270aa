-- What people asked for: everything that is known of them, or that it is erased.
CREATE TABLE privacy_request (
    id          uuid        PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('access', 'erasure')),
    person      uuid        NOT NULL,                 -- an id of identity or of a customer
    state       text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'cancelled', 'refused')),
    due_at      timestamptz NOT NULL,                 -- it can be cancelled till then
    steps       int         NOT NULL DEFAULT 0,       -- of an erasure, how many tables are done
    total       int         NOT NULL,
    counts      jsonb       NOT NULL DEFAULT '{}',    -- rows by table: found, or erased
    kept        jsonb       NOT NULL DEFAULT '{}',    -- rows by table that the law keeps
    reason      text        NOT NULL DEFAULT '',      -- why it was refused: what is under way
    sealed      bytea,                                -- the person while it runs, the export while it is kept
    actor       text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    expires_at  timestamptz                           -- of an export
);
CREATE UNIQUE INDEX privacy_request_open ON privacy_request (kind, person) WHERE state IN ('waiting', 'running');
CREATE INDEX privacy_request_created ON privacy_request (created_at, id);
CREATE INDEX privacy_request_person ON privacy_request (person, created_at);
CREATE INDEX privacy_request_expires ON privacy_request (expires_at) WHERE sealed IS NOT NULL;
