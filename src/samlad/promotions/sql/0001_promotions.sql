-- Promotions: what is given, to whom, when. What they ask and give (`terms`) is read by the engine in rules.py.
CREATE TABLE promotion (
    id             uuid        PRIMARY KEY,
    pool           uuid        NOT NULL REFERENCES pool,
    name           text        NOT NULL,               -- as customers read it
    status         text        NOT NULL CHECK (status IN ('active', 'paused', 'ended')),
    is_automatic   boolean     NOT NULL,               -- nobody has to ask for it; else it needs a grant
    channels       uuid[],                             -- where one gets it; null: everywhere in the pool
    customer_group text,                               -- who gets it; null: everybody
    first_order    boolean     NOT NULL,               -- only who has not ordered before
    currency       text,                               -- of amounts and of the budget; null: it has none, and holds in every currency
    terms          jsonb       NOT NULL,
    priority       int         NOT NULL,
    combination    text        NOT NULL CHECK (combination IN ('all', 'line', 'none')),
    first_day      date,                               -- days, weekdays and hours are those of each channel's clock
    last_day       date        CHECK (last_day >= first_day),
    weekdays       smallint[]  NOT NULL,               -- 1 is Monday; none: every day
    hours          jsonb,                              -- {"opens": "17:00", "closes": "20:00"}
    limit_total    int         CHECK (limit_total > 0),
    limit_customer int         CHECK (limit_customer > 0),
    budget         bigint      CHECK (budget > 0),
    -- Counted here only while there is a limit or a budget: a row that every order changes makes orders wait for each
    -- other. Without, `promotion_use` is summed when somebody looks.
    uses           int         NOT NULL DEFAULT 0 CHECK (uses >= 0),
    spent          bigint      NOT NULL DEFAULT 0 CHECK (spent >= 0),
    version        int         NOT NULL DEFAULT 1,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 80);
CREATE INDEX promotion_live ON promotion (pool) WHERE status <> 'ended';

-- Codes as people type them, in capitals and without blanks. A code for one use is one of many of its promotion.
CREATE TABLE promotion_code (
    id          uuid        PRIMARY KEY,
    pool        uuid        NOT NULL REFERENCES pool,
    promotion   uuid        NOT NULL REFERENCES promotion,
    code        text        NOT NULL,
    limit_total int         CHECK (limit_total > 0),
    uses        int         NOT NULL DEFAULT 0 CHECK (uses >= 0 AND uses <= limit_total),
    created_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, code)
);
CREATE INDEX promotion_code_of ON promotion_code (promotion, id);

-- Links that give a promotion to who follows them, and lead on to a page of the shop.
CREATE TABLE promotion_link (
    token      text        PRIMARY KEY,
    promotion  uuid        NOT NULL REFERENCES promotion,
    leads_to   text        NOT NULL CHECK (leads_to LIKE '/%'),
    note       text        NOT NULL,                   -- where it is used: "Facebook, November"
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX promotion_link_of ON promotion_link (promotion);

-- The ledger of grants: who may have a promotion because it was shown or given to them. The holder is a cart, a
-- customer or a visitor's browser; grants are handed on from one to the other and never taken back.
CREATE TABLE promotion_grant (
    holder     uuid        NOT NULL,
    promotion  uuid        NOT NULL REFERENCES promotion,
    kind       text        NOT NULL CHECK (kind IN ('cart', 'customer', 'visitor')),
    source     text        NOT NULL CHECK (source IN ('code', 'link', 'shown', 'staff')),
    code       uuid        REFERENCES promotion_code,
    granted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (holder, promotion)
);
CREATE INDEX promotion_grant_of ON promotion_grant (promotion);
CREATE INDEX promotion_grant_visitor ON promotion_grant (granted_at) WHERE kind = 'visitor';

-- What orders had of promotions. A cancelled order gives back its use.
CREATE TABLE promotion_use (
    order_id    uuid        NOT NULL,                  -- of the floor of orders
    promotion   uuid        NOT NULL REFERENCES promotion,
    amount      bigint      NOT NULL CHECK (amount > 0),
    customer    uuid,
    code        uuid        REFERENCES promotion_code,
    used_at     timestamptz NOT NULL DEFAULT now(),
    released_at timestamptz,
    PRIMARY KEY (order_id, promotion)
);
CREATE INDEX promotion_use_of ON promotion_use (promotion) INCLUDE (amount) WHERE released_at IS NULL;

-- How often a customer has used a promotion that is limited for each.
CREATE TABLE promotion_customer (
    promotion uuid NOT NULL REFERENCES promotion,
    customer  uuid NOT NULL REFERENCES customer,
    uses      int  NOT NULL CHECK (uses >= 0),
    PRIMARY KEY (promotion, customer)
);
