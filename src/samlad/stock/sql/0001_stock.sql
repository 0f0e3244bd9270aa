-- Stock: locations, levels, holds, and the ledger that levels follow from.
-- One order of locking everywhere, so that transactions wait instead of deadlocking: holds by id, then levels by
-- (location, variant). What each function does is told again in docs/concepts/stock.md.

CREATE TABLE location (
    id         uuid        PRIMARY KEY,
    pool       uuid        NOT NULL REFERENCES pool,     -- of the resource stock
    code       text        NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name       text        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('store', 'warehouse', 'supplier', 'marketplace')),
    channel    uuid        REFERENCES channel,           -- the store channel that stands there
    address    jsonb       NOT NULL DEFAULT '{}',
    latitude   float8      CHECK (latitude BETWEEN -90 AND 90),
    longitude  float8      CHECK (longitude BETWEEN -180 AND 180),
    time_zone  text        NOT NULL,
    priority   int         NOT NULL DEFAULT 100,         -- lower is asked first
    is_active  boolean     NOT NULL DEFAULT true,        -- false: nothing is promised from here
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX location_pool ON location (pool);
CREATE INDEX location_channel ON location (channel) WHERE channel IS NOT NULL;

CREATE TABLE level (
    location        uuid        NOT NULL REFERENCES location,
    variant         uuid        NOT NULL REFERENCES variant,
    on_hand         int         NOT NULL DEFAULT 0 CHECK (on_hand >= 0),
    held            int         NOT NULL DEFAULT 0 CHECK (held >= 0),
    backorder_limit int         NOT NULL DEFAULT 0 CHECK (backorder_limit >= 0),  -- units sold before they are here
    low_at          int         NOT NULL DEFAULT 2 CHECK (low_at >= 0),           -- at or below it, stock is low
    updated_at      timestamptz NOT NULL DEFAULT now(),
    id              uuid        NOT NULL DEFAULT gen_random_uuid(),               -- breaks ties in lists
    PRIMARY KEY (location, variant),
    CONSTRAINT level_never_oversold CHECK (held <= on_hand + backorder_limit)
) WITH (fillfactor = 80);  -- room for updates in place: held changes with every sale
CREATE INDEX level_variant ON level (variant);

