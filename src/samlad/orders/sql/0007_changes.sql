-- One engine for everything that happens to an order after it was placed. docs/concepts/changes.md.

-- `credited`: what went back otherwise than through the order's payments, as store credit or as payment of new goods.
-- `changes`: the sale that this sale came out of, by an exchange or in one ticket with a return.
ALTER TABLE orders
    ADD COLUMN credited bigint NOT NULL DEFAULT 0 CHECK (credited >= 0),
    ADD COLUMN changes uuid REFERENCES orders;
CREATE INDEX orders_changes ON orders (changes) WHERE changes IS NOT NULL;

-- What was given back on a line while its goods stayed: [{"amount": …, "tax": …, "after": units gone before}].
ALTER TABLE order_line ADD COLUMN concessions jsonb NOT NULL DEFAULT '[]';

CREATE TABLE order_change (
    id          uuid        PRIMARY KEY,
    order_id    uuid        NOT NULL REFERENCES orders,
    version     int         NOT NULL,                  -- of the order before it
    actions     jsonb       NOT NULL,
    came_back   uuid        REFERENCES orders,         -- the order of kind return or adjustment
    called_off  uuid        REFERENCES orders,         -- the same for units that had not left
    placed      uuid        REFERENCES orders,         -- the sale of what was given instead
    worth       bigint      NOT NULL,
    refunded    bigint      NOT NULL CHECK (refunded >= 0),
    credited    bigint      NOT NULL CHECK (credited >= 0),
    transferred bigint      NOT NULL CHECK (transferred >= 0),
    location    uuid        REFERENCES location,
    note        text        NOT NULL DEFAULT '',
    photos      text[]      NOT NULL DEFAULT '{}',
    notices     text[]      NOT NULL DEFAULT '{}',
    preview     jsonb       NOT NULL,
    override    text,                                  -- why somebody went beyond a window or a limit
    actor       text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX order_change_order ON order_change (order_id, created_at);

-- What came back pays for new goods. A row is made and used in one transaction; what of it goes back later goes to the
-- tenders of the order that it came from.
CREATE TABLE exchange_credit (
    id         uuid   PRIMARY KEY,
    order_id   uuid   NOT NULL REFERENCES orders,
    amount     bigint NOT NULL CHECK (amount > 0),
    given_back bigint NOT NULL DEFAULT 0 CHECK (given_back BETWEEN 0 AND amount),
    payment    uuid   UNIQUE
);
CREATE INDEX exchange_credit_order ON exchange_credit (order_id);

-- Why things come back. A pool without rows has the reasons of samlad.orders.return_reasons.
CREATE TABLE return_reason (
    pool        uuid     NOT NULL REFERENCES pool,
    code        text     NOT NULL CHECK (code ~ '^[a-z][a-z0-9_]{0,39}$'),
    name        text     NOT NULL,
    restock     boolean  NOT NULL,                     -- the goods are as new unless a condition says otherwise
    ships       text     NOT NULL CHECK (ships IN ('customer', 'shop')),
    photo       boolean  NOT NULL,
    fee_bp      int      NOT NULL DEFAULT 0 CHECK (fee_bp BETWEEN 0 AND 10000),
    is_active   boolean  NOT NULL DEFAULT true,
    position    int      NOT NULL DEFAULT 100,
    PRIMARY KEY (pool, code)
);

-- How long things may come back, where it is not what the channel says.
CREATE TABLE return_window (
    id         uuid NOT NULL PRIMARY KEY,
    pool       uuid NOT NULL REFERENCES pool,
    country    text CHECK (country ~ '^[A-Z]{2}$'),
    product    uuid REFERENCES product ON DELETE CASCADE,
    days       int  NOT NULL CHECK (days BETWEEN 0 AND 3650),
    UNIQUE NULLS NOT DISTINCT (pool, country, product)
);

-- Returns that are announced before the goods come.
CREATE TABLE return_request (
    id          uuid        PRIMARY KEY,
    order_id    uuid        NOT NULL REFERENCES orders,
    number      text        NOT NULL UNIQUE,
    state       text        NOT NULL CHECK (state IN ('requested', 'received', 'inspected', 'settled', 'cancelled')),
    exchange    uuid        REFERENCES orders,         -- the new goods, which have left already
    due_on      date        NOT NULL,
    location    uuid        REFERENCES location,       -- where it came in
    settled_by  uuid        REFERENCES order_change,
    note        text        NOT NULL DEFAULT '',
    photos      text[]      NOT NULL DEFAULT '{}',
    reminded_at timestamptz,
    received_at timestamptz,
    actor       text        NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    version     int         NOT NULL DEFAULT 1
);
CREATE INDEX return_request_order ON return_request (order_id);
CREATE INDEX return_request_open ON return_request (due_on, id) WHERE state IN ('requested', 'received', 'inspected');
CREATE INDEX return_request_newest ON return_request (created_at, id);

CREATE TABLE return_request_line (
    request   uuid     NOT NULL REFERENCES return_request,
    position  smallint NOT NULL,
    quantity  int      NOT NULL CHECK (quantity > 0),
    reason    text     NOT NULL,
    condition text     CHECK (condition IN ('new', 'opened', 'damaged', 'defective')),
    received  int      NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND quantity),
    PRIMARY KEY (request, position)
);

CREATE SEQUENCE return_request_number START 1001;
