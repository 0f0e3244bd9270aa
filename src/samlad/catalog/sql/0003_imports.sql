-- Where an import puts the whole file before it writes a single product. Unlogged: a crash empties it, and nothing is lost
-- by that, because the file is imported again.
CREATE UNLOGGED TABLE import_row (
    run       uuid NOT NULL,
    number    int  NOT NULL,
    data      bytea NOT NULL,  -- a ProductRow as JSON
    staged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, number)
);