CREATE TABLE hold (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    location   uuid        NOT NULL,
    variant    uuid        NOT NULL,
    quantity   int         NOT NULL CHECK (quantity > 0),
    kind       text        NOT NULL CHECK (kind IN ('cart', 'checkout', 'order', 'parked', 'marketplace', 'lease')),
    owner      uuid        NOT NULL,          -- the cart, order, till … that it is for
    channel    uuid,                          -- the channel that promised it
    expires_at timestamptz,                   -- null: until it is released or shipped
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX hold_owner ON hold (owner);
CREATE INDEX hold_expiring ON hold (location, variant, expires_at) WHERE expires_at IS NOT NULL;
-- No foreign key from hold and movement to level: their rows are only written by the functions below, after the row
-- of the level was changed, and levels are never deleted.

CREATE SEQUENCE movement_seq AS bigint;
CREATE TABLE movement (
    seq           bigint      NOT NULL,       -- per level in the order in which it happened
    id            uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    location      uuid        NOT NULL,
    variant       uuid        NOT NULL,
    quantity      int         NOT NULL CHECK (quantity <> 0),
    fulfilled     int         NOT NULL DEFAULT 0 CHECK (fulfilled >= 0),  -- held units that leave with it
    cause         text        NOT NULL CHECK (cause IN ('receipt', 'sale', 'return', 'count', 'damage',
                                                        'transfer_out', 'transfer_in', 'correction')),
    reference     uuid,                       -- the order, transfer, count … behind it
    reason        text        NOT NULL DEFAULT '',
    on_hand_after int         NOT NULL,
    actor         text        NOT NULL,
    event         uuid,
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX movement_level ON movement (location, variant, seq);
CREATE INDEX movement_reference ON movement (reference) WHERE reference IS NOT NULL;
COMMENT ON TABLE movement IS 'The stock ledger. Append-only; appending a row is the only way to change on_hand';

-- A movement changes its level. There is no other way (level_guard), so that levels are the sums of the ledger.
-- Only two functions write both sides themselves, under the setting samlad.ledger: stock_open, a whole import in one
-- statement, and stock_repair_ledger, where the two had come apart.
CREATE FUNCTION movement_applies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('samlad.ledger', true) = 'both' THEN
        NEW.seq := nextval('movement_seq');
        RETURN NEW;
    END IF;
    UPDATE level SET on_hand = on_hand + NEW.quantity, held = held - NEW.fulfilled, updated_at = now()
    WHERE location = NEW.location AND variant = NEW.variant
    RETURNING on_hand INTO NEW.on_hand_after;
    IF NOT FOUND THEN
        INSERT INTO level (location, variant, on_hand) VALUES (NEW.location, NEW.variant, NEW.quantity)
        ON CONFLICT (location, variant) DO UPDATE SET on_hand = level.on_hand + EXCLUDED.on_hand
        RETURNING on_hand INTO NEW.on_hand_after;
    END IF;
    NEW.seq := nextval('movement_seq');  -- after the row's lock was had: the order of numbers is the order of changes
    RETURN NEW;
END $$;
CREATE TRIGGER movement_applies BEFORE INSERT ON movement FOR EACH ROW EXECUTE FUNCTION movement_applies();

CREATE FUNCTION movement_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the stock ledger is append-only: append a correction' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER movement_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movement
    FOR EACH STATEMENT EXECUTE FUNCTION movement_is_append_only();

CREATE FUNCTION level_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (pg_trigger_depth() < 2 AND NOT (TG_OP = 'INSERT' AND NEW.on_hand = 0)
                            AND current_setting('samlad.ledger', true) IS DISTINCT FROM 'both') THEN
        RAISE EXCEPTION 'levels change only by appending a movement' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER level_guard BEFORE INSERT OR UPDATE OF on_hand OR DELETE ON level
    FOR EACH ROW EXECUTE FUNCTION level_guard();

-- A count of a location: each line remembers what the books said at the moment it was counted, so that what is sold
-- between counting and closing is not mistaken for a difference.
CREATE TABLE stock_count (
    id         uuid        PRIMARY KEY,
    location   uuid        NOT NULL REFERENCES location,
    status     text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'closed', 'cancelled')),
    note       text        NOT NULL DEFAULT '',
    actor      text        NOT NULL,
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    closed_at  timestamptz
);
CREATE INDEX stock_count_newest ON stock_count (created_at, id);
CREATE TABLE stock_count_line (
    count      uuid        NOT NULL REFERENCES stock_count,
    variant    uuid        NOT NULL REFERENCES variant,
    counted    int         NOT NULL CHECK (counted >= 0),
    expected   int         NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (count, variant)
);

