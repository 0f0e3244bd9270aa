-- Goods that are here and may not be sold until somebody has looked at them. They are off the level (the ledger says so); here
-- is what they are, since when, why, and what they were worth when they were put aside.

CREATE TABLE stock_quarantine (
    id         uuid        PRIMARY KEY,
    location   uuid        NOT NULL REFERENCES location,
    variant    uuid        NOT NULL REFERENCES variant,
    lot        uuid        REFERENCES lot,
    quantity   int         NOT NULL CHECK (quantity > 0),
    units_left int         NOT NULL CHECK (units_left BETWEEN 0 AND quantity),
    value_e4   bigint      NOT NULL CHECK (value_e4 >= 0),  -- of what is left
    reason     text        NOT NULL,
    reference  uuid,                                        -- of its movements: the return … that it came with
    order_id   uuid,                                        -- that sold it, if that is known
    actor      text        NOT NULL,
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stock_quarantine_open ON stock_quarantine (location, created_at, id) WHERE units_left > 0;
CREATE INDEX stock_quarantine_newest ON stock_quarantine (created_at, id);

-- What became of it. The id is the caller's, so that what is told twice happens once.
CREATE TABLE stock_quarantine_act (
    id         uuid        PRIMARY KEY,
    quarantine uuid        NOT NULL REFERENCES stock_quarantine,
    verb       text        NOT NULL CHECK (verb IN ('release', 'write_off', 'return_to_supplier')),
    quantity   int         NOT NULL CHECK (quantity > 0),
    supplier   uuid        REFERENCES supplier,
    note       text        NOT NULL DEFAULT '',
    actor      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stock_quarantine_act_of ON stock_quarantine_act (quarantine, created_at);
