-- Purchases, and what came back of them. Amounts are minor units of the order's currency, with tax.
CREATE TABLE orders (
    id             uuid        PRIMARY KEY,
    pool           uuid        NOT NULL REFERENCES pool,
    channel        uuid        NOT NULL REFERENCES channel,
    number         text        NOT NULL,
    kind           text        NOT NULL CHECK (kind IN ('sale', 'return', 'adjustment')),
    status         text        NOT NULL CHECK (status IN ('placed', 'paid', 'partially_fulfilled', 'fulfilled',
                                                          'cancelled', 'returned')),
    payment_status text        NOT NULL CHECK (payment_status IN ('unpaid', 'pending', 'authorized', 'paid',
                                                                  'refunded')),
    customer       uuid        REFERENCES customer,
    email          text,
    name           text,
    phone          text,
    address        jsonb,
    country        text,
    currency       text        NOT NULL,
    delivery       text        CHECK (delivery IN ('ship', 'pickup', 'carry_out')),
    location       uuid        REFERENCES location,   -- of pick-up, of the till, or where a return came in
    items          int         NOT NULL,              -- units of goods; negative when they came back
    tax            bigint      NOT NULL,              -- the part of the total that is tax
    total          bigint      NOT NULL,
    paid           bigint      NOT NULL DEFAULT 0 CHECK (paid >= 0),       -- captured; less `refunded` is what we have
    refunded       bigint      NOT NULL DEFAULT 0 CHECK (refunded >= 0 AND refunded <= paid),
    cart           uuid        UNIQUE,
    returns        uuid        REFERENCES orders,     -- the sale that a return takes back, if it is one
    is_held        boolean     NOT NULL DEFAULT false,  -- its goods are claimed in stock
    imported       text,                              -- the source, for history that moved no stock here
    placed_at      timestamptz NOT NULL,
    local_day      date        NOT NULL,              -- the day of placed_at where the channel is
    counted        boolean     NOT NULL DEFAULT false, -- it is in order_day and customer_spend
    actor          text        NOT NULL,
    version        int         NOT NULL DEFAULT 1,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, number)
) WITH (fillfactor = 85);
CREATE INDEX orders_placed ON orders (placed_at, id);
CREATE INDEX orders_channel_placed ON orders (channel, placed_at, id);
CREATE INDEX orders_customer ON orders (customer, placed_at) WHERE customer IS NOT NULL;
CREATE INDEX orders_returns ON orders (returns) WHERE returns IS NOT NULL;
CREATE INDEX orders_open ON orders (status, placed_at) WHERE status IN ('placed', 'paid', 'partially_fulfilled');
CREATE INDEX orders_number ON orders (number text_pattern_ops);
CREATE INDEX orders_email ON orders (lower(email) text_pattern_ops) WHERE email IS NOT NULL;
CREATE INDEX orders_uncounted ON orders (id) WHERE NOT counted;

-- Lines are copies of what was bought as it was then; the catalogue may change or forget it.
CREATE TABLE order_line (
    order_id         uuid     NOT NULL REFERENCES orders,
    position         smallint NOT NULL CHECK (position > 0),
    kind             text     NOT NULL CHECK (kind IN ('item', 'shipping', 'fee', 'discount', 'adjustment')),
    variant          uuid,
    sku              text,
    title            text     NOT NULL,
    options          text     NOT NULL DEFAULT '',
    quantity         int      NOT NULL,
    unit_price       bigint   NOT NULL,              -- as quoted: with tax if tax_included
    tax_included     boolean  NOT NULL DEFAULT true,
    tax_rate         int      NOT NULL DEFAULT 0,    -- basis points
    tax              bigint   NOT NULL DEFAULT 0,
    total            bigint   NOT NULL,              -- with tax
    fulfilled        int      NOT NULL DEFAULT 0,
    returned         int      NOT NULL DEFAULT 0,
    returns          uuid,                           -- the sale that this line of a return takes back
    stock_correction boolean  NOT NULL DEFAULT false, -- imported: goods found or lost rather than sold
    PRIMARY KEY (order_id, position),
    CHECK (fulfilled >= 0 AND returned >= 0 AND (quantity < 0 OR (fulfilled <= quantity AND returned <= fulfilled)))
);
CREATE INDEX order_line_sku ON order_line (sku) WHERE sku IS NOT NULL;

-- What was placed on a day of each channel, cancelled orders left out. `counted` says which orders are in it.
CREATE TABLE order_day (
    channel  uuid   NOT NULL REFERENCES channel,
    day      date   NOT NULL,
    currency text   NOT NULL,
    orders   int    NOT NULL,   -- sales
    revenue  bigint NOT NULL,   -- sales less returns and adjustments, minor units
    items    int    NOT NULL,   -- units sold less units returned
    PRIMARY KEY (channel, day, currency)
);
CREATE INDEX order_day_day ON order_day (day);

-- Order numbers: a sequence for each channel, made at its first order (docs/decisions/order-numbers.md).
CREATE FUNCTION order_series(channel uuid) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN 'order_number_' || replace(channel::text, '-', '');

CREATE FUNCTION order_number(channel uuid) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    series text := order_series(channel);
BEGIN
    IF to_regclass(series) IS NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(series, 11));
        EXECUTE format('CREATE SEQUENCE IF NOT EXISTS %I START 1001', series);
    END IF;
    RETURN nextval(series::regclass);
END $$;

-- Numbers that were given elsewhere (an import) are not given again.
CREATE FUNCTION order_number_beyond(channel uuid, used bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF used >= order_number(channel) THEN
        PERFORM setval(order_series(channel)::regclass, used);
    END IF;
END $$;
