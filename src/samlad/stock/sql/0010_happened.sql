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
