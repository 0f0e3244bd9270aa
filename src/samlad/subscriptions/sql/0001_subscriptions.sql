-- Repeat orders: the plans by which goods are sold again and again, and what customers agreed to.
CREATE TABLE selling_plan (
    id         uuid        PRIMARY KEY,
    code       text        NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name       text        NOT NULL,
    names      jsonb       NOT NULL DEFAULT '{}',         -- by language
    channels   uuid[]      NOT NULL CHECK (cardinality(channels) > 0),
    products   uuid[]      NOT NULL DEFAULT '{}',         -- with none and no variants: all that the channel sells
    variants   uuid[]      NOT NULL DEFAULT '{}',
    terms      jsonb       NOT NULL,
    position   int         NOT NULL DEFAULT 100,
    is_active  boolean     NOT NULL DEFAULT true,         -- plans are never deleted: subscriptions name them
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX selling_plan_channels ON selling_plan USING gin (channels) WHERE is_active;

CREATE SEQUENCE subscription_number START 1001;

CREATE TABLE subscription (
    id              uuid        PRIMARY KEY,
    number          text        NOT NULL UNIQUE DEFAULT 'S' || nextval('subscription_number'),
    pool            uuid        NOT NULL REFERENCES pool,       -- of the resource orders
    channel         uuid        NOT NULL REFERENCES channel,
    customer        uuid        NOT NULL REFERENCES customer,
    plan            uuid        NOT NULL REFERENCES selling_plan,
    terms           jsonb       NOT NULL,                       -- as they were agreed to
    currency        text        NOT NULL,
    status          text        NOT NULL CHECK (status IN ('active', 'paused', 'cancelled')),
    is_ending       boolean     NOT NULL DEFAULT false,         -- cancelled with the end of the period
    email           text,
    name            text,
    phone           text,
    address         jsonb,
    delivery        text        NOT NULL CHECK (delivery IN ('ship', 'pickup')),
    delivery_method uuid        REFERENCES delivery_method,
    location        uuid        REFERENCES location,
    vat_number      text,
    provider        text,                                       -- null: nobody has said how it is paid
    sealed_token    bytea,                                      -- by the vault
    anchor_on       date        NOT NULL,                       -- the day of the cycle anchor_cycle; others are counted from it
    anchor_cycle    int         NOT NULL DEFAULT 0,
    cycle           int         NOT NULL,                       -- the next one
    next_on         date        NOT NULL,                       -- its day, on the channel's calendar
    resume_on       date,
    orders          int         NOT NULL DEFAULT 0 CHECK (orders >= 0),
    last_total      bigint,
    attempts        int         NOT NULL DEFAULT 0,             -- that failed, of the cycle that is due
    failed_at       timestamptz,                                -- the first of them
    retry_at        timestamptz,
    trouble         text,
    charging        uuid,                                       -- payment that is under way for the cycle
    charging_cart   uuid,
    charging_prices jsonb,                                      -- list prices by variant that it was worked out from
    charging_short  jsonb,                                      -- lines that are not there
    is_wanted_now   boolean     NOT NULL DEFAULT false,         -- the next order is not to wait for its day
    told_cycle      int         NOT NULL DEFAULT -1,            -- of which the customer was told that it comes
    looked_on       date,                                       -- when prices were compared
    origin          uuid        REFERENCES orders,              -- the order that it began with
    reason          text        NOT NULL DEFAULT '',
    version         int         NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (origin, plan),
    CHECK ((charging IS NULL) = (charging_cart IS NULL)),
    CHECK (resume_on IS NULL OR status = 'paused')
) WITH (fillfactor = 80);
CREATE INDEX subscription_due ON subscription (channel, next_on) WHERE status = 'active';
CREATE INDEX subscription_wanted ON subscription (channel) WHERE is_wanted_now;
CREATE INDEX subscription_resume ON subscription (channel, resume_on) WHERE resume_on IS NOT NULL;
CREATE INDEX subscription_charging ON subscription (charging) WHERE charging IS NOT NULL;
CREATE INDEX subscription_customer ON subscription (customer);
CREATE INDEX subscription_newest ON subscription (created_at, id);

CREATE TABLE subscription_line (
    subscription uuid   NOT NULL REFERENCES subscription,
    variant      uuid   NOT NULL REFERENCES variant,
    quantity     int    NOT NULL CHECK (quantity BETWEEN 1 AND 9999),
    list_price   bigint,                    -- before the plan's rule, of the last order; null: there was none with it
    told_price   bigint,                    -- what it rises to, and since when the customer knows
    told_on      date,
    PRIMARY KEY (subscription, variant)
);

-- One row for each cycle that is done with; a cycle has one order.
CREATE TABLE subscription_cycle (
    subscription uuid        NOT NULL REFERENCES subscription,
    cycle        int         NOT NULL,
    due_on       date        NOT NULL,
    state        text        NOT NULL CHECK (state IN ('ordered', 'skipped', 'out_of_stock')),
    order_id     uuid        UNIQUE REFERENCES orders,
    total        bigint,
    actor        text        NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subscription, cycle),
    CHECK ((state = 'ordered') = (order_id IS NOT NULL))
);
