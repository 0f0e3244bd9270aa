-- Versions of routing rules. They are never changed: the channel's setting `routing` says which one holds.
CREATE TABLE routing (
    id         uuid        PRIMARY KEY,
    channel    uuid        NOT NULL REFERENCES channel,
    version    int         NOT NULL CHECK (version > 0),
    rules      jsonb       NOT NULL,
    note       text        NOT NULL DEFAULT '',
    actor      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, version)
);
