-- Papers of many orders in files: invoices, packing slips or labels. docs/concepts/order-desk.md.
CREATE TABLE paper_run (
    id         uuid        PRIMARY KEY,   -- of whoever asks: asked twice it is one
    what       text        NOT NULL CHECK (what IN ('invoices', 'packing_slips', 'labels')),
    form       text        NOT NULL CHECK (form IN ('pdf', 'zip')),
    staff      uuid,
    asked_name text        NOT NULL DEFAULT '',
    locations  uuid[],                    -- whose parts of orders are meant; null: everywhere
    total      int         NOT NULL CHECK (total > 0),
    state      text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'ready', 'stopped', 'failed')),
    reason     text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE INDEX paper_run_newest ON paper_run (created_at, id);
CREATE INDEX paper_run_ended ON paper_run (ended_at) WHERE ended_at IS NOT NULL;

-- An order of a run, and what became of it. A part is what one transaction made, named by its first row.
CREATE TABLE paper_row (
    run      uuid NOT NULL REFERENCES paper_run ON DELETE CASCADE,
    position int  NOT NULL,
    order_id uuid NOT NULL REFERENCES orders,
    state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'left_out')),
    reason   text NOT NULL DEFAULT '',
    part     int,
    PRIMARY KEY (run, position)
);
CREATE INDEX paper_row_waiting ON paper_row (run, position) WHERE state = 'waiting';
CREATE INDEX paper_row_order ON paper_row (order_id);

-- Files are kept for three days.
CREATE TABLE paper_file (
    run     uuid  NOT NULL REFERENCES paper_run ON DELETE CASCADE,
    part    int   NOT NULL,
    place   int   NOT NULL,
    name    text  NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (run, part, place)
);
ALTER TABLE paper_file ALTER COLUMN content SET STORAGE EXTERNAL;  -- PDFs are compressed