-- A transfer: units left origin and are under way until they are received or the transfer is cancelled.
CREATE TABLE stock_transfer (
    id          uuid        PRIMARY KEY,
    origin      uuid        NOT NULL REFERENCES location,
    destination uuid        NOT NULL REFERENCES location CHECK (destination <> origin),
    status      text        NOT NULL DEFAULT 'in_transit' CHECK (status IN ('in_transit', 'received', 'cancelled')),
    note        text        NOT NULL DEFAULT '',
    version     int         NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stock_transfer_newest ON stock_transfer (created_at, id);
CREATE TABLE stock_transfer_line (
    transfer uuid NOT NULL REFERENCES stock_transfer,
    variant  uuid NOT NULL REFERENCES variant,
    quantity int  NOT NULL CHECK (quantity > 0),
    received int  NOT NULL DEFAULT 0 CHECK (received BETWEEN 0 AND quantity),
    PRIMARY KEY (transfer, variant)
);

-- Where the wanted units would come from, seen without locks: a hint for stock_take, whose updates decide.
-- Whole lines go to the location that has most of the lines, of equals to the channel's own, then by priority; a line
-- is split only when no location has all of it. A row without location: not enough, available is what there is.
-- A line with a location comes from there. The buffer holds for lines without one.
CREATE TYPE stock_pick AS (location uuid, variant uuid, quantity int, available int);
CREATE FUNCTION stock_plan(variants uuid[], quantities int[], locations uuid[], for_channel uuid, in_pool uuid, buffer int)
    RETURNS SETOF stock_pick LANGUAGE sql STABLE AS $$
    WITH wanted AS MATERIALIZED (
        SELECT t.variant, t.location, sum(t.quantity)::int AS quantity
        FROM unnest(variants, quantities, locations) AS t (variant, quantity, location)
        GROUP BY t.variant, t.location
    ), candidate AS (
        SELECT w.variant, w.location AS asked, w.quantity, l.location, p.priority,
               p.channel IS NOT DISTINCT FROM for_channel AS is_own,
               l.on_hand - l.held >= w.quantity AS is_here,
               l.on_hand - l.held + l.backorder_limit - coalesce(pinned.quantity, 0) AS free
        FROM wanted w
        JOIN level l ON l.variant = w.variant AND (w.location IS NULL OR l.location = w.location)
        JOIN location p ON p.id = l.location AND p.pool = in_pool AND p.is_active
        LEFT JOIN wanted pinned
               ON w.location IS NULL AND pinned.variant = w.variant AND pinned.location = l.location
    ), ranked AS (
        SELECT *, count(*) FILTER (WHERE free >= quantity) OVER (PARTITION BY location) AS covers,
               sum(free) OVER (PARTITION BY variant, asked) - CASE WHEN asked IS NULL THEN buffer ELSE 0 END AS total
        FROM candidate WHERE free > 0
    ), spread AS (
        SELECT *, sum(free) OVER (PARTITION BY variant, asked
                                  ORDER BY free >= quantity DESC, is_here DESC, covers DESC, is_own DESC, priority,
                                           location
                                  ROWS UNBOUNDED PRECEDING) - free AS before
        FROM ranked WHERE total >= quantity
    )
    SELECT location, variant, sum(least(free, quantity - before))::int, 0
    FROM spread WHERE before < quantity GROUP BY location, variant
    UNION ALL
    SELECT NULL, w.variant, w.quantity,
           greatest(coalesce((SELECT max(r.total) FROM ranked r
                              WHERE r.variant = w.variant AND r.asked IS NOT DISTINCT FROM w.location), 0), 0)::int
    FROM wanted w
    WHERE NOT EXISTS (SELECT FROM spread s WHERE s.variant = w.variant AND s.asked IS NOT DISTINCT FROM w.location)
$$;

-- Give back what some holds had; the levels in key order.
CREATE FUNCTION stock_unhold(picks stock_pick[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    pick record;
BEGIN
    FOR pick IN SELECT location, variant, sum(quantity)::int AS quantity FROM unnest(picks)
                GROUP BY location, variant ORDER BY location, variant
    LOOP
        UPDATE level SET held = held - pick.quantity, updated_at = now()
        WHERE location = pick.location AND variant = pick.variant;
    END LOOP;
END $$;

-- Release the expired holds of the wanted levels. Waits for whoever has one of them in hand: it may be converted.
CREATE FUNCTION stock_expire(variants uuid[], locations uuid[], in_pool uuid)
    RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    gone hold[];
BEGIN
    WITH old AS MATERIALIZED (
        SELECT h.id FROM unnest(variants, locations) AS t (variant, location)
        JOIN level l ON l.variant = t.variant AND (t.location IS NULL OR l.location = t.location)
        JOIN location p ON p.id = l.location AND p.pool = in_pool
        JOIN hold h ON h.location = l.location AND h.variant = l.variant AND h.expires_at <= now()
        ORDER BY h.id FOR UPDATE OF h
    ), deleted AS (DELETE FROM hold h USING old WHERE h.id = old.id RETURNING h.*)
    SELECT array_agg(deleted::hold) INTO gone FROM deleted;
    IF gone IS NOT NULL THEN
        PERFORM stock_unhold((SELECT array_agg((location, variant, quantity, 0)::stock_pick) FROM unnest(gone)));
        RETURN QUERY SELECT * FROM unnest(gone);
    END IF;
END $$;

-- Hold the wanted units, all or nothing. outcome: 'held' (a new hold), 'short' (none were made; available is what
-- there is), 'expired' (somebody's hold that was released to make room).
-- The decision is in the conditional update of each level, in key order. Nobody else is kept waiting by a refusal:
-- it is read, not locked. Only who lost a race locks the candidates, and then decides for good.
CREATE FUNCTION stock_take(variants uuid[], quantities int[], locations uuid[], for_channel uuid, in_pool uuid,
                           buffer int, new_kind text, new_owner uuid, until timestamptz)
    RETURNS TABLE (outcome text, id uuid, location uuid, variant uuid, quantity int, available int, kind text,
                   owner uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    plan     stock_pick[];
    is_short boolean;
    expired  int;
BEGIN
    FOR attempt IN 1..2 LOOP
        IF attempt = 2 THEN
            PERFORM FROM unnest(variants, locations) AS t (variant, location)
                    JOIN level l ON l.variant = t.variant AND (t.location IS NULL OR l.location = t.location)
                    JOIN location p ON p.id = l.location AND p.pool = in_pool
                    ORDER BY l.location, l.variant FOR NO KEY UPDATE OF l;
        END IF;
        SELECT array_agg(p ORDER BY p.location, p.variant), bool_or(p.location IS NULL) INTO plan, is_short
        FROM stock_plan(variants, quantities, locations, for_channel, in_pool, buffer) AS p;
        IF NOT is_short THEN
            BEGIN
                FOR i IN 1..cardinality(plan) LOOP
                    UPDATE level l SET held = l.held + plan[i].quantity, updated_at = now()
                    WHERE l.location = plan[i].location AND l.variant = plan[i].variant
                      AND l.on_hand + l.backorder_limit - l.held >= plan[i].quantity;
                    IF NOT FOUND THEN RAISE EXCEPTION USING ERRCODE = 'SLOST'; END IF;
                END LOOP;
                RETURN QUERY INSERT INTO hold AS h (location, variant, quantity, kind, owner, channel, expires_at)
                    SELECT p.location, p.variant, p.quantity, new_kind, new_owner, for_channel, until
                    FROM unnest(plan) AS p
                    RETURNING 'held', h.id, h.location, h.variant, h.quantity, 0, h.kind, h.owner;
                RETURN;
            EXCEPTION WHEN SQLSTATE 'SLOST' THEN
                NULL;  -- undone, and the locks with it: locking again in key order cannot deadlock
            END;
        END IF;
        IF attempt = 1 THEN
            RETURN QUERY SELECT 'expired', e.id, e.location, e.variant, e.quantity, 0, e.kind, e.owner
                         FROM stock_expire(variants, locations, in_pool) AS e;
            GET DIAGNOSTICS expired = ROW_COUNT;
            EXIT WHEN is_short AND expired = 0;
        END IF;
    END LOOP;
    RETURN QUERY SELECT 'short', NULL::uuid, NULL::uuid, p.variant, p.quantity, p.available, NULL, NULL::uuid
                 FROM unnest(plan) AS p WHERE p.location IS NULL;
END $$;

-- Take holds of an owner away, all of them or (with variants) so many units of each line, oldest first.
-- The levels still count them as held: the caller unholds or ships.
CREATE FUNCTION hold_consume(of_owner uuid, of_kind text, variants uuid[], quantities int[], locations uuid[])
    RETURNS SETOF hold LANGUAGE plpgsql AS $$
BEGIN
    IF variants IS NULL THEN
        RETURN QUERY DELETE FROM hold WHERE owner = of_owner AND (of_kind IS NULL OR kind = of_kind) RETURNING hold.*;
        RETURN;
    END IF;
    RETURN QUERY
    WITH mine AS MATERIALIZED (
        SELECT * FROM hold WHERE owner = of_owner AND (of_kind IS NULL OR kind = of_kind) ORDER BY id FOR UPDATE
    ), wanted AS (
        SELECT t.variant, t.location, sum(t.quantity)::int AS quantity
        FROM unnest(variants, quantities, locations) AS t (variant, quantity, location) GROUP BY 1, 2
    ), part AS (
        SELECT mine.id, mine.quantity AS whole,
               least(mine.quantity,
                     w.quantity - (sum(mine.quantity) OVER (PARTITION BY w.variant, w.location
                                                            ORDER BY mine.created_at, mine.id)
                                   - mine.quantity))::int AS quantity
        FROM wanted w JOIN mine ON mine.variant = w.variant AND (w.location IS NULL OR mine.location = w.location)
    ), deleted AS (DELETE FROM hold h USING part WHERE h.id = part.id AND part.quantity = part.whole),
    reduced AS (UPDATE hold h SET quantity = h.quantity - part.quantity FROM part
                WHERE h.id = part.id AND part.quantity > 0 AND part.quantity < part.whole)
    SELECT mine.id, mine.location, mine.variant, part.quantity, mine.kind, mine.owner, mine.channel, mine.expires_at,
           mine.created_at
    FROM part JOIN mine ON mine.id = part.id WHERE part.quantity > 0;
END $$;

CREATE FUNCTION stock_release(of_owner uuid, of_kind text, variants uuid[], quantities int[], locations uuid[])
    RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    gone hold[];
BEGIN
    SELECT array_agg(h) INTO gone FROM hold_consume(of_owner, of_kind, variants, quantities, locations) AS h;
    IF gone IS NOT NULL THEN
        PERFORM stock_unhold((SELECT array_agg((location, variant, quantity, 0)::stock_pick) FROM unnest(gone)));
        RETURN QUERY SELECT * FROM unnest(gone);
    END IF;
END $$;

-- Held units leave: the holds go, and movements take them off on_hand and held at once.
CREATE FUNCTION stock_ship(of_owner uuid, of_kind text, variants uuid[], quantities int[], locations uuid[],
                           new_cause text, new_reference uuid, new_actor text, new_event uuid)
    RETURNS SETOF movement LANGUAGE sql AS $$
    INSERT INTO movement (location, variant, quantity, fulfilled, cause, reference, actor, event)
    SELECT location, variant, -sum(quantity), sum(quantity), new_cause, new_reference, new_actor, new_event
    FROM hold_consume(of_owner, of_kind, variants, quantities, locations)
    GROUP BY location, variant ORDER BY location, variant
    RETURNING *
$$;

-- Holds that lose units when fewer are there than are held: expired ones first, then carts … orders last, the youngest
-- first. The caller counts them off the level.
CREATE FUNCTION hold_drop(at_location uuid, of_variant uuid, units int) RETURNS SETOF hold LANGUAGE sql AS $$
    WITH mine AS MATERIALIZED (
        SELECT * FROM hold WHERE location = at_location AND variant = of_variant ORDER BY id FOR UPDATE
    ), part AS (
        SELECT id, quantity AS whole,
               least(quantity, units - (sum(quantity) OVER (
                   ORDER BY coalesce(expires_at <= now(), false) DESC,
                            array_position(ARRAY['cart', 'checkout', 'parked', 'lease', 'marketplace', 'order'], kind),
                            created_at DESC, id
                   ROWS UNBOUNDED PRECEDING) - quantity))::int AS quantity
        FROM mine
    ), deleted AS (DELETE FROM hold h USING part WHERE h.id = part.id AND part.quantity = part.whole),
    reduced AS (UPDATE hold h SET quantity = h.quantity - part.quantity FROM part
                WHERE h.id = part.id AND part.quantity > 0 AND part.quantity < part.whole)
    SELECT mine.id, mine.location, mine.variant, part.quantity, mine.kind, mine.owner, mine.channel, mine.expires_at,
           mine.created_at
    FROM part JOIN mine ON mine.id = part.id WHERE part.quantity > 0
$$;

-- Append movements, levels in key order. With may_drop, reality wins: where fewer units remain than are held, holds
-- are dropped (outcome 'dropped'), and no more is taken off than there is. Without it such a movement fails.
CREATE FUNCTION stock_move(locations uuid[], variants uuid[], quantities int[], reasons text[], new_cause text,
                           new_reference uuid, new_actor text, new_event uuid, may_drop boolean)
    RETURNS TABLE (outcome text, id uuid, location uuid, variant uuid, quantity int, on_hand int, kind text, owner uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    line  record;
    old   level;
    units int;
    over  int;
BEGIN
    FOR line IN SELECT t.location, t.variant, t.quantity, t.reason
                FROM unnest(locations, variants, quantities, reasons) AS t (location, variant, quantity, reason)
                WHERE t.quantity <> 0 ORDER BY t.location, t.variant
    LOOP
        units := line.quantity;
        IF may_drop AND units < 0 THEN
            SELECT * INTO old FROM level l WHERE l.location = line.location AND l.variant = line.variant FOR UPDATE;
            CONTINUE WHEN old.on_hand IS NULL OR old.on_hand = 0;
            units := greatest(units, -old.on_hand);
            over := old.held - old.on_hand - units - old.backorder_limit;
            IF over > 0 THEN
                RETURN QUERY SELECT 'dropped', d.id, d.location, d.variant, d.quantity, 0, d.kind, d.owner
                             FROM hold_drop(line.location, line.variant, over) AS d;
                UPDATE level SET held = held - over WHERE location = line.location AND variant = line.variant;
            END IF;
        END IF;
        RETURN QUERY INSERT INTO movement AS m (location, variant, quantity, cause, reference, reason, actor, event)
            VALUES (line.location, line.variant, units, new_cause, new_reference, line.reason, new_actor, new_event)
            RETURNING 'moved', m.id, m.location, m.variant, m.quantity, m.on_hand_after, NULL, NULL::uuid;
    END LOOP;
END $$;

-- The receipts that were copied into the temporary table opening_stock, set-based: levels and ledger in one statement.
CREATE FUNCTION stock_open(new_reference uuid, new_actor text, new_event uuid) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    appended int;
BEGIN
    PERFORM set_config('samlad.ledger', 'both', true);
    WITH receipt AS MATERIALIZED (
        SELECT location, variant, sum(quantity)::int AS quantity FROM opening_stock GROUP BY location, variant
    ), risen AS (
        INSERT INTO level AS l (location, variant, on_hand)
        SELECT location, variant, quantity FROM receipt ORDER BY location, variant
        ON CONFLICT (location, variant) DO UPDATE SET on_hand = l.on_hand + EXCLUDED.on_hand, updated_at = now()
        RETURNING location, variant, on_hand
    )
    INSERT INTO movement (location, variant, quantity, cause, reference, on_hand_after, actor, event)
    SELECT location, variant, quantity, 'receipt', new_reference, on_hand, new_actor, new_event
    FROM receipt JOIN risen USING (location, variant);
    GET DIAGNOSTICS appended = ROW_COUNT;
    PERFORM set_config('samlad.ledger', '', true);
    RETURN appended;
END $$;

-- Release up to so many expired holds, wherever they are; those that somebody has in hand are left to them.
CREATE FUNCTION stock_sweep(most int) RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    gone hold[];
BEGIN
    WITH old AS MATERIALIZED (
        SELECT id FROM hold WHERE expires_at <= now() ORDER BY id LIMIT most FOR UPDATE SKIP LOCKED
    ), deleted AS (DELETE FROM hold h USING old WHERE h.id = old.id RETURNING h.*)
    SELECT array_agg(deleted::hold) INTO gone FROM deleted;
    IF gone IS NOT NULL THEN
        PERFORM stock_unhold((SELECT array_agg((location, variant, quantity, 0)::stock_pick) FROM unnest(gone)));
        RETURN QUERY SELECT * FROM unnest(gone);
    END IF;
END $$;

-- What samlad doctor compares, and how it mends it.
CREATE VIEW stock_ledger_difference AS
    SELECT location, variant, coalesce(l.on_hand, 0) AS on_hand, coalesce(m.moved, 0)::int AS moved
    FROM level l
    FULL JOIN (SELECT location, variant, sum(quantity) AS moved FROM movement GROUP BY location, variant) m
        USING (location, variant)
    WHERE coalesce(l.on_hand, 0) <> coalesce(m.moved, 0);

CREATE VIEW stock_hold_difference AS
    SELECT location, variant, coalesce(l.held, 0) AS held, coalesce(h.quantity, 0)::int AS holds
    FROM level l
    FULL JOIN (SELECT location, variant, sum(quantity) AS quantity FROM hold GROUP BY location, variant) h
        USING (location, variant)
    WHERE coalesce(l.held, 0) <> coalesce(h.quantity, 0);

-- Where ledger and level differ, the level is what everybody worked with: a correction is appended that explains it.
CREATE FUNCTION stock_repair_ledger(new_actor text, new_event uuid) RETURNS SETOF movement LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE level IN SHARE ROW EXCLUSIVE MODE;
    PERFORM set_config('samlad.ledger', 'both', true);
    RETURN QUERY INSERT INTO movement (location, variant, quantity, cause, reason, on_hand_after, actor, event)
        SELECT location, variant, on_hand - moved, 'correction', 'samlad doctor: ledger and level had come apart',
               on_hand, new_actor, new_event
        FROM stock_ledger_difference ORDER BY location, variant
        RETURNING *;
    PERFORM set_config('samlad.ledger', '', true);
END $$;

-- Where held and holds differ, the holds are what was promised. Holds beyond what is there are dropped and answered.
CREATE FUNCTION stock_repair_holds() RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
    most  int;
BEGIN
    LOCK TABLE level IN SHARE ROW EXCLUSIVE MODE;
    FOR wrong IN SELECT * FROM stock_hold_difference ORDER BY location, variant LOOP
        SELECT coalesce(max(on_hand + backorder_limit), 0) INTO most FROM level
        WHERE location = wrong.location AND variant = wrong.variant;
        IF wrong.holds > most THEN
            RETURN QUERY SELECT * FROM hold_drop(wrong.location, wrong.variant, wrong.holds - most);
        END IF;
        UPDATE level SET held = least(wrong.holds, most), updated_at = now()
        WHERE location = wrong.location AND variant = wrong.variant;
    END LOOP;
END $$;
