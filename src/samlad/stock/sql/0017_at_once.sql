-- Holds of many owners at one place, where each of them would get them if they came one after the other; no rows where that
-- is not so. They want the same way (channel, pool, buffer, place or none); what all of them want is here at one location;
-- and nobody would be sent to another first, because what ranks before it has nothing of these goods.
CREATE FUNCTION stock_take_alike(takers int[], variants uuid[], quantities int[], locations uuid[], channels uuid[],
                                 pools uuid[], buffers int[], kinds text[], owners uuid[], untils timestamptz[])
    RETURNS TABLE (taker int, outcome text, id uuid, location uuid, variant uuid, quantity int, available int,
                   kind text, owner uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    goods   uuid[];
    units   int[];
    place   uuid;
    changed int;
BEGIN
    IF EXISTS (SELECT FROM unnest(channels, pools, buffers) AS t (channel, pool, buffer)
               WHERE (t.channel, t.pool) <> (channels[1], pools[1]) OR t.buffer IS DISTINCT FROM buffers[1])
       OR EXISTS (SELECT FROM unnest(locations) AS t (location) WHERE t.location IS DISTINCT FROM locations[1])
       OR (SELECT sum(t.units) FROM unnest(quantities) AS t (units)) > 1000000000 THEN
        RETURN;
    END IF;
    SELECT array_agg(s.variant ORDER BY s.variant), array_agg(s.units ORDER BY s.variant) INTO goods, units
    FROM (SELECT t.variant, sum(t.units)::int AS units FROM unnest(variants, quantities) AS t (variant, units)
          GROUP BY t.variant) s;
    SELECT CASE WHEN bool_and(p.location IS NOT NULL) AND count(DISTINCT p.location) = 1
                THEN (array_agg(p.location))[1] END INTO place
    FROM stock_plan(goods, units, array_fill(locations[1], ARRAY[cardinality(goods)]), channels[1], pools[1],
                    buffers[1]) AS p;
    IF place IS NULL
       OR locations[1] IS NULL AND EXISTS (
           SELECT FROM location mine
           JOIN location p ON p.pool = pools[1] AND p.is_active AND p.id <> mine.id
           JOIN level l ON l.location = p.id AND l.variant = ANY(goods)
           LEFT JOIN location_sharing c ON c.location = p.id AND c.channel = channels[1]
           WHERE mine.id = place AND NOT coalesce(c.is_excluded, false)
             AND (p.channel IS DISTINCT FROM channels[1], p.priority, p.id)
                 < (mine.channel IS DISTINCT FROM channels[1], mine.priority, mine.id)
             AND l.on_hand - l.expired - l.expiring - l.blocked - l.held
                 + stock_later(l.backorder_limit, l.incoming, l.sells_incoming) > 0) THEN
        RETURN;
    END IF;
    BEGIN
        PERFORM FROM level l WHERE l.location = place AND l.variant = ANY(goods) ORDER BY l.variant FOR NO KEY UPDATE;
        UPDATE level l SET held = l.held + t.units, updated_at = now()
        FROM unnest(goods, units) AS t (variant, units), location p
        LEFT JOIN location_sharing c ON c.location = p.id AND c.channel = channels[1]
        WHERE p.id = place AND l.location = place AND l.variant = t.variant
          AND l.on_hand - l.expired - l.expiring - l.blocked - l.held - coalesce(c.buffer, p.buffer) >= t.units;
        GET DIAGNOSTICS changed = ROW_COUNT;
        IF changed < cardinality(goods) THEN RAISE EXCEPTION USING ERRCODE = 'SLOST'; END IF;
    EXCEPTION WHEN SQLSTATE 'SLOST' THEN
        RETURN;  -- undone, and the locks with it
    END;
    RETURN QUERY
        INSERT INTO hold AS h (location, variant, quantity, kind, owner, channel, expires_at)
        SELECT place, w.variant, w.units, kinds[w.n], owners[w.n], channels[w.n], untils[w.n]
        FROM (SELECT o.n, t.variant, sum(t.units)::int AS units
              FROM unnest(variants, quantities) WITH ORDINALITY AS t (variant, units, line)
              JOIN (SELECT n, sum(takers[n]) OVER (ORDER BY n) AS upto FROM generate_subscripts(takers, 1) AS n) o
                   ON t.line > o.upto - takers[o.n] AND t.line <= o.upto
              GROUP BY o.n, t.variant ORDER BY o.n, t.variant) w
        RETURNING array_position(owners, h.owner), 'held', h.id, h.location, h.variant, h.quantity, 0, h.kind, h.owner;
END $$;

-- As before; those who want alike are served at once. Without claimants the holds are those of transactions that go
-- together with this one, and claimed already.
CREATE OR REPLACE FUNCTION stock_take_each(takers int[], variants uuid[], quantities int[], locations uuid[], channels uuid[],
                                           pools uuid[], buffers int[], kinds text[], owners uuid[], untils timestamptz[],
                                           claimants xid8[])
    RETURNS TABLE (taker int, outcome text, id uuid, location uuid, variant uuid, quantity int, available int,
                   kind text, owner uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    first int := 1;
    last  int;
BEGIN
    IF cardinality(takers) > 1 THEN
        RETURN QUERY SELECT * FROM stock_take_alike(takers, variants, quantities, locations, channels, pools, buffers,
                                                    kinds, owners, untils);
        IF FOUND THEN
            INSERT INTO hold_claim (owner, claimant) SELECT * FROM unnest(owners, claimants) WHERE claimants IS NOT NULL;
            RETURN;
        END IF;
    END IF;
    IF EXISTS (SELECT FROM unnest(variants) AS v WHERE v <> variants[1]) THEN
        PERFORM FROM level l
                WHERE (l.location, l.variant) IN (
                    SELECT p.location, p.variant
                    FROM (SELECT n, sum(takers[n]) OVER (ORDER BY n)::int AS upto
                          FROM generate_subscripts(takers, 1) AS n) t
                    CROSS JOIN LATERAL stock_plan(
                        variants[t.upto - takers[t.n] + 1 : t.upto], quantities[t.upto - takers[t.n] + 1 : t.upto],
                        locations[t.upto - takers[t.n] + 1 : t.upto], channels[t.n], pools[t.n], buffers[t.n]) AS p)
                ORDER BY l.location, l.variant FOR NO KEY UPDATE;
    END IF;
    FOR n IN 1..cardinality(takers) LOOP
        last := first + takers[n] - 1;
        RETURN QUERY SELECT n, t.*
                     FROM stock_take(variants[first:last], quantities[first:last], locations[first:last], channels[n],
                                     pools[n], buffers[n], kinds[n], owners[n], untils[n]) AS t;
        IF claimants IS NOT NULL THEN
            INSERT INTO hold_claim (owner, claimant) SELECT owners[n], claimants[n]
                WHERE EXISTS (SELECT FROM hold h WHERE h.owner = owners[n]);
        END IF;
        first := last + 1;
    END LOOP;
END $$;
