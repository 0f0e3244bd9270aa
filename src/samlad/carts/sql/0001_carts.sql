-- What somebody means to buy.
CREATE TABLE cart (
    id             uuid        PRIMARY KEY,
    pool           uuid        NOT NULL REFERENCES pool,
    channel        uuid        NOT NULL REFERENCES channel,
    customer       uuid        REFERENCES customer,
    token_hash     bytea       UNIQUE,   -- SHA-256 of the 32 random bytes that its guest holds
    customer_group text,                 -- of the customer, for prices
    currency       text        NOT NULL,
    status         text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'checkout', 'ordered', 'abandoned')),
    email          text,
    name           text,
    phone          text,
    address        jsonb,
    delivery       text        CHECK (delivery IN ('ship', 'pickup', 'carry_out')),
    location       uuid        REFERENCES location,   -- of pick-up, or of the till
    checkout_until timestamptz,          -- prices stand and stock is held till then; stays when it was ordered from there
    order_id       uuid,                 -- of the floor of orders
    version        int         NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CHECK (status <> 'checkout' OR checkout_until IS NOT NULL),
    CHECK (status <> 'open' OR checkout_until IS NULL),
    CHECK ((status = 'ordered') = (order_id IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX cart_customer ON cart (customer) WHERE customer IS NOT NULL;
CREATE INDEX cart_checkout ON cart (checkout_until) WHERE status = 'checkout';
CREATE INDEX cart_open ON cart (updated_at) WHERE status = 'open';

CREATE TABLE cart_line (
    id         uuid   PRIMARY KEY,
    cart       uuid   NOT NULL REFERENCES cart ON DELETE CASCADE,
    variant    uuid   NOT NULL REFERENCES variant,
    quantity   int    NOT NULL CHECK (quantity BETWEEN 1 AND 9999),
    unit_price bigint NOT NULL CHECK (unit_price >= 0),  -- as it was last shown and agreed to, minor units
    version    int    NOT NULL DEFAULT 1,
    UNIQUE (cart, variant)
);
