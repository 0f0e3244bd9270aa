-- Lots: which of a level's units are which. A product says whether they are kept apart (product.tracking): by lot, by lot
-- with a date, or by serial number, which is a lot of one. Then every movement names its lot, and the lots of a level add up
-- to what is on hand, because the one trigger that applies a movement writes both. Holds stay on the level: which lot it is
-- is decided when goods leave. Locks as before, and before them: lots by id (who brings units of one, who recalls one).

CREATE TABLE stock_recall (
    id         uuid        PRIMARY KEY,
    lot        uuid        NOT NULL,
    reason     text        NOT NULL,
    actor      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    ended_by   text
);
CREATE UNIQUE INDEX stock_recall_one ON stock_recall (lot) WHERE ended_at IS NULL;
CREATE INDEX stock_recall_newest ON stock_recall (created_at, id);

CREATE TABLE lot (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    variant    uuid        NOT NULL REFERENCES variant,
    code       text        NOT NULL CHECK (length(code) <= 40),  -- GS1 AI 10 or 21; empty: nobody knows
    expires_on date,                                             -- the last good day: GS1 AI 17, else 15
    recall     uuid        REFERENCES stock_recall,              -- not sold and not picked anywhere
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (variant, code)
);
ALTER TABLE stock_recall ADD FOREIGN KEY (lot) REFERENCES lot;

CREATE TABLE stock_lot (
    location  uuid        NOT NULL REFERENCES location,
    variant   uuid        NOT NULL REFERENCES variant,
    lot       uuid        NOT NULL REFERENCES lot,
    on_hand   int         NOT NULL CHECK (on_hand >= 0),
    state     text        NOT NULL CHECK (state IN ('for_sale', 'expiring', 'expired', 'blocked')),
    look_on   date,                        -- from this day of the location on its state may be another
    is_serial boolean     NOT NULL,
    first_in  timestamptz NOT NULL DEFAULT now(),
    id        uuid        NOT NULL DEFAULT gen_random_uuid(),  -- breaks ties in lists
    PRIMARY KEY (location, variant, lot),
    CONSTRAINT stock_lot_serial_is_one CHECK (NOT is_serial OR on_hand <= 1)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX stock_lot_serial_is_somewhere ON stock_lot (lot) WHERE is_serial AND on_hand > 0;
CREATE INDEX stock_lot_of ON stock_lot (lot);
CREATE INDEX stock_lot_look ON stock_lot (look_on) WHERE look_on IS NOT NULL AND on_hand > 0;

ALTER TABLE location
    ADD COLUMN lot_strategy text NOT NULL DEFAULT 'fefo' CHECK (lot_strategy IN ('fefo', 'fifo'));

-- Expired and blocked units may not leave for customers. Expiring ones, with fewer days left than the product asks for,
-- are not promised to anybody any more, but go to those who had them promised.
ALTER TABLE level
    ADD COLUMN tracking text NOT NULL DEFAULT 'none',
    ADD COLUMN expired  int  NOT NULL DEFAULT 0 CHECK (expired >= 0),
    ADD COLUMN expiring int  NOT NULL DEFAULT 0 CHECK (expiring >= 0),
    ADD COLUMN blocked  int  NOT NULL DEFAULT 0 CHECK (blocked >= 0),
    DROP CONSTRAINT level_never_oversold,
    ADD CONSTRAINT level_never_oversold
        CHECK (held <= on_hand - expired - blocked + stock_later(backorder_limit, incoming, sells_incoming));

ALTER TABLE movement ADD COLUMN lot uuid REFERENCES lot;
CREATE INDEX movement_lot ON movement (lot, location) WHERE lot IS NOT NULL;

-- What a lot may be used for on a day, and when to look again.
CREATE FUNCTION lot_state(is_blocked boolean, expires_on date, min_days int, today date) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN is_blocked THEN 'blocked' WHEN today > expires_on THEN 'expired'
                WHEN today > expires_on - min_days THEN 'expiring' ELSE 'for_sale' END
$$;
CREATE FUNCTION lot_look_on(is_blocked boolean, expires_on date, min_days int, today date) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN is_blocked OR today > expires_on THEN NULL WHEN today > expires_on - min_days THEN expires_on + 1
                ELSE expires_on - min_days + 1 END
$$;

-- Every lot of every level as it ought to be now, by the location's own day.
CREATE VIEW stock_lot_due AS
    SELECT s.location, s.variant, s.lot, s.on_hand, s.state, s.look_on, d.today,
           lot_state(l.recall IS NOT NULL, l.expires_on, g.min_days_left, d.today) AS due,
           lot_look_on(l.recall IS NOT NULL, l.expires_on, g.min_days_left, d.today) AS due_look_on
    FROM stock_lot s JOIN lot l ON l.id = s.lot JOIN location p ON p.id = s.location
    JOIN variant v ON v.id = s.variant JOIN product g ON g.id = v.product
    CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE p.time_zone)::date AS today) d;

