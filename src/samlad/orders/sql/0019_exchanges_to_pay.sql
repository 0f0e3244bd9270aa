-- Exchanges that cost their customer more, agreed to and not paid yet (docs/decisions/exchanges-paid-online.md). As soon as
-- the money is reserved one becomes a change of its order, with its id; payments are begun for that id. Until then the new
-- goods are held for it.
CREATE TABLE exchange_to_pay (
    id          uuid        PRIMARY KEY,              -- of the change that it becomes
    order_id    uuid        NOT NULL REFERENCES orders,
    channel     uuid        NOT NULL REFERENCES channel,  -- that sells the new goods
    input       jsonb       NOT NULL,                 -- the change that was agreed to, without its note
    sealed_note bytea,                                -- with the order's key, until it ends
    amount      bigint      NOT NULL CHECK (amount > 0),  -- minor units
    currency    text        NOT NULL,
    state       text        NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'made', 'ended')),
    reason      text,                                 -- why it ended: a problem's code, or who ended it
    actor       text        NOT NULL,
    expires_at  timestamptz NOT NULL,                 -- so long the new goods are held
    created_at  timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    CHECK ((state = 'open') = (ended_at IS NULL))
);
-- Of an order one at a time: a customer who begins another has changed their mind.
CREATE UNIQUE INDEX exchange_to_pay_one ON exchange_to_pay (order_id) WHERE state = 'open';
CREATE INDEX exchange_to_pay_order ON exchange_to_pay (order_id);
CREATE INDEX exchange_to_pay_open ON exchange_to_pay (expires_at) WHERE state = 'open';
