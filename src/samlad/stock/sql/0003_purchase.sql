-- Purchase orders: what was ordered from suppliers, and what of it has come. What is open is expected at its level.
-- Costs are in ten-thousandths of a minor unit (e4) of the currency that the location keeps its books in: 1.00 EUR is
-- 1,000,000. So a price of 0.1234 EUR, and an average, are whole numbers.

-- The currency of a location's costs: that of the store that stands there, or of the first channel that has its stock.
ALTER TABLE location ADD COLUMN currency text NOT NULL DEFAULT 'XXX' CHECK (currency ~ '^[A-Z]{3}$');
UPDATE location SET currency = coalesce((
    SELECT e.currency FROM effective_channel(coalesce(location.channel, (
        SELECT m.channel FROM channel_pool m JOIN channel c ON c.id = m.channel
        WHERE m.pool = location.pool AND m.resource = 'stock' ORDER BY c.created_at, c.id LIMIT 1))) AS e), 'XXX');
ALTER TABLE location ALTER COLUMN currency DROP DEFAULT;

CREATE TABLE supplier (
    id         uuid        PRIMARY KEY,
    code       text        NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name       text        NOT NULL,
    email      text        NOT NULL DEFAULT '',
    lead_days  int         NOT NULL DEFAULT 7 CHECK (lead_days BETWEEN 0 AND 1000),  -- from order to arrival
    is_active  boolean     NOT NULL DEFAULT true,
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE purchase_order (
    id         uuid        PRIMARY KEY,
    number     bigint      NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY,
    supplier   uuid        NOT NULL REFERENCES supplier,
    location   uuid        NOT NULL REFERENCES location,
    status     text        NOT NULL DEFAULT 'draft'
                           CHECK (status IN ('draft', 'ordered', 'partially_received', 'received', 'cancelled')),
    reference  text        NOT NULL DEFAULT '',  -- the supplier's number
    note       text        NOT NULL DEFAULT '',
    currency   text        NOT NULL,             -- of its costs: the location's
    actor      text        NOT NULL,
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    ordered_at timestamptz
);
CREATE INDEX purchase_order_newest ON purchase_order (created_at, id);
CREATE TABLE purchase_order_line (
    purchase     uuid   NOT NULL REFERENCES purchase_order,
    variant      uuid   NOT NULL REFERENCES variant,
    quantity     int    NOT NULL CHECK (quantity > 0),
    received     int    NOT NULL DEFAULT 0 CHECK (received >= 0),  -- more than was ordered may come
    unit_cost_e4 bigint NOT NULL CHECK (unit_cost_e4 >= 0),
    expected_on  date,
    PRIMARY KEY (purchase, variant)
);
CREATE INDEX purchase_order_line_open ON purchase_order_line (variant) WHERE received < quantity;

-- One delivery against a purchase order. Its id is the caller's, so that a delivery that is sent twice counts once.
-- The movements name it as their reference.
CREATE TABLE purchase_receipt (
    id         uuid        PRIMARY KEY,
    purchase   uuid        NOT NULL REFERENCES purchase_order,
    note       text        NOT NULL DEFAULT '',
    actor      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX purchase_receipt_of ON purchase_receipt (purchase);

-- What is still to come, line by line.
CREATE VIEW stock_incoming AS
    SELECT o.id AS purchase, o.location, l.variant, l.quantity - l.received AS units, l.expected_on
    FROM purchase_order_line l JOIN purchase_order o ON o.id = l.purchase
    WHERE l.received < l.quantity AND o.status IN ('ordered', 'partially_received');

CREATE VIEW stock_incoming_difference AS
    SELECT location, variant, coalesce(l.incoming, 0) AS incoming, coalesce(i.units, 0)::int AS ordered
    FROM (SELECT location, variant, incoming FROM level WHERE incoming > 0) l
    FULL JOIN (SELECT location, variant, sum(units) AS units FROM stock_incoming GROUP BY location, variant) i
        USING (location, variant)
    WHERE coalesce(l.incoming, 0) <> coalesce(i.units, 0);
