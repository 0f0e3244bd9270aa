-- Tips that were paid out to whom they were given for: out of a drawer, by the bank, or with the wages. Which tips those are is in
-- tip_payout_line; what of each was paid in all is in order_tip. One that was undone stays, with who did it and why.
CREATE TABLE tip_payout (
    id          uuid        PRIMARY KEY,                       -- the caller's key
    location    uuid        NOT NULL REFERENCES location,
    clerk       uuid,                                          -- null: nobody was named
    clerk_name  text        NOT NULL DEFAULT '',
    currency    text        NOT NULL,
    amount      bigint      NOT NULL CHECK (amount > 0),       -- what was owed
    paid        bigint      NOT NULL CHECK (paid >= 0),        -- what coins can pay of it; the rest is rounding
    means       text        NOT NULL CHECK (means IN ('drawer', 'bank', 'wages')),
    shift       uuid        REFERENCES till_shift,             -- whose drawer it came out of
    actor       text        NOT NULL,
    name        text        NOT NULL,
    at          timestamptz NOT NULL,
    undone_by   text,
    undone_name text,
    undone_at   timestamptz,
    reason      text,
    CHECK ((means = 'drawer') = (shift IS NOT NULL)),
    CHECK ((undone_at IS NULL) = (reason IS NULL) AND (undone_at IS NULL) = (undone_by IS NULL))
);
CREATE INDEX tip_payout_at ON tip_payout (at, id);

CREATE TABLE tip_payout_line (
    payout   uuid   NOT NULL REFERENCES tip_payout,
    order_id uuid   NOT NULL REFERENCES order_tip,
    amount   bigint NOT NULL CHECK (amount <> 0),              -- below zero: it had gone back after it was paid out
    PRIMARY KEY (payout, order_id)
);
CREATE INDEX tip_payout_line_order ON tip_payout_line (order_id);
