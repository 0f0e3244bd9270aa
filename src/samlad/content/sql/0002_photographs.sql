-- Photographs that customers sent, drawn anew without what a camera wrote beside them. In the database and not in a folder:
-- one statement erases them, and every machine has them. `subject` is what they belong to: a return, a review; while they
-- wait, whoever sent them.
CREATE TABLE photograph (
    id           uuid        PRIMARY KEY,     -- random: it is the address
    subject      uuid        NOT NULL,
    waits        boolean     NOT NULL DEFAULT true,
    content      bytea       NOT NULL,        -- WebP
    thumb        bytea       NOT NULL,
    width        int         NOT NULL,
    height       int         NOT NULL,
    thumb_width  int         NOT NULL,
    thumb_height int         NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE photograph ALTER content SET STORAGE EXTERNAL, ALTER thumb SET STORAGE EXTERNAL;  -- WebP does not shrink
CREATE INDEX photograph_subject ON photograph (subject);
CREATE INDEX photograph_waiting ON photograph (created_at) WHERE waits;
