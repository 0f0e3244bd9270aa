-- Carts that several devices and helpers share, lists beside them, parked sales, quotes, and what undoes a merge.
ALTER TABLE cart
    ADD COLUMN kind         text        NOT NULL DEFAULT 'cart' CHECK (kind IN ('cart', 'saved', 'wish', 'quote')),
    ADD COLUMN label        text,                            -- what its people call it
    ADD COLUMN is_current   boolean     NOT NULL DEFAULT true, -- of its customer's carts the one that is meant
    ADD COLUMN gift_note    text,
    ADD COLUMN merged_into  uuid        REFERENCES cart,
    ADD COLUMN held_until   timestamptz,                     -- what an open or parked cart holds, it holds till then
    ADD COLUMN quoted_until timestamptz,                     -- a quote can be accepted till then
    DROP CONSTRAINT cart_status_check,
    ADD CONSTRAINT cart_status_check
        CHECK (status IN ('open', 'checkout', 'parked', 'merged', 'ordered', 'abandoned')),
    ADD CONSTRAINT cart_merged_into CHECK ((status = 'merged') = (merged_into IS NOT NULL)),
    ADD CONSTRAINT cart_quoted CHECK (kind <> 'quote' OR quoted_until IS NOT NULL);

-- Of several live carts that a customer had before, the one touched last is the one that is meant.
UPDATE cart c SET is_current = false
WHERE customer IS NOT NULL AND status IN ('open', 'checkout')
  AND EXISTS (SELECT FROM cart n WHERE n.customer = c.customer AND n.pool = c.pool AND n.status IN ('open', 'checkout')
                                   AND (n.updated_at, n.id) > (c.updated_at, c.id));
-- One live cart for a person and pool.
CREATE UNIQUE INDEX cart_live ON cart (customer, pool)
    WHERE is_current AND kind = 'cart' AND status IN ('open', 'checkout');
CREATE INDEX cart_parked ON cart (channel) WHERE status = 'parked';
DROP INDEX cart_open;
CREATE INDEX cart_idle ON cart (updated_at) WHERE status IN ('open', 'parked') AND kind = 'cart';

ALTER TABLE cart_line
    ADD COLUMN added_by    text NOT NULL DEFAULT 'guest',  -- kinds of actors: guest, customer, staff, key, system
    ADD COLUMN changed_by  text NOT NULL DEFAULT 'guest',
    ADD COLUMN gift_note   text,
    ADD COLUMN price_until timestamptz,                    -- of a quote: unit_price stands till then
    ADD COLUMN problem     text CHECK (problem IN ('not-available', 'short'));  -- as the buyer was last told

-- Tokens beside cart.token_hash: of devices that a cart was handed over to, and of carts that were merged into it.
CREATE TABLE cart_token (
    id         uuid        PRIMARY KEY,
    hash       bytea       NOT NULL,       -- SHA-256 of 32 random bytes
    cart       uuid        NOT NULL REFERENCES cart ON DELETE CASCADE,
    how        text        NOT NULL CHECK (how IN ('link', 'code', 'merge', 'kept')),
    merge      uuid,                       -- it came with this merge and goes when that is undone
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (hash, cart)
);
CREATE INDEX cart_token_cart ON cart_token (cart);

-- An offer to go on elsewhere: one a cart, good once, for minutes.
CREATE TABLE cart_handover (
    cart        uuid        PRIMARY KEY REFERENCES cart ON DELETE CASCADE,
    pool        uuid        NOT NULL REFERENCES pool,
    secret_hash bytea       NOT NULL UNIQUE,
    code_hash   bytea       NOT NULL,
    expires_at  timestamptz NOT NULL,
    CONSTRAINT cart_handover_code UNIQUE (pool, code_hash)
);
CREATE INDEX cart_handover_expiring ON cart_handover (expires_at);

-- The journal of merges: how both carts were before, so that each can be undone.
CREATE TABLE cart_merge (
    id         uuid        PRIMARY KEY,
    cart       uuid        NOT NULL REFERENCES cart,     -- the one that goes on
    other      uuid        REFERENCES cart,              -- the one that went into it, or was put aside
    how        text        NOT NULL CHECK (how IN ('claimed', 'merged', 'kept')),
    before     jsonb       NOT NULL,
    after      jsonb       NOT NULL,
    actor      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    undone_at  timestamptz
);
CREATE INDEX cart_merge_cart ON cart_merge (cart, id) WHERE undone_at IS NULL;
CREATE INDEX cart_merge_other ON cart_merge (other) WHERE other IS NOT NULL;
