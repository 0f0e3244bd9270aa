-- Card terminals of a location. A terminal works on one payment at a time: whoever begins one holds its row.
CREATE TABLE card_terminal (
    id         uuid        PRIMARY KEY,
    location   uuid        NOT NULL REFERENCES location,
    name       text        NOT NULL CHECK (name <> ''),
    reference  text        NOT NULL DEFAULT '',   -- what its provider calls it
    is_active  boolean     NOT NULL DEFAULT true, -- false: removed; payments still name it
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX card_terminal_name ON card_terminal (location, lower(name)) WHERE is_active;
CREATE INDEX card_terminal_location ON card_terminal (location);

ALTER TABLE payment ADD COLUMN terminal uuid REFERENCES card_terminal;  -- that was asked for it
ALTER TABLE terminal_simulation ADD COLUMN device text;                 -- which of the simulated terminals shows it
-- No terminal shows two payments, however they were begun.
CREATE UNIQUE INDEX payment_at_terminal ON payment (terminal)
    WHERE terminal IS NOT NULL AND status = 'pending' AND NOT is_leaving;
CREATE INDEX payment_terminal ON payment (terminal, created_at) WHERE terminal IS NOT NULL;

-- Stores that take cards at a terminal have had one until now. What a channel does not set it has from its parent.
WITH RECURSIVE above AS (
    SELECT id AS channel, parent, settings -> 'payment_providers' AS offered FROM channel
    UNION ALL
    SELECT a.channel, c.parent, c.settings -> 'payment_providers' FROM above a JOIN channel c ON c.id = a.parent
    WHERE a.offered IS NULL
)
INSERT INTO card_terminal (id, location, name)
SELECT gen_random_uuid(), l.id, 'Card terminal' FROM location l
WHERE l.is_active AND l.channel IN (SELECT channel FROM above WHERE offered ? 'terminal');
