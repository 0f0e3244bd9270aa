-- Sheets of price tags and shelf labels that somebody asked for. The file is kept for some days, then made anew if wanted.
CREATE TABLE label_run (
    id         uuid        PRIMARY KEY,   -- of whoever asks: asked twice it is one
    channel    uuid        NOT NULL REFERENCES channel,
    template   text        NOT NULL,
    wanted     jsonb       NOT NULL,      -- which goods, how many of each, how they look
    state      text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'ready', 'failed')),
    labels     int         NOT NULL DEFAULT 0,
    missing    text[]      NOT NULL DEFAULT '{}',  -- codes that nothing is sold under here
    reason     text        NOT NULL DEFAULT '',
    asked_by   text        NOT NULL,
    asked_name text        NOT NULL DEFAULT '',
    asked_at   timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    size       int         NOT NULL DEFAULT 0
);
CREATE INDEX label_run_channel ON label_run (channel, asked_at DESC, id);
CREATE INDEX label_run_ended ON label_run (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE label_file (
    run     uuid  PRIMARY KEY REFERENCES label_run ON DELETE CASCADE,
    content bytea NOT NULL
);
