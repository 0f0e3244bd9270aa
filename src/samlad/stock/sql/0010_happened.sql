-- Sales that have happened: somebody left with the goods, so there is nothing to refuse. What the lease of a till covers goes
-- first, then what is free; what the books did not have is found by a correction (outcome 'found') and sold with the rest, so
-- that the ledger says it openly and no other hold loses its units. Locks: the till's holds by id, then levels by variant.
CREATE FUNCTION stock_sell(at_location uuid, of_owner uuid, variants uuid[], quantities int[], new_reference uuid,
                           new_reason text, new_actor text, new_event uuid, found_event uuid)
    RETURNS TABLE (outcome text, id uuid, location uuid, variant uuid, quantity int, on_hand int, lot uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    leased hold[];
    line   record;
    part   stock_part;
    old    level;
    mine   int;
    extra  int;
BEGIN
    SELECT array_agg(h) INTO leased
    FROM hold_consume(of_owner, 'lease', variants, quantities,
                      (SELECT array_agg(at_location) FROM unnest(variants))) AS h;
    FOR line IN SELECT t.variant, sum(t.quantity)::int AS quantity FROM unnest(variants, quantities) AS t (variant, quantity)
                GROUP BY t.variant ORDER BY t.variant
    LOOP
        INSERT INTO level (location, variant) VALUES (at_location, line.variant) ON CONFLICT DO NOTHING;
        SELECT * INTO old FROM level l WHERE l.location = at_location AND l.variant = line.variant FOR NO KEY UPDATE;
        SELECT coalesce(sum(h.quantity), 0) INTO mine FROM unnest(leased) AS h WHERE h.variant = line.variant;
        extra := line.quantity - least(line.quantity,
                                       greatest(0, old.on_hand - old.expired - old.blocked - (old.held - mine)));
        IF extra > 0 THEN
            RETURN QUERY INSERT INTO movement AS m (location, variant, lot, quantity, cause, reference, reason, actor, event)
                VALUES (at_location, line.variant,
                        CASE WHEN old.tracking <> 'none' THEN stock_unknown_lot(line.variant) END, extra, 'correction',
                        new_reference, new_reason, new_actor, found_event)
                RETURNING 'found', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.lot;
        END IF;
        FOR part IN SELECT * FROM stock_parts(at_location, line.variant, NULL, -line.quantity) LOOP
            RETURN QUERY INSERT INTO movement AS m (location, variant, lot, quantity, fulfilled, cause, reference, actor, event)
                VALUES (at_location, line.variant, part.lot, part.quantity, mine, 'sale', new_reference, new_actor, new_event)
                RETURNING 'sold', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.lot;
            mine := 0;
        END LOOP;
    END LOOP;
END $$;

-- Let what is held for an owner last until later.
CREATE FUNCTION stock_prolong(of_owner uuid, of_kind text, until timestamptz) RETURNS SETOF hold LANGUAGE sql AS $$
    WITH mine AS MATERIALIZED (
        SELECT id FROM hold WHERE owner = of_owner AND kind = of_kind ORDER BY id FOR UPDATE
    )
    UPDATE hold h SET expires_at = until FROM mine WHERE h.id = mine.id RETURNING h.*
$$;

-- Units that tills have leased at a location are wanted at the same place: of each variant so many are free again, or all.
CREATE FUNCTION stock_end_leases(at_location uuid, variants uuid[], quantities int[]) RETURNS SETOF hold LANGUAGE plpgsql AS $$
DECLARE
    gone hold[];
BEGIN
    WITH mine AS MATERIALIZED (
        SELECT h.* FROM hold h WHERE h.location = at_location AND h.variant = ANY(variants) AND h.kind = 'lease'
        ORDER BY h.id FOR UPDATE
    ), wanted AS (
        SELECT t.variant, sum(t.quantity)::int AS quantity FROM unnest(variants, quantities) AS t (variant, quantity) GROUP BY 1
    ), part AS (
        SELECT mine.id, mine.quantity AS whole,
               least(mine.quantity, w.quantity - (sum(mine.quantity) OVER (PARTITION BY mine.variant ORDER BY mine.id)
                                                  - mine.quantity))::int AS quantity
        FROM wanted w JOIN mine ON mine.variant = w.variant
    ), deleted AS (DELETE FROM hold h USING part WHERE h.id = part.id AND part.quantity = part.whole),
    reduced AS (UPDATE hold h SET quantity = h.quantity - part.quantity FROM part
                WHERE h.id = part.id AND part.quantity > 0 AND part.quantity < part.whole)
    SELECT array_agg((mine.id, mine.location, mine.variant, part.quantity, mine.kind, mine.owner, mine.channel,
                      mine.expires_at, mine.created_at)::hold) INTO gone
    FROM part JOIN mine ON mine.id = part.id WHERE part.quantity > 0;
    IF gone IS NOT NULL THEN
        PERFORM stock_unhold((SELECT array_agg((location, variant, quantity, 0)::stock_pick) FROM unnest(gone)));
        RETURN QUERY SELECT * FROM unnest(gone);
    END IF;
END $$;
