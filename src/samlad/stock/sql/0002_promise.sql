-- ATP by channel and location: what a location keeps back, which locations a channel leaves out, and units that may be
-- sold before they are there: backorders with a date, and goods that are expected (incoming).

ALTER TABLE location
    ADD COLUMN buffer int NOT NULL DEFAULT 0 CHECK (buffer BETWEEN 0 AND 1000000);  -- units of each variant kept back
CREATE TABLE location_sharing (
    location    uuid    NOT NULL REFERENCES location,
    channel     uuid    NOT NULL REFERENCES channel,
    buffer      int     CHECK (buffer BETWEEN 0 AND 1000000),  -- null: the location's own
    is_excluded boolean NOT NULL DEFAULT false,                -- nothing is promised to this channel from here
    PRIMARY KEY (location, channel)
);
CREATE INDEX location_sharing_channel ON location_sharing (channel);
COMMENT ON TABLE location_sharing IS 'Where a location behaves otherwise for one channel; not inherited by its children';

-- Units of a level that may be sold before they are there.
CREATE FUNCTION stock_later(backorder_limit int, incoming int, sells_incoming boolean)
    RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT backorder_limit + CASE WHEN sells_incoming THEN incoming ELSE 0 END
$$;

ALTER TABLE level
    ADD COLUMN incoming       int     NOT NULL DEFAULT 0 CHECK (incoming >= 0),  -- ordered from suppliers, not yet here
    ADD COLUMN sells_incoming boolean NOT NULL DEFAULT false,                    -- those may be sold already
    ADD COLUMN backorder_on   date,                                              -- when units on backorder come
    DROP CONSTRAINT level_never_oversold,
    ADD CONSTRAINT level_never_oversold CHECK (held <= on_hand + stock_later(backorder_limit, incoming, sells_incoming));

-- As before, and: a location keeps its buffer back from lines that do not name it, and from lines that do unless it is
-- the channel's own store, where the customer has the goods in hand; likewise with locations that a channel leaves out.
-- Without a buffer (null) nothing is kept back: goods for an order that stands already.
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
               l.on_hand - l.held - kept.units >= w.quantity AS is_here,
               l.on_hand - l.held + stock_later(l.backorder_limit, l.incoming, l.sells_incoming) - kept.units
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

-- As before; the update counts what may be sold before it is there.
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
                      AND l.on_hand + stock_later(l.backorder_limit, l.incoming, l.sells_incoming) - l.held
                          >= plan[i].quantity;
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

-- As before; what may be sold before it is there bears holds, too.
CREATE OR REPLACE FUNCTION stock_move(locations uuid[], variants uuid[], quantities int[], reasons text[],
                                      new_cause text, new_reference uuid, new_actor text, new_event uuid,
                                      may_drop boolean)
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
            over := old.held - old.on_hand - units - stock_later(old.backorder_limit, old.incoming, old.sells_incoming);
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

-- More or fewer units are expected at levels, in key order. Holds that were taken on units which do not come any more
-- are dropped and answered.
CREATE FUNCTION stock_expect(locations uuid[], variants uuid[], quantities int[]) RETURNS SETOF hold
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
        over := old.held - old.on_hand
                - stock_later(old.backorder_limit, old.incoming + line.units, old.sells_incoming);
        IF over > 0 THEN
            RETURN QUERY SELECT * FROM hold_drop(line.location, line.variant, over);
        END IF;
        UPDATE level SET incoming = incoming + line.units, held = held - greatest(over, 0), updated_at = now()
        WHERE location = line.location AND variant = line.variant;
    END LOOP;
END $$;

-- As before; what may be sold before it is there bears holds, too.
CREATE OR REPLACE FUNCTION stock_repair_holds() RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
    most  int;
BEGIN
    LOCK TABLE level IN SHARE ROW EXCLUSIVE MODE;
    FOR wrong IN SELECT * FROM stock_hold_difference ORDER BY location, variant LOOP
        SELECT coalesce(max(on_hand + stock_later(backorder_limit, incoming, sells_incoming)), 0) INTO most FROM level
        WHERE location = wrong.location AND variant = wrong.variant;
        IF wrong.holds > most THEN
            RETURN QUERY SELECT * FROM hold_drop(wrong.location, wrong.variant, wrong.holds - most);
        END IF;
        UPDATE level SET held = least(wrong.holds, most), updated_at = now()
        WHERE location = wrong.location AND variant = wrong.variant;
    END LOOP;
END $$;
