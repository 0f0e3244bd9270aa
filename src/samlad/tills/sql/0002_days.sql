-- What tills do beside selling comes by the same journal: goods that came back, orders that were picked up, drawers.
ALTER TABLE till_sale ADD COLUMN kind text NOT NULL DEFAULT 'sale' CHECK (kind ~ '^[a-z-]{1,20}$'),
                      ADD COLUMN subject uuid;         -- what it made or is about: an order, a fulfilment, a shift
ALTER TABLE till_sale DROP CONSTRAINT till_sale_state_check;
ALTER TABLE till_sale ADD CONSTRAINT till_sale_state_check
    CHECK (state IN ('ordered', 'done', 'kept', 'training', 'written_off'));

-- What a till said last of its journal: its last number, and how many entries it had not sent.
ALTER TABLE till_device ADD COLUMN last bigint NOT NULL DEFAULT 0 CHECK (last >= 0),
                        ADD COLUMN unsent int NOT NULL DEFAULT 0 CHECK (unsent >= 0),
                        ADD COLUMN looked_to bigint NOT NULL DEFAULT 0;   -- numbers up to here were looked for

-- Numbers of a till's journal that never came. Kept for ever: when one comes after all, or somebody has looked into it, it says so.
CREATE TABLE till_gap (
    till       uuid        NOT NULL REFERENCES till_device,
    number     bigint      NOT NULL CHECK (number > 0),
    location   uuid        NOT NULL REFERENCES location,
    noticed_at timestamptz NOT NULL DEFAULT now(),
    is_lost    boolean     NOT NULL DEFAULT false,     -- the till itself said that its storage was gone
    came_at    timestamptz,
    looked_at  timestamptz,
    looked_by  text,
    reason     text        NOT NULL DEFAULT '',
    PRIMARY KEY (till, number)
);
CREATE INDEX till_gap_open ON till_gap (location, noticed_at) WHERE came_at IS NULL AND looked_at IS NULL;
