-- One act on all rows of a list that a filter found. Each row is a transaction of its own that also notes its outcome here: a
-- job that is killed goes on. What a row was before is the word by which it is taken back; none: it was so already.
CREATE TABLE bulk_act (
    id         uuid        PRIMARY KEY,
    kind       text        NOT NULL,
    is_back    boolean     NOT NULL DEFAULT false, -- it takes another back
    arguments  jsonb       NOT NULL,
    staff      uuid,                               -- who asked for it
    actor      jsonb       NOT NULL,               -- what they might do then; what they may now is looked up as well
    total      int         NOT NULL CHECK (total > 0),
    state      text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped')),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);

CREATE TABLE bulk_act_row (
    bulk     uuid NOT NULL REFERENCES bulk_act,
    position int  NOT NULL,
    subject  uuid NOT NULL,
    before   text,
    state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused')),
    reason   text NOT NULL DEFAULT '',
    PRIMARY KEY (bulk, position)
);
CREATE INDEX bulk_act_row_waiting ON bulk_act_row (bulk, position) WHERE state = 'waiting';
