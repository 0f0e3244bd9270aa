-- Fulfilments: the part of an order that one location ships, hands over or delivers. docs/concepts/fulfilment.md.

-- Units that were called off before they left; what they were worth and was never paid is in orders.called_off.
ALTER TABLE order_line
    ADD COLUMN cancelled   int  NOT NULL DEFAULT 0,
    ADD COLUMN substitutes text,                            -- the SKU that was ordered, where something else is given
    ADD CONSTRAINT order_line_cancelled
        CHECK (cancelled >= 0 AND (quantity < 0 OR fulfilled + cancelled <= quantity));
ALTER TABLE orders ADD COLUMN called_off bigint NOT NULL DEFAULT 0 CHECK (called_off >= 0);

CREATE TABLE pick_batch (
    id         uuid        PRIMARY KEY,
    location   uuid        NOT NULL REFERENCES location,
    taken_by   text        NOT NULL,
    taken_name text        NOT NULL,
    opened_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX pick_batch_newest ON pick_batch (location, opened_at, id);

CREATE TABLE fulfilment (
    id         uuid        PRIMARY KEY,
    order_id   uuid        NOT NULL REFERENCES orders,
    location   uuid        REFERENCES location,             -- null: no place has it
    method     text        NOT NULL CHECK (method IN ('ship', 'pickup', 'curbside', 'same_day', 'hand_over',
                                                      'digital')),
    state      text        NOT NULL CHECK (state IN ('open', 'picking', 'picked', 'packed', 'ready',
                                                     'needs_customer', 'waiting', 'shipped', 'delivered',
                                                     'rejected', 'cancelled')),
    due_at     timestamptz NOT NULL,                        -- when it is to be picked
    taken_by   text,
    taken_name text,
    batch      uuid        REFERENCES pick_batch,
    slot       smallint,                                    -- the box of the batch that it is sorted into
    code       text        CHECK (code ~ '^[0-9]{6}$'),     -- what the customer shows; gone once it was used
    pick_up_by timestamptz,
    reason     text,
    note       text        NOT NULL DEFAULT '',
    carrier    text,
    tracking   text,
    came_from  uuid        REFERENCES fulfilment,           -- the one that a store rejected
    opened_at  timestamptz NOT NULL DEFAULT now(),
    left_at    timestamptz,
    changed_at timestamptz NOT NULL DEFAULT now(),
    version    int         NOT NULL DEFAULT 1,
    CHECK (location IS NOT NULL OR state IN ('needs_customer', 'waiting', 'cancelled'))
) WITH (fillfactor = 80);
CREATE INDEX fulfilment_order ON fulfilment (order_id);
CREATE INDEX fulfilment_work ON fulfilment (location, due_at, id)
    WHERE state IN ('open', 'picking', 'picked', 'packed', 'ready');
CREATE INDEX fulfilment_due ON fulfilment (due_at, id);
CREATE INDEX fulfilment_stuck ON fulfilment (state, changed_at) WHERE state IN ('needs_customer', 'waiting');
CREATE INDEX fulfilment_batch ON fulfilment (batch) WHERE batch IS NOT NULL;
-- A code means one fulfilment at a place as long as it can be used.
CREATE UNIQUE INDEX fulfilment_code ON fulfilment (location, code) WHERE code IS NOT NULL;
CREATE UNIQUE INDEX fulfilment_tracking ON fulfilment (carrier, tracking) WHERE tracking IS NOT NULL;

CREATE TABLE fulfilment_line (
    fulfilment uuid     NOT NULL REFERENCES fulfilment,
    position   smallint NOT NULL,                           -- of the order's line
    variant    uuid     NOT NULL,
    quantity   int      NOT NULL CHECK (quantity > 0),
    picked     int      NOT NULL DEFAULT 0 CHECK (picked BETWEEN 0 AND quantity),
    packed     int      NOT NULL DEFAULT 0 CHECK (packed BETWEEN 0 AND picked),
    PRIMARY KEY (fulfilment, position)
) WITH (fillfactor = 80);

-- What a carrier told about a parcel; in any order, any number of times.
CREATE TABLE tracking_event (
    fulfilment  uuid        NOT NULL REFERENCES fulfilment,
    reference   text        NOT NULL,                       -- the carrier's own id of the message, or made of it
    status      text        NOT NULL CHECK (status IN ('accepted', 'in_transit', 'out_for_delivery', 'delivered',
                                                       'failed', 'returned')),
    happened_at timestamptz NOT NULL,
    place       text        NOT NULL DEFAULT '',
    note        text        NOT NULL DEFAULT '',
    recorded_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (fulfilment, reference)
);

-- Where something lies in a warehouse: the order of a walk.
CREATE TABLE pick_bin (
    location uuid NOT NULL REFERENCES location,
    variant  uuid NOT NULL REFERENCES variant,
    bin      text NOT NULL,
    PRIMARY KEY (location, variant)
);

-- Orders that wait for their goods get fulfilments from what is held for them: lines and holds of a variant are laid
-- beside each other, and where they overlap is what a location has of a line.
WITH held AS (
    SELECT h.owner AS order_id, h.location, h.variant, sum(h.quantity)::int AS quantity
    FROM hold h JOIN orders o ON o.id = h.owner AND o.is_held
    WHERE h.kind = 'order' GROUP BY 1, 2, 3
), holds AS (
    SELECT *, sum(quantity) OVER (PARTITION BY order_id, variant ORDER BY location) AS upto FROM held
), lines AS (
    SELECT l.order_id, l.position, l.variant, l.quantity - l.fulfilled AS quantity,
           sum(l.quantity - l.fulfilled) OVER (PARTITION BY l.order_id, l.variant ORDER BY l.position) AS upto
    FROM order_line l JOIN orders o ON o.id = l.order_id AND o.is_held
    WHERE l.kind = 'item' AND l.quantity > l.fulfilled
), part AS (
    SELECT order_id, location, position, variant,
           (least(h.upto, l.upto) - greatest(h.upto - h.quantity, l.upto - l.quantity))::int AS quantity
    FROM holds h JOIN lines l USING (order_id, variant)
    WHERE least(h.upto, l.upto) > greatest(h.upto - h.quantity, l.upto - l.quantity)
), made AS (
    INSERT INTO fulfilment (id, order_id, location, method, state, due_at, opened_at)
    SELECT gen_random_uuid(), o.id, p.location,
           CASE o.delivery WHEN 'pickup' THEN 'pickup' WHEN 'carry_out' THEN 'hand_over' ELSE 'ship' END,
           'open', o.placed_at + interval '2 hours', o.placed_at
    FROM (SELECT DISTINCT order_id, location FROM part) p JOIN orders o ON o.id = p.order_id
    RETURNING id, order_id, location
)
INSERT INTO fulfilment_line (fulfilment, position, variant, quantity)
SELECT m.id, p.position, p.variant, p.quantity FROM part p JOIN made m USING (order_id, location);

-- What had left of these orders, where it left from first.
WITH started AS (
    SELECT o.id, o.placed_at, o.delivery,
           (SELECT m.location FROM movement m WHERE m.reference = o.id AND m.cause = 'sale' ORDER BY m.seq LIMIT 1)
               AS location
    FROM orders o WHERE o.is_held AND o.status = 'partially_fulfilled'
), made AS (
    INSERT INTO fulfilment (id, order_id, location, method, state, due_at, opened_at, left_at)
    SELECT gen_random_uuid(), id, location,
           CASE delivery WHEN 'pickup' THEN 'pickup' WHEN 'carry_out' THEN 'hand_over' ELSE 'ship' END,
           CASE WHEN delivery = 'ship' THEN 'shipped' ELSE 'delivered' END,
           placed_at + interval '2 hours', placed_at, placed_at
    FROM started WHERE location IS NOT NULL
    RETURNING id, order_id
)
INSERT INTO fulfilment_line (fulfilment, position, variant, quantity)
SELECT m.id, l.position, l.variant, l.fulfilled FROM made m JOIN order_line l USING (order_id)
WHERE l.kind = 'item' AND l.fulfilled > 0 AND l.variant IS NOT NULL;
