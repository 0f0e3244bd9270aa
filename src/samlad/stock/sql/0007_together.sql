-- Holds of many owners in one call, each with its own verdict: `stock_take` for one after the other. `takers` counts the
-- lines of each; what is per taker has one element for each. Where they want several variants, the levels that they will
-- get are locked in key order first, so that the groups of two processes cannot wait for each other.
CREATE FUNCTION stock_take_each(takers int[], variants uuid[], quantities int[], locations uuid[], channels uuid[],
                                pools uuid[], buffers int[], kinds text[], owners uuid[], untils timestamptz[])
    RETURNS TABLE (taker int, outcome text, id uuid, location uuid, variant uuid, quantity int, available int,
                   kind text, owner uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    first int := 1;
    last  int;
BEGIN
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
        first := last + 1;
    END LOOP;
END $$;
