-- When the units of a movement moved, where that was before it was booked: a till sends its sales when it has a network again.
-- A count that looked at T expects what is on hand without what happened after T, in whatever order the two are booked.
ALTER TABLE movement ADD COLUMN happened_at timestamptz CHECK (happened_at <= created_at);
COMMENT ON COLUMN movement.happened_at IS
    'null: when it was booked; -infinity: nothing moved, the books had not known of units that were there all along';

DROP FUNCTION stock_sell(uuid, uuid, uuid[], int[], uuid, text, text, uuid, uuid);

CREATE FUNCTION stock_sell_part(at_location uuid, of_variant uuid, part stock_part, of_hold int, new_reference uuid,
                                new_actor text, new_event uuid, at timestamptz)
    RETURNS TABLE (outcome text, id uuid, location uuid, variant uuid, quantity int, on_hand int, lot uuid)
    LANGUAGE sql AS $$
    INSERT INTO movement AS m (location, variant, lot, quantity, fulfilled, cause, reference, actor, event, happened_at)
    VALUES (at_location, of_variant, part.lot, part.quantity, of_hold, 'sale', new_reference, new_actor, new_event,
            least(at, now()))
    RETURNING 'sold', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.lot
$$;

-- As before, at its own moment; and of what is kept by lot, those units first that counts have missed since, by lot.
CREATE FUNCTION stock_sell(at_location uuid, of_owner uuid, variants uuid[], quantities int[], new_reference uuid,
                           new_reason text, new_actor text, new_event uuid, found_event uuid,
                           at timestamptz, missed_lots uuid[], missed_units int[])
    RETURNS TABLE (outcome text, id uuid, location uuid, variant uuid, quantity int, on_hand int, lot uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    leased hold[];
    line   record;
    part   stock_part;
    old    level;
    mine   int;
    rest   int;
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
            RETURN QUERY INSERT INTO movement AS m (location, variant, lot, quantity, cause, reference, reason, actor, event,
                                                           happened_at)
                VALUES (at_location, line.variant,
                        CASE WHEN old.tracking <> 'none' THEN stock_unknown_lot(line.variant) END, extra, 'correction',
                        new_reference, new_reason, new_actor, found_event, '-infinity')
                RETURNING 'found', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.lot;
        END IF;
        rest := line.quantity;
        FOR part IN SELECT s.lot, -least(s.on_hand, t.units)
                    FROM unnest(missed_lots, missed_units) WITH ORDINALITY AS t (lot, units, turn)
                    JOIN stock_lot s ON s.location = at_location AND s.variant = line.variant AND s.lot = t.lot
                    WHERE s.on_hand > 0 AND t.units > 0 ORDER BY t.turn
        LOOP
            part.quantity := greatest(part.quantity, -rest);
            EXIT WHEN part.quantity = 0;
            RETURN QUERY SELECT * FROM stock_sell_part(at_location, line.variant, part, mine, new_reference, new_actor,
                                                       new_event, at);
            rest := rest + part.quantity;
            mine := 0;
        END LOOP;
        FOR part IN SELECT * FROM stock_parts(at_location, line.variant, NULL, -rest) WHERE rest > 0 LOOP
            RETURN QUERY SELECT * FROM stock_sell_part(at_location, line.variant, part, mine, new_reference, new_actor,
                                                       new_event, at);
            mine := 0;
        END LOOP;
    END LOOP;
END $$;