-- In which order lots leave a place: the lowest first. First expired, first out: what has no date was there before dates
-- were kept. First in, first out: what this place has had longest. Another strategy is another branch here.
CREATE FUNCTION lot_rank(strategy text, expires_on date, first_in timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN strategy = 'fifo' THEN first_in ELSE coalesce(expires_on::timestamp AT TIME ZONE 'UTC', '-infinity') END
$$;

-- The lots of a level that customers may get, in their turn. By the date itself: the state may be a minute old.
CREATE FUNCTION stock_lots_for_customers(at_location uuid, of_variant uuid)
    RETURNS TABLE (lot uuid, on_hand int, turn bigint) LANGUAGE sql STABLE AS $$
    SELECT s.lot, s.on_hand,
           row_number() OVER (ORDER BY lot_rank(p.lot_strategy, l.expires_on, s.first_in), s.first_in, s.lot)
    FROM stock_lot s JOIN lot l ON l.id = s.lot JOIN location p ON p.id = s.location
    WHERE s.location = at_location AND s.variant = of_variant AND s.on_hand > 0
      AND s.state IN ('for_sale', 'expiring')
      AND coalesce(l.expires_on >= (now() AT TIME ZONE p.time_zone)::date, true)
$$;

CREATE TYPE stock_part AS (lot uuid, quantity int);

-- What a movement of ± units of a level comes to: one part, or where units go and nobody says of which lot, a part of each
-- lot whose turn it is; what may not be sold goes last. The caller has the level locked.
CREATE FUNCTION stock_parts(at_location uuid, of_variant uuid, of_lot uuid, units int)
    RETURNS SETOF stock_part LANGUAGE sql STABLE AS $$
    WITH one AS (SELECT of_lot IS NOT NULL OR units > 0 OR NOT EXISTS (
        SELECT FROM stock_lot s WHERE s.location = at_location AND s.variant = of_variant AND s.on_hand > 0) AS part)
    SELECT of_lot, units FROM one WHERE one.part
    UNION ALL
    SELECT r.lot, -least(r.on_hand, -units - r.before)::int
    FROM (SELECT s.lot, s.on_hand,
                 sum(s.on_hand) OVER (
                     ORDER BY s.state <> 'for_sale', lot_rank(p.lot_strategy, l.expires_on, s.first_in), s.first_in, s.lot
                     ROWS UNBOUNDED PRECEDING) - s.on_hand AS before
          FROM stock_lot s JOIN lot l ON l.id = s.lot JOIN location p ON p.id = s.location
          WHERE s.location = at_location AND s.variant = of_variant AND s.on_hand > 0) r CROSS JOIN one
    WHERE NOT one.part AND r.before < -units
$$;

CREATE FUNCTION stock_lot_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR pg_trigger_depth() < 2 THEN
        IF current_setting('samlad.ledger', true) IS DISTINCT FROM 'both' THEN
            RAISE EXCEPTION 'lots change only by appending a movement' USING ERRCODE = 'restrict_violation';
        END IF;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;
CREATE TRIGGER stock_lot_guard BEFORE INSERT OR UPDATE OF on_hand OR DELETE ON stock_lot
    FOR EACH ROW EXECUTE FUNCTION stock_lot_guard();

-- A level knows how its product is tracked: the trigger of movements reads the level anyway.
CREATE OR REPLACE FUNCTION level_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (pg_trigger_depth() < 2 AND NOT (TG_OP = 'INSERT' AND NEW.on_hand = 0)
                            AND current_setting('samlad.ledger', true) IS DISTINCT FROM 'both') THEN
        RAISE EXCEPTION 'levels change only by appending a movement' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.tracking := coalesce((SELECT g.tracking FROM variant v JOIN product g ON g.id = v.product
                                  WHERE v.id = NEW.variant), 'none');
    END IF;
    RETURN NEW;
END $$;

-- Units of a lot come to a level or leave it, under the level's lock; the state of those units.
CREATE FUNCTION stock_lot_apply(at_location uuid, of_variant uuid, of_lot uuid, units int, of_serial boolean)
    RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    mine stock_lot;
BEGIN
    IF of_lot IS NULL THEN
        RAISE EXCEPTION 'these goods are kept by lot' USING ERRCODE = 'SLOTN';
    END IF;
    UPDATE stock_lot SET on_hand = on_hand + units
    WHERE location = at_location AND variant = of_variant AND lot = of_lot AND (units < 0 OR on_hand > 0)
    RETURNING * INTO mine;
    IF FOUND THEN
        RETURN mine.state;
    ELSIF units < 0 THEN
        RAISE EXCEPTION 'nothing of this lot is here' USING ERRCODE = 'check_violation', CONSTRAINT = 'stock_lot_on_hand_check';
    END IF;
    PERFORM FROM lot WHERE id = of_lot AND variant = of_variant FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no such lot' USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'stock_lot_lot_fkey';
    END IF;
    INSERT INTO stock_lot AS s (location, variant, lot, on_hand, state, look_on, is_serial)
    SELECT at_location, of_variant, of_lot, units, lot_state(l.recall IS NOT NULL, l.expires_on, g.min_days_left, d.today),
           lot_look_on(l.recall IS NOT NULL, l.expires_on, g.min_days_left, d.today), of_serial AND l.code <> ''
    FROM lot l JOIN variant v ON v.id = l.variant JOIN product g ON g.id = v.product
    JOIN location p ON p.id = at_location
    CROSS JOIN LATERAL (SELECT (now() AT TIME ZONE p.time_zone)::date AS today) d
    WHERE l.id = of_lot
    ON CONFLICT (location, variant, lot) DO UPDATE
    SET on_hand = EXCLUDED.on_hand, state = EXCLUDED.state, look_on = EXCLUDED.look_on, is_serial = EXCLUDED.is_serial,
        first_in = now()
    RETURNING s.* INTO mine;
    RETURN mine.state;
END $$;

-- As before, and where the units of a level are kept by lot, the movement's lot changes with it.
CREATE OR REPLACE FUNCTION movement_applies() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old   level;
    state text := 'for_sale';
BEGIN
    IF current_setting('samlad.ledger', true) = 'both' THEN
        NEW.seq := nextval('movement_seq');
        RETURN NEW;
    END IF;
    SELECT * INTO old FROM level WHERE location = NEW.location AND variant = NEW.variant FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO level (location, variant) VALUES (NEW.location, NEW.variant) ON CONFLICT DO NOTHING;
        SELECT * INTO old FROM level WHERE location = NEW.location AND variant = NEW.variant FOR NO KEY UPDATE;
    END IF;
    IF old.tracking = 'none' OR NEW.quantity = 0 THEN
        NEW.lot := NULL;
    ELSE
        state := stock_lot_apply(NEW.location, NEW.variant, NEW.lot, NEW.quantity, old.tracking = 'serial');
    END IF;
    NEW.on_hand_after := old.on_hand + NEW.quantity;
    NEW.value_e4 := CASE
        WHEN NEW.cause = 'revaluation' THEN NEW.unit_cost_e4 * old.on_hand - old.value_e4
        WHEN NEW.on_hand_after <= 0 THEN -old.value_e4
        WHEN NEW.value_e4 IS NOT NULL THEN NEW.value_e4
        WHEN NEW.quantity > 0 THEN NEW.quantity * coalesce(NEW.unit_cost_e4, old.unit_cost_e4)
        ELSE round(old.value_e4::numeric * NEW.quantity / old.on_hand)::bigint END;
    NEW.value_after_e4 := old.value_e4 + NEW.value_e4;
    IF NEW.quantity <> 0 THEN
        NEW.unit_cost_e4 := round(abs(NEW.value_e4)::numeric / abs(NEW.quantity))::bigint;
    END IF;
    UPDATE level SET on_hand = NEW.on_hand_after, held = held - NEW.fulfilled, value_e4 = NEW.value_after_e4,
        unit_cost_e4 = CASE WHEN NEW.on_hand_after > 0 THEN round(NEW.value_after_e4::numeric / NEW.on_hand_after)::bigint
                            WHEN NEW.cause = 'revaluation' THEN NEW.unit_cost_e4 ELSE unit_cost_e4 END,
        expired = expired + CASE state WHEN 'expired' THEN NEW.quantity ELSE 0 END,
        expiring = expiring + CASE state WHEN 'expiring' THEN NEW.quantity ELSE 0 END,
        blocked = blocked + CASE state WHEN 'blocked' THEN NEW.quantity ELSE 0 END,
        updated_at = now()
    WHERE location = NEW.location AND variant = NEW.variant;
    NEW.seq := nextval('movement_seq');  -- after the row's lock was had: the order of numbers is the order of changes
    RETURN NEW;
END $$;

-- As before; what has expired, soon will, or is blocked is not there for the plan.
CREATE OR REPLACE FUNCTION stock_plan(variants uuid[], quantities int[], locations uuid[], for_channel uuid,
                                      in_pool uuid, buffer int)
    RETURNS SETOF stock_pick LANGUAGE sql STABLE AS $$
    WITH wanted AS MATERIALIZED (
        SELECT t.variant, t.location, sum(t.quantity)::int AS quantity
        FROM unnest(variants, quantities, locations) AS t (variant, quantity, location)
        GROUP BY t.variant, t.location
    ), candidate AS (
        SELECT w.variant, w.location AS asked, w.quantity, l.location, p.priority,
               p.channel IS NOT DISTINCT FROM for_channel AS is_own,
               l.on_hand - l.expired - l.expiring - l.blocked - l.held - kept.units >= w.quantity AS is_here,
               l.on_hand - l.expired - l.expiring - l.blocked - l.held
                   + stock_later(l.backorder_limit, l.incoming, l.sells_incoming) - kept.units
                   - coalesce(pinned.quantity, 0) AS free
        FROM wanted w
        JOIN level l ON l.variant = w.variant AND (w.location IS NULL OR l.location = w.location)
        JOIN location p ON p.id = l.location AND p.pool = in_pool AND p.is_active
        LEFT JOIN location_sharing c ON c.location = l.location AND c.channel = for_channel
        CROSS JOIN LATERAL (SELECT w.location IS NOT NULL
                                   AND (stock_plan.buffer IS NULL OR p.channel IS NOT DISTINCT FROM for_channel)
                           ) AS is_free (of_rules)
        CROSS JOIN LATERAL (SELECT CASE WHEN is_free.of_rules OR stock_plan.buffer IS NULL THEN 0
                                        ELSE coalesce(c.buffer, p.buffer) END) AS kept (units)
        LEFT JOIN wanted pinned
               ON w.location IS NULL AND pinned.variant = w.variant AND pinned.location = l.location
        WHERE is_free.of_rules OR NOT coalesce(c.is_excluded, false)
    ), ranked AS (
        SELECT *, count(*) FILTER (WHERE free >= quantity) OVER (PARTITION BY location) AS covers,
               sum(free) OVER (PARTITION BY variant, asked)
                   - CASE WHEN asked IS NULL THEN coalesce(stock_plan.buffer, 0) ELSE 0 END AS total
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

-- As before; likewise for the update that decides.
CREATE OR REPLACE FUNCTION stock_take(variants uuid[], quantities int[], locations uuid[], for_channel uuid,
                                      in_pool uuid, buffer int, new_kind text, new_owner uuid, until timestamptz)
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
                      AND l.on_hand - l.expired - l.expiring - l.blocked
                          + stock_later(l.backorder_limit, l.incoming, l.sells_incoming) - l.held >= plan[i].quantity;
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

-- The lots of one level that leave for a customer, under its lock: the named ones, and for the rest whose turn it is.
-- Fails when a named lot is not here, may not be had, or has fewer units, and when units have not come yet.
CREATE FUNCTION stock_ship_lots(at_location uuid, of_variant uuid, units int, variants uuid[], quantities int[],
                                locations uuid[], lots uuid[])
    RETURNS TABLE (lot uuid, quantity int) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
    chosen stock_part[];
    wrong  record;
BEGIN
    IF (SELECT l.tracking = 'none' FROM level l WHERE l.location = at_location AND l.variant = of_variant) THEN
        RETURN QUERY SELECT NULL::uuid, units;
        RETURN;
    END IF;
    SELECT coalesce(array_agg((n.lot, n.quantity)::stock_part), '{}') INTO chosen
    FROM (SELECT t.lot, sum(t.quantity)::int AS quantity
          FROM unnest(variants, quantities, locations, lots) AS t (variant, quantity, location, lot)
          WHERE t.variant = of_variant AND t.location = at_location AND t.lot IS NOT NULL GROUP BY t.lot) n;
    SELECT c.lot, coalesce(s.on_hand, 0) AS here INTO wrong
    FROM unnest(chosen) AS c LEFT JOIN stock_lots_for_customers(at_location, of_variant) AS s ON s.lot = c.lot
    WHERE coalesce(s.on_hand, 0) < c.quantity ORDER BY c.lot LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'of this lot % units may be had here', wrong.here USING ERRCODE = 'SLOTX', DETAIL = wrong.lot::text;
    END IF;
    IF (SELECT coalesce(sum(s.on_hand), 0) FROM stock_lots_for_customers(at_location, of_variant) AS s) < units THEN
        RAISE EXCEPTION 'these units have not come yet' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'stock_lot_on_hand_check';
    END IF;
    RETURN QUERY
    WITH free AS (
        SELECT s.lot, s.turn, s.on_hand - coalesce(c.quantity, 0) AS left_over, coalesce(c.quantity, 0) AS named,
               sum(s.on_hand - coalesce(c.quantity, 0)) OVER (ORDER BY s.turn ROWS UNBOUNDED PRECEDING)
                   - (s.on_hand - coalesce(c.quantity, 0)) AS before
        FROM stock_lots_for_customers(at_location, of_variant) AS s LEFT JOIN unnest(chosen) AS c ON c.lot = s.lot
    ), rest AS (SELECT units - coalesce(sum(c.quantity), 0) AS wanted FROM unnest(chosen) AS c),
    part AS (
        SELECT f.lot, f.turn, f.named + greatest(least(f.left_over, r.wanted - f.before), 0) AS quantity
        FROM free f CROSS JOIN rest r
    )
    SELECT p.lot, p.quantity::int FROM part p WHERE p.quantity > 0 ORDER BY p.turn;
END $$;

-- Held units leave, the levels in key order. Of what is kept by lot those lots leave that were named, and else those whose
-- turn it is; never one that customers may not get.
DROP FUNCTION stock_ship(uuid, text, uuid[], int[], uuid[], text, uuid, text, uuid);
CREATE FUNCTION stock_ship(of_owner uuid, of_kind text, variants uuid[], quantities int[], locations uuid[], lots uuid[],
                           new_cause text, new_reference uuid, new_actor text, new_event uuid)
    RETURNS SETOF movement LANGUAGE plpgsql AS $$
DECLARE
    goods      stock_pick[];
    is_tracked boolean;
    line       record;
BEGIN
    SELECT array_agg((g.location, g.variant, g.quantity, 0)::stock_pick ORDER BY g.location, g.variant) INTO goods
    FROM (SELECT location, variant, sum(quantity)::int AS quantity
          FROM hold_consume(of_owner, of_kind, variants, quantities, locations) GROUP BY location, variant) g;
    SELECT bool_or(t.tracking <> 'none') INTO is_tracked
    FROM (SELECT l.tracking FROM unnest(goods) AS g JOIN level l ON l.location = g.location AND l.variant = g.variant
          ORDER BY l.location, l.variant FOR NO KEY UPDATE OF l) t;
    IF NOT is_tracked THEN
        RETURN QUERY INSERT INTO movement AS m (location, variant, quantity, fulfilled, cause, reference, actor, event)
            SELECT g.location, g.variant, -g.quantity, g.quantity, new_cause, new_reference, new_actor, new_event
            FROM unnest(goods) AS g ORDER BY g.location, g.variant
            RETURNING m.*;
        RETURN;
    END IF;
    FOR line IN
        SELECT g.location, g.variant, o.lot, o.quantity
        FROM unnest(goods) AS g
        CROSS JOIN LATERAL stock_ship_lots(g.location, g.variant, g.quantity, variants, quantities, locations, lots) AS o
        ORDER BY g.location, g.variant
    LOOP
        RETURN QUERY INSERT INTO movement AS m (location, variant, lot, quantity, fulfilled, cause, reference, actor, event)
            VALUES (line.location, line.variant, line.lot, -line.quantity, line.quantity, new_cause, new_reference,
                    new_actor, new_event)
            RETURNING m.*;
    END LOOP;
END $$;


-- As before, by lot where goods are kept by lot. What nobody may sell bears no holds.
DROP FUNCTION stock_move(uuid[], uuid[], int[], text[], bigint[], bigint[], text, uuid, text, uuid, boolean);
CREATE FUNCTION stock_move(locations uuid[], variants uuid[], lots uuid[], quantities int[], reasons text[],
                           costs bigint[], worth bigint[], new_cause text, new_reference uuid, new_actor text,
                           new_event uuid, may_drop boolean)
    RETURNS TABLE (outcome text, id uuid, location uuid, variant uuid, quantity int, on_hand int, value_e4 bigint,
                   kind text, owner uuid, lot uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    line  record;
    part  stock_part;
    old   level;
    units int;
    over  int;
BEGIN
    FOR line IN SELECT t.location, t.variant, t.lot, t.quantity, t.reason, t.cost, t.value
                FROM unnest(locations, variants, lots, quantities, reasons, costs, worth)
                     AS t (location, variant, lot, quantity, reason, cost, value)
                WHERE t.quantity <> 0 ORDER BY t.location, t.variant, t.quantity < 0, t.lot
    LOOP
        units := line.quantity;
        IF units < 0 THEN
            SELECT * INTO old FROM level l WHERE l.location = line.location AND l.variant = line.variant FOR UPDATE;
            IF may_drop THEN
                CONTINUE WHEN old.on_hand IS NULL OR old.on_hand = 0;
                units := greatest(units, -old.on_hand);
            ELSIF old.on_hand + units < 0  -- its lots are no more than the level, so there is nothing to share out
                  OR old.on_hand IS NULL AND EXISTS (SELECT FROM variant WHERE variant.id = line.variant) THEN
                RAISE EXCEPTION 'these units are not here' USING ERRCODE = 'check_violation',
                    CONSTRAINT = 'level_on_hand_check';
            END IF;
        END IF;
        FOR part IN SELECT * FROM stock_parts(line.location, line.variant, line.lot, units) LOOP
            IF may_drop AND part.quantity < 0 THEN
                SELECT * INTO old FROM level l WHERE l.location = line.location AND l.variant = line.variant;
                IF old.tracking <> 'none' AND part.lot IS NOT NULL THEN
                    part.quantity := greatest(part.quantity, -coalesce((
                        SELECT s.on_hand FROM stock_lot s
                        WHERE s.location = line.location AND s.variant = line.variant AND s.lot = part.lot), 0));
                    CONTINUE WHEN part.quantity = 0;
                END IF;
                over := old.held - old.on_hand + old.expired + old.blocked
                        - CASE WHEN old.tracking <> 'none' AND EXISTS (
                              SELECT FROM stock_lot s WHERE s.location = line.location AND s.variant = line.variant
                              AND s.lot = part.lot AND s.state IN ('expired', 'blocked')) THEN 0 ELSE part.quantity END
                        - stock_later(old.backorder_limit, old.incoming, old.sells_incoming);
                IF over > 0 THEN
                    RETURN QUERY SELECT 'dropped', d.id, d.location, d.variant, d.quantity, 0, 0::bigint, d.kind, d.owner,
                                        NULL::uuid
                                 FROM hold_drop(line.location, line.variant, over) AS d;
                    UPDATE level SET held = held - over WHERE location = line.location AND variant = line.variant;
                END IF;
            END IF;
            RETURN QUERY INSERT INTO movement AS m (location, variant, lot, quantity, unit_cost_e4, value_e4, cause,
                                                    reference, reason, actor, event)
                VALUES (line.location, line.variant, part.lot, part.quantity, line.cost, line.value, new_cause,
                        new_reference, line.reason, new_actor, new_event)
                RETURNING 'moved', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.value_e4, NULL,
                          NULL::uuid, m.lot;
        END LOOP;
    END LOOP;
END $$;

-- As before; what nobody may sell bears no holds.
CREATE OR REPLACE FUNCTION stock_expect(locations uuid[], variants uuid[], quantities int[]) RETURNS SETOF hold
    LANGUAGE plpgsql AS $$
DECLARE
    line record;
    old  level;
    over int;
BEGIN
    FOR line IN SELECT t.location, t.variant, sum(t.quantity)::int AS units
                FROM unnest(locations, variants, quantities) AS t (location, variant, quantity)
                GROUP BY t.location, t.variant HAVING sum(t.quantity) <> 0 ORDER BY t.location, t.variant
    LOOP
        INSERT INTO level (location, variant) VALUES (line.location, line.variant) ON CONFLICT DO NOTHING;
        SELECT * INTO old FROM level l WHERE l.location = line.location AND l.variant = line.variant FOR NO KEY UPDATE;
        over := old.held - old.on_hand + old.expired + old.blocked
                - stock_later(old.backorder_limit, old.incoming + line.units, old.sells_incoming);
        IF over > 0 THEN
            RETURN QUERY SELECT * FROM hold_drop(line.location, line.variant, over);
        END IF;
        UPDATE level SET incoming = incoming + line.units, held = held - greatest(over, 0), updated_at = now()
        WHERE location = line.location AND variant = line.variant;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION stock_repair_holds() RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
    most  int;
BEGIN
    LOCK TABLE level IN SHARE ROW EXCLUSIVE MODE;
    FOR wrong IN SELECT * FROM stock_hold_difference ORDER BY location, variant LOOP
        SELECT coalesce(max(on_hand - expired - blocked + stock_later(backorder_limit, incoming, sells_incoming)), 0)
        INTO most FROM level WHERE location = wrong.location AND variant = wrong.variant;
        IF wrong.holds > most THEN
            RETURN QUERY SELECT * FROM hold_drop(wrong.location, wrong.variant, wrong.holds - most);
        END IF;
        UPDATE level SET held = least(wrong.holds, most), updated_at = now()
        WHERE location = wrong.location AND variant = wrong.variant;
    END LOOP;
END $$;

-- As before; expiring and unsellable units have to be bought again.
CREATE OR REPLACE VIEW stock_reorder AS
    SELECT l.location, l.variant, l.id, l.on_hand, l.held, l.incoming, l.reorder_point, n.projected,
           least(greatest(coalesce(l.reorder_quantity, 1), l.reorder_point + 1 - n.projected), 1000000000)::int AS wanted,
           coalesce((SELECT sum(d.quantity) FROM purchase_order_line d JOIN purchase_order o ON o.id = d.purchase
                     WHERE d.variant = l.variant AND o.location = l.location AND o.status = 'draft'), 0)::bigint AS drafted
    FROM level l
    CROSS JOIN LATERAL (SELECT l.on_hand::bigint - l.expired - l.expiring - l.blocked - l.held + l.incoming AS projected) n
    WHERE l.reorder_point IS NOT NULL AND n.projected <= l.reorder_point;

-- As before for what is not kept by lot, in one statement; units of lots are brought by movements one by one.
CREATE OR REPLACE FUNCTION stock_open(new_reference uuid, new_actor text, new_event uuid) RETURNS int
    LANGUAGE plpgsql AS $$
DECLARE
    by_lot   int;
    appended int;
BEGIN
    INSERT INTO movement (location, variant, lot, quantity, unit_cost_e4, cause, reference, actor, event)
    SELECT o.location, o.variant, o.lot, sum(o.quantity)::int, round(avg(o.cost))::bigint, 'receipt', new_reference,
           new_actor, new_event
    FROM opening_stock o JOIN variant v ON v.id = o.variant JOIN product g ON g.id = v.product AND g.tracking <> 'none'
    GROUP BY o.location, o.variant, o.lot ORDER BY o.location, o.variant, o.lot;
    GET DIAGNOSTICS by_lot = ROW_COUNT;
    PERFORM set_config('samlad.ledger', 'both', true);
    WITH receipt AS MATERIALIZED (
        SELECT o.location, o.variant, sum(o.quantity)::int AS quantity,
               sum(o.quantity * coalesce(o.cost, l.unit_cost_e4, 0))::bigint AS value
        FROM opening_stock o LEFT JOIN level l USING (location, variant)
        LEFT JOIN variant v ON v.id = o.variant LEFT JOIN product g ON g.id = v.product
        WHERE coalesce(g.tracking, 'none') = 'none'
        GROUP BY o.location, o.variant
    ), risen AS (
        INSERT INTO level AS l (location, variant, on_hand, value_e4, unit_cost_e4)
        SELECT location, variant, quantity, value, round(value::numeric / quantity)::bigint FROM receipt
        ORDER BY location, variant
        ON CONFLICT (location, variant) DO UPDATE
        SET on_hand = l.on_hand + EXCLUDED.on_hand, value_e4 = l.value_e4 + EXCLUDED.value_e4,
            unit_cost_e4 = round((l.value_e4 + EXCLUDED.value_e4)::numeric / (l.on_hand + EXCLUDED.on_hand))::bigint,
            updated_at = now()
        RETURNING location, variant, on_hand, value_e4
    )
    INSERT INTO movement (location, variant, quantity, unit_cost_e4, value_e4, cause, reference, on_hand_after,
                          value_after_e4, actor, event)
    SELECT location, variant, quantity, round(value::numeric / quantity)::bigint, value, 'receipt', new_reference,
           on_hand, value_e4, new_actor, new_event
    FROM receipt JOIN risen USING (location, variant);
    GET DIAGNOSTICS appended = ROW_COUNT;
    PERFORM set_config('samlad.ledger', '', true);
    RETURN by_lot + appended;
END $$;

-- Lots become what they ought to be by now: expiring, expired, blocked, or for sale again. Of these lots, or of those whose
-- day to look has come, at so many levels at most; each level under its lock, in key order, so that it happens once. Where
-- fewer units may leave than are held, holds are dropped.
CREATE FUNCTION stock_judge_lots(these uuid[], most int)
    RETURNS TABLE (outcome text, location uuid, variant uuid, quantity int, lot uuid, before text, after text, id uuid,
                   kind text, owner uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    places stock_pick[];
    place  record;
    old    level;
    over   int;
BEGIN
    IF these IS NULL THEN  -- two queries, so that each finds its index
        SELECT array_agg((d.location, d.variant, 0, 0)::stock_pick) INTO places
        FROM (SELECT DISTINCT d.location, d.variant FROM stock_lot_due d
              WHERE d.on_hand > 0 AND d.look_on <= d.today AND d.look_on <= (now() AT TIME ZONE 'UTC')::date + 1
              ORDER BY d.location, d.variant LIMIT most) d;
    ELSE
        SELECT array_agg((s.location, s.variant, 0, 0)::stock_pick) INTO places
        FROM (SELECT DISTINCT s.location, s.variant FROM stock_lot s WHERE s.lot = ANY(these) AND s.on_hand > 0) s;
    END IF;
    FOR place IN SELECT p.location, p.variant FROM unnest(places) AS p ORDER BY p.location, p.variant
    LOOP
        PERFORM FROM level l WHERE l.location = place.location AND l.variant = place.variant FOR NO KEY UPDATE;
        RETURN QUERY SELECT 'looked', place.location, place.variant, 0, NULL::uuid, NULL, NULL, NULL::uuid, NULL, NULL::uuid;
        RETURN QUERY SELECT 'judged', d.location, d.variant, d.on_hand, d.lot, d.state, d.due, NULL::uuid, NULL, NULL::uuid
                     FROM stock_lot_due d
                     WHERE d.location = place.location AND d.variant = place.variant AND d.on_hand > 0
                       AND d.state <> d.due ORDER BY d.lot;
        UPDATE stock_lot s SET state = d.due, look_on = d.due_look_on FROM stock_lot_due d
        WHERE s.location = place.location AND s.variant = place.variant AND d.location = s.location
          AND d.variant = s.variant AND d.lot = s.lot
          AND (s.state <> d.due OR s.look_on IS DISTINCT FROM d.due_look_on);
        SELECT * INTO old FROM stock_level_lots(place.location, place.variant);
        over := old.held - old.on_hand + old.expired + old.blocked
                - stock_later(old.backorder_limit, old.incoming, old.sells_incoming);
        IF over > 0 THEN
            RETURN QUERY SELECT 'dropped', h.location, h.variant, h.quantity, NULL::uuid, NULL, NULL, h.id, h.kind, h.owner
                         FROM hold_drop(place.location, place.variant, over) AS h;
        END IF;
        UPDATE level l SET expired = old.expired, expiring = old.expiring, blocked = old.blocked,
               held = l.held - greatest(over, 0), updated_at = now()
        WHERE l.location = place.location AND l.variant = place.variant;
    END LOOP;
END $$;

-- A level with what its lots say of it.
CREATE FUNCTION stock_level_lots(at_location uuid, of_variant uuid) RETURNS SETOF level LANGUAGE plpgsql STABLE AS $$
DECLARE
    found level;
BEGIN
    SELECT * INTO found FROM level l WHERE l.location = at_location AND l.variant = of_variant;
    SELECT coalesce(sum(on_hand) FILTER (WHERE state = 'expired'), 0),
           coalesce(sum(on_hand) FILTER (WHERE state = 'expiring'), 0),
           coalesce(sum(on_hand) FILTER (WHERE state = 'blocked'), 0)
    INTO found.expired, found.expiring, found.blocked
    FROM stock_lot s WHERE s.location = at_location AND s.variant = of_variant;
    RETURN NEXT found;
END $$;

-- A line of the ledger that only says which lot units belong to: the level stays as it is.
CREATE FUNCTION stock_name_lot(at_location uuid, of_variant uuid, from_lot uuid, to_lot uuid, units int, why text,
                               new_actor text, new_event uuid)
    RETURNS SETOF movement LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('samlad.ledger', 'both', true);
    RETURN QUERY INSERT INTO movement AS m (location, variant, lot, quantity, unit_cost_e4, value_e4, cause, reason,
                                            on_hand_after, value_after_e4, actor, event)
        SELECT at_location, of_variant, n.lot, n.units, 0, 0, 'correction', why, l.on_hand, l.value_e4, new_actor, new_event
        FROM level l CROSS JOIN (VALUES (from_lot, -units), (to_lot, units)) AS n (lot, units)
        WHERE l.location = at_location AND l.variant = of_variant
        RETURNING m.*;
    PERFORM set_config('samlad.ledger', '', true);
END $$;

-- The lot of units of which nobody knows the lot.
CREATE FUNCTION stock_unknown_lot(of_variant uuid) RETURNS uuid LANGUAGE sql AS $$
    INSERT INTO lot (variant, code) VALUES (of_variant, '')
    ON CONFLICT (variant, code) DO UPDATE SET code = EXCLUDED.code RETURNING id
$$;

-- Units of a lot where they are, without a movement: only beside stock_name_lot.
CREATE FUNCTION stock_lot_set(at_location uuid, of_variant uuid, of_lot uuid, units int) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('samlad.ledger', 'both', true);
    INSERT INTO stock_lot AS s (location, variant, lot, on_hand, state, look_on, is_serial)
    VALUES (at_location, of_variant, of_lot, units, 'for_sale', '-infinity', false)
    ON CONFLICT (location, variant, lot) DO UPDATE SET on_hand = s.on_hand + EXCLUDED.on_hand, look_on = '-infinity';
    PERFORM set_config('samlad.ledger', '', true);
END $$;

-- A product begins or ends to be tracked: what is on hand gets or loses its lots, in the same transaction. Nobody changes a
-- level meanwhile, nor makes one that would not know.
CREATE FUNCTION product_tracking_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    place record;
    whole uuid;
BEGIN
    LOCK TABLE level IN SHARE ROW EXCLUSIVE MODE;
    UPDATE level SET tracking = NEW.tracking WHERE variant IN (SELECT id FROM variant WHERE product = NEW.id);
    IF OLD.tracking = 'none' THEN
        FOR place IN SELECT l.location, l.variant, l.on_hand FROM level l JOIN variant v ON v.id = l.variant
                     WHERE v.product = NEW.id AND l.on_hand > 0 ORDER BY l.location, l.variant LOOP
            whole := stock_unknown_lot(place.variant);
            PERFORM stock_name_lot(place.location, place.variant, NULL, whole, place.on_hand, 'kept by lot from now on',
                                   'system', NULL);
            PERFORM stock_lot_set(place.location, place.variant, whole, place.on_hand);
        END LOOP;
    ELSIF NEW.tracking = 'none' THEN
        FOR place IN SELECT s.location, s.variant, s.lot, s.on_hand FROM stock_lot s JOIN variant v ON v.id = s.variant
                     WHERE v.product = NEW.id AND s.on_hand > 0 ORDER BY s.location, s.variant, s.lot LOOP
            PERFORM stock_name_lot(place.location, place.variant, place.lot, NULL, place.on_hand, 'not kept by lot any more',
                                   'system', NULL);
        END LOOP;
        PERFORM set_config('samlad.ledger', 'both', true);
        DELETE FROM stock_lot WHERE variant IN (SELECT id FROM variant WHERE product = NEW.id);
        PERFORM set_config('samlad.ledger', '', true);
        UPDATE level SET expired = 0, expiring = 0, blocked = 0
        WHERE variant IN (SELECT id FROM variant WHERE product = NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER product_tracking_changed AFTER UPDATE OF tracking ON product FOR EACH ROW
    WHEN (OLD.tracking <> NEW.tracking) EXECUTE FUNCTION product_tracking_changed();

-- Other days to keep free: every lot of the product is to be looked at again.
CREATE FUNCTION product_days_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE stock_lot s SET look_on = '-infinity' FROM variant v
    WHERE v.product = NEW.id AND s.variant = v.id AND s.state <> 'blocked';
    RETURN NULL;
END $$;
CREATE TRIGGER product_days_changed AFTER UPDATE OF min_days_left ON product FOR EACH ROW
    WHEN (OLD.min_days_left <> NEW.min_days_left) EXECUTE FUNCTION product_days_changed();

-- What samlad doctor compares: each lot with its movements, the lots of each level with the level.
CREATE VIEW stock_lot_ledger_difference AS
    SELECT location, variant, lot, coalesce(s.on_hand, 0) AS on_hand, coalesce(m.moved, 0)::int AS moved
    FROM stock_lot s
    FULL JOIN (SELECT location, variant, lot, sum(quantity) AS moved FROM movement WHERE lot IS NOT NULL
               GROUP BY location, variant, lot) m USING (location, variant, lot)
    WHERE coalesce(s.on_hand, 0) <> coalesce(m.moved, 0);
CREATE VIEW stock_lot_difference AS
    SELECT l.location, l.variant, l.on_hand, coalesce(s.units, 0)::int AS units,
           l.expired + l.expiring + l.blocked AS unsold, coalesce(s.unsold, 0)::int AS lots_unsold
    FROM level l
    LEFT JOIN (SELECT location, variant, sum(on_hand) AS units, sum(on_hand) FILTER (WHERE state <> 'for_sale') AS unsold,
                      sum(on_hand) FILTER (WHERE state = 'expired') AS expired,
                      sum(on_hand) FILTER (WHERE state = 'expiring') AS expiring,
                      sum(on_hand) FILTER (WHERE state = 'blocked') AS blocked
               FROM stock_lot GROUP BY location, variant) s USING (location, variant)
    WHERE (l.tracking <> 'none' AND l.on_hand <> coalesce(s.units, 0)) OR l.expired <> coalesce(s.expired, 0)
       OR l.expiring <> coalesce(s.expiring, 0) OR l.blocked <> coalesce(s.blocked, 0);

-- Lots are what people worked with, levels even more so: movements are appended that explain a lot as it is; then what the
-- lots lack goes to the unknown lot, and what they have too much comes off it, then off those whose turn it is last. How
-- many pairs of movements, and holds that lost their units.
CREATE FUNCTION stock_repair_lots(new_actor text, new_event uuid)
    RETURNS TABLE (outcome text, location uuid, variant uuid, quantity int, lot uuid, id uuid, kind text, owner uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    wrong record;
    part  record;
    whole uuid;
    why   text := 'samlad doctor: lots and level had come apart';
BEGIN
    LOCK TABLE level IN SHARE ROW EXCLUSIVE MODE;
    FOR wrong IN SELECT * FROM stock_lot_ledger_difference d ORDER BY d.location, d.variant, d.lot LOOP
        RETURN QUERY SELECT 'named', m.location, m.variant, m.quantity, m.lot, NULL::uuid, NULL, NULL::uuid
                     FROM stock_name_lot(wrong.location, wrong.variant, NULL, wrong.lot, wrong.on_hand - wrong.moved, why,
                                         new_actor, new_event) AS m WHERE m.lot IS NOT NULL;
    END LOOP;
    FOR wrong IN SELECT * FROM stock_lot_difference d ORDER BY d.location, d.variant LOOP
        IF wrong.on_hand > wrong.units AND (SELECT l.tracking <> 'none' FROM level l
                WHERE l.location = wrong.location AND l.variant = wrong.variant) THEN
            whole := stock_unknown_lot(wrong.variant);
            PERFORM stock_lot_set(wrong.location, wrong.variant, whole, wrong.on_hand - wrong.units);
            RETURN QUERY SELECT 'named', m.location, m.variant, m.quantity, m.lot, NULL::uuid, NULL, NULL::uuid
                         FROM stock_name_lot(wrong.location, wrong.variant, NULL, whole, wrong.on_hand - wrong.units, why,
                                             new_actor, new_event) AS m WHERE m.lot IS NOT NULL;
        END IF;
        FOR part IN
            SELECT r.lot, least(r.on_hand, wrong.units - wrong.on_hand - r.before)::int AS units
            FROM (SELECT s.lot, s.on_hand,
                         sum(s.on_hand) OVER (ORDER BY l.code <> '', s.first_in DESC, s.lot ROWS UNBOUNDED PRECEDING)
                             - s.on_hand AS before
                  FROM stock_lot s JOIN lot l ON l.id = s.lot
                  WHERE s.location = wrong.location AND s.variant = wrong.variant AND s.on_hand > 0) r
            WHERE r.before < wrong.units - wrong.on_hand
        LOOP
            PERFORM set_config('samlad.ledger', 'both', true);
            UPDATE stock_lot s SET on_hand = s.on_hand - part.units
            WHERE s.location = wrong.location AND s.variant = wrong.variant AND s.lot = part.lot;
            RETURN QUERY SELECT 'named', m.location, m.variant, m.quantity, m.lot, NULL::uuid, NULL, NULL::uuid
                         FROM stock_name_lot(wrong.location, wrong.variant, part.lot, NULL, part.units, why, new_actor,
                                             new_event) AS m WHERE m.lot IS NOT NULL;
        END LOOP;
        RETURN QUERY SELECT j.outcome, j.location, j.variant, j.quantity, j.lot, j.id, j.kind, j.owner
                     FROM stock_judge_lots((SELECT array_agg(s.lot) FROM stock_lot s WHERE s.location = wrong.location
                                            AND s.variant = wrong.variant), NULL) AS j;
        UPDATE level l SET expired = n.expired, expiring = n.expiring, blocked = n.blocked
        FROM stock_level_lots(wrong.location, wrong.variant) AS n
        WHERE l.location = wrong.location AND l.variant = wrong.variant
          AND l.held <= l.on_hand - n.expired - n.blocked + stock_later(l.backorder_limit, l.incoming, l.sells_incoming);
    END LOOP;
END $$;

-- Counts and transfers say which lot.
ALTER TABLE stock_count_line
    ADD COLUMN lot uuid REFERENCES lot,
    DROP CONSTRAINT stock_count_line_pkey;
CREATE UNIQUE INDEX stock_count_line_one ON stock_count_line (count, variant, lot) NULLS NOT DISTINCT;
ALTER TABLE stock_transfer_line
    ADD COLUMN lot uuid REFERENCES lot,
    DROP CONSTRAINT stock_transfer_line_pkey;
ALTER TABLE stock_transfer ADD COLUMN expected_on date;  -- the destination's own day
CREATE UNIQUE INDEX stock_transfer_line_one ON stock_transfer_line (transfer, variant, lot) NULLS NOT DISTINCT;
CREATE INDEX stock_transfer_line_variant ON stock_transfer_line (variant);

-- What is still to come, line by line: from suppliers, and with transfers that are expected on a day.
DROP VIEW stock_incoming_difference;
DROP VIEW stock_incoming;
CREATE VIEW stock_incoming AS
    SELECT o.id AS purchase, NULL::uuid AS transfer, o.location, l.variant, l.quantity - l.received AS units, l.expected_on
    FROM purchase_order_line l JOIN purchase_order o ON o.id = l.purchase
    WHERE l.received < l.quantity AND o.status IN ('ordered', 'partially_received')
    UNION ALL
    SELECT NULL, t.id, t.destination, l.variant, l.quantity - l.received, t.expected_on
    FROM stock_transfer_line l JOIN stock_transfer t ON t.id = l.transfer
    WHERE l.received < l.quantity AND t.status = 'in_transit' AND t.expected_on IS NOT NULL;
CREATE VIEW stock_incoming_difference AS
    SELECT location, variant, coalesce(l.incoming, 0) AS incoming, coalesce(i.units, 0)::int AS ordered
    FROM (SELECT location, variant, incoming FROM level WHERE incoming > 0) l
    FULL JOIN (SELECT location, variant, sum(units) AS units FROM stock_incoming GROUP BY location, variant) i
        USING (location, variant)
    WHERE coalesce(l.incoming, 0) <> coalesce(i.units, 0);
