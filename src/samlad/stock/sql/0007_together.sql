-- For which transaction a hold was taken together with others: until that makes the hold its own, under another owner. If
-- it ended without, its process was killed or it was rolled back, and the hold is nobody's.
CREATE TABLE hold_claim (
    owner    uuid        PRIMARY KEY,
    claimant xid8        NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX hold_claim_made ON hold_claim (made_at);

-- As before; what nobody will claim any more is free like what has expired.
CREATE OR REPLACE FUNCTION stock_expire(variants uuid[], locations uuid[], in_pool uuid)
    RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    gone hold[];
BEGIN
    WITH old AS MATERIALIZED (
        SELECT h.id FROM unnest(variants, locations) AS t (variant, location)
        JOIN level l ON l.variant = t.variant AND (t.location IS NULL OR l.location = t.location)
        JOIN location p ON p.id = l.location AND p.pool = in_pool
        JOIN hold h ON h.location = l.location AND h.variant = l.variant AND h.expires_at IS NOT NULL
        WHERE h.expires_at <= now()
           OR EXISTS (SELECT FROM hold_claim c
                      WHERE c.owner = h.owner AND coalesce(pg_xact_status(c.claimant), 'aborted') = 'aborted')
        ORDER BY h.id FOR UPDATE OF h
    ), deleted AS (DELETE FROM hold h USING old WHERE h.id = old.id RETURNING h.*)
    SELECT array_agg(deleted::hold) INTO gone FROM deleted;
    IF gone IS NOT NULL THEN
        PERFORM stock_unhold((SELECT array_agg((location, variant, quantity, 0)::stock_pick) FROM unnest(gone)));
        RETURN QUERY SELECT * FROM unnest(gone);
    END IF;
END $$;

-- As before; what nobody will claim any more is swept up, too.
CREATE OR REPLACE FUNCTION stock_sweep(most int) RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    gone hold[];
BEGIN
    WITH old AS MATERIALIZED (
        SELECT id FROM hold
        WHERE id IN (SELECT id FROM hold WHERE expires_at <= now()
                     UNION SELECT h.id FROM hold_claim c JOIN hold h ON h.owner = c.owner
                           WHERE coalesce(pg_xact_status(c.claimant), 'aborted') = 'aborted')
        ORDER BY id LIMIT most FOR UPDATE SKIP LOCKED
    ), deleted AS (DELETE FROM hold h USING old WHERE h.id = old.id RETURNING h.*)
    SELECT array_agg(deleted::hold) INTO gone FROM deleted;
    IF gone IS NOT NULL THEN
        PERFORM stock_unhold((SELECT array_agg((location, variant, quantity, 0)::stock_pick) FROM unnest(gone)));
        RETURN QUERY SELECT * FROM unnest(gone);
    END IF;
END $$;

-- Holds of many owners in one call, each with its own verdict: `stock_take` for one after the other. `takers` counts the
-- lines of each; what is per taker has one element for each. Where they want several variants, the levels that they will
-- get are locked in key order first, so that the groups of two processes cannot wait for each other.
CREATE FUNCTION stock_take_each(takers int[], variants uuid[], quantities int[], locations uuid[], channels uuid[],
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
        INSERT INTO hold_claim (owner, claimant) SELECT owners[n], claimants[n]
            WHERE EXISTS (SELECT FROM hold h WHERE h.owner = owners[n]);
        first := last + 1;
    END LOOP;
END $$;
