-- Goods that go back to their supplier: a movement with a cause of its own, what the supplier is to credit, and what of that
-- has come. Amounts are minor units of the location's currency, without input tax; values are ten-thousandths (e4).
ALTER TABLE movement
    DROP CONSTRAINT movement_cause_check,
    ADD CONSTRAINT movement_cause_check CHECK (cause IN ('receipt', 'sale', 'return', 'count', 'damage',
        'transfer_out', 'transfer_in', 'correction', 'revaluation', 'supplier_return'));

-- The id is the caller's, so that what is told twice leaves once. The movements name it as their reference.
CREATE TABLE supplier_return (
    id         uuid        PRIMARY KEY,
    number     bigint      NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY,
    supplier   uuid        NOT NULL REFERENCES supplier,
    purchase   uuid        REFERENCES purchase_order,
    location   uuid        NOT NULL REFERENCES location,
    status     text        NOT NULL DEFAULT 'sent' CHECK (status IN ('sent', 'credited', 'closed')),
    reason     text        NOT NULL CHECK (reason IN ('faulty', 'wrong', 'too_many', 'unsold', 'recall', 'other')),
    reference  text        NOT NULL DEFAULT '',  -- the supplier's number
    note       text        NOT NULL DEFAULT '',
    currency   text        NOT NULL,
    expected   bigint      NOT NULL CHECK (expected >= 0),             -- what the supplier is to credit
    credited   bigint      NOT NULL DEFAULT 0 CHECK (credited >= 0),   -- what has come of it
    actor      text        NOT NULL,
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX supplier_return_newest ON supplier_return (created_at, id);
CREATE INDEX supplier_return_of ON supplier_return (purchase) WHERE purchase IS NOT NULL;
CREATE TABLE supplier_return_line (
    supplier_return uuid   NOT NULL REFERENCES supplier_return,
    position        int    NOT NULL,
    variant         uuid   NOT NULL REFERENCES variant,
    lot             uuid   REFERENCES lot,
    quantity        int    NOT NULL CHECK (quantity > 0),
    unit_cost_e4    bigint NOT NULL CHECK (unit_cost_e4 >= 0),  -- what the supplier is to credit for each
    value_e4        bigint NOT NULL CHECK (value_e4 >= 0),      -- what the units were worth here
    PRIMARY KEY (supplier_return, position)
);

-- A credit note of the supplier. Its id is the caller's, too.
CREATE TABLE supplier_credit (
    id              uuid        PRIMARY KEY,
    supplier_return uuid        NOT NULL REFERENCES supplier_return,
    amount          bigint      NOT NULL CHECK (amount > 0),
    reference       text        NOT NULL DEFAULT '',
    actor           text        NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX supplier_credit_of ON supplier_credit (supplier_return, created_at);
