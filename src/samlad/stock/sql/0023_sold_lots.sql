-- A sale that has happened may say of which lots it was: the code was scanned while somebody had the piece in hand. Those leave, also
-- where nobody should have sold them. What of them the books do not have here was booked under another name: it gets its own first.

-- Units of a level that may bear another name than their own, for so many: those that counts have missed, then those of which nobody
-- knows the lot, then (not of serial numbers: each of the others is a piece that somebody may still have) those whose turn it is.
CREATE FUNCTION stock_lot_givers(at_location uuid, of_variant uuid, units int, missed_lots uuid[], missed_units int[])
    RETURNS SETOF stock_part LANGUAGE sql STABLE AS $$
    WITH here AS (
        SELECT s.lot, s.on_hand, least(s.on_hand, coalesce(t.units, 0)) AS missed, t.turn, l.code, l.expires_on, s.state, s.first_in,
               p.lot_strategy, v.tracking
        FROM stock_lot s JOIN lot l ON l.id = s.lot JOIN location p ON p.id = s.location
             JOIN level v ON v.location = s.location AND v.variant = s.variant
             LEFT JOIN unnest(missed_lots, missed_units) WITH ORDINALITY AS t (lot, units, turn) ON t.lot = s.lot
        WHERE s.location = at_location AND s.variant = of_variant AND s.on_hand > 0
    ), giver AS (
        SELECT lot, missed AS on_hand, row_number() OVER (ORDER BY turn) AS turn FROM here WHERE missed > 0
        UNION ALL
        SELECT lot, on_hand - missed, 1000000 + row_number() OVER (
            ORDER BY code <> '', state <> 'for_sale', lot_rank(lot_strategy, expires_on, first_in), first_in, lot)
        FROM here WHERE on_hand > missed AND (tracking <> 'serial' OR code = '')
    )
    SELECT g.lot, least(g.on_hand, units - g.before)::int
    FROM (SELECT lot, on_hand, turn, sum(on_hand) OVER (ORDER BY turn ROWS UNBOUNDED PRECEDING) - on_hand AS before FROM giver) g
    WHERE g.before < units ORDER BY g.turn
$$;

-- As before, and of what was scanned (named_lots, each once) those lots first. `named` are corrections by which units got the name that
-- was scanned, `lacked` says how many of a named lot were not here. A piece that stands in the books of another place keeps its name there.
DROP FUNCTION stock_sell(uuid, uuid, uuid[], int[], uuid, text, text, uuid, uuid, timestamptz, uuid[], int[]);
CREATE FUNCTION stock_sell(at_location uuid, of_owner uuid, variants uuid[], quantities int[], new_reference uuid,
                           new_reason text, new_actor text, new_event uuid, found_event uuid,
                           at timestamptz, missed_lots uuid[], missed_units int[], named_lots uuid[], named_units int[],
                           named_reason text)
    RETURNS TABLE (outcome text, id uuid, location uuid, variant uuid, quantity int, on_hand int, lot uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    leased  hold[];
    line    record;
    part    stock_part;
    lack    stock_part;
    chosen  stock_part[];
    lacking stock_part[];
    old     level;
    mine    int;
    rest    int;
    extra   int;
    aside   int;
    worth   bigint;
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
        chosen := '{}';
        lacking := '{}';
        aside := 0;
        IF old.tracking <> 'none' AND cardinality(named_lots) > 0 THEN
            SELECT coalesce(array_agg((n.lot, n.here)::stock_part ORDER BY n.turn) FILTER (WHERE n.here > 0), '{}'),
                   coalesce(array_agg((n.lot, n.units - n.here)::stock_part ORDER BY n.turn) FILTER (WHERE n.units > n.here), '{}'),
                   coalesce(sum(n.here) FILTER (WHERE n.state IN ('expired', 'blocked')), 0)
            INTO chosen, lacking, aside
            FROM (SELECT t.lot, t.units, t.turn, s.state, least(t.units, coalesce(s.on_hand, 0)) AS here
                  FROM unnest(named_lots, named_units) WITH ORDINALITY AS t (lot, units, turn)
                  JOIN lot l ON l.id = t.lot AND l.variant = line.variant
                  LEFT JOIN stock_lot s ON s.location = at_location AND s.variant = line.variant AND s.lot = t.lot) n;
        END IF;
        -- What has expired or is blocked bears no holds: of what does, so much less is needed.
        rest := line.quantity - aside;
        extra := rest - least(rest, greatest(0, old.on_hand - old.expired - old.blocked - (old.held - mine)));
        IF old.tracking = 'serial' AND cardinality(lacking) > 0 THEN
            SELECT greatest(extra, sum(k.quantity)::int - coalesce((
                       SELECT sum(g.quantity) FROM stock_lot_givers(at_location, line.variant, sum(k.quantity)::int,
                                                                    missed_lots, missed_units) AS g), 0)::int)
            INTO extra FROM unnest(lacking) AS k;
        END IF;
        IF extra > 0 THEN
            RETURN QUERY INSERT INTO movement AS m (location, variant, lot, quantity, cause, reference, reason, actor, event,
                                                           happened_at)
                VALUES (at_location, line.variant,
                        CASE WHEN old.tracking <> 'none' THEN stock_unknown_lot(line.variant) END, extra, 'correction',
                        new_reference, new_reason, new_actor, found_event, '-infinity')
                RETURNING 'found', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.lot;
        END IF;
        rest := line.quantity;
        FOREACH part IN ARRAY chosen LOOP
            rest := rest - part.quantity;
            part.quantity := -part.quantity;
            RETURN QUERY SELECT * FROM stock_sell_part(at_location, line.variant, part, mine, new_reference, new_actor,
                                                       new_event, at);
            mine := 0;
        END LOOP;
        IF cardinality(lacking) > 0 AND mine > 0 THEN  -- or units could not change their name while they are held
            UPDATE level l SET held = l.held - mine WHERE l.location = at_location AND l.variant = line.variant;
            mine := 0;
        END IF;
        FOREACH lack IN ARRAY lacking LOOP
            RETURN QUERY SELECT 'lacked', NULL::uuid, at_location, line.variant, lack.quantity, 0, lack.lot;
            FOR part IN SELECT * FROM stock_lot_givers(at_location, line.variant, lack.quantity, missed_lots, missed_units) LOOP
                rest := rest - part.quantity;
                missed_units := ARRAY(SELECT greatest(0, t.units - CASE WHEN t.lot = part.lot THEN part.quantity ELSE 0 END)
                                      FROM unnest(missed_lots, missed_units) WITH ORDINALITY AS t (lot, units, turn) ORDER BY t.turn);
                part.quantity := -part.quantity;
                IF NOT (old.tracking = 'serial' AND EXISTS (
                        SELECT FROM stock_lot s WHERE s.lot = lack.lot AND s.on_hand > 0)) THEN
                    INSERT INTO movement AS m (location, variant, lot, quantity, cause, reference, reason, actor, event, happened_at)
                        VALUES (at_location, line.variant, part.lot, part.quantity, 'correction', new_reference, named_reason,
                                new_actor, found_event, '-infinity')
                        RETURNING 'named', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.lot, m.value_e4
                        INTO outcome, id, location, variant, quantity, on_hand, lot, worth;
                    RETURN NEXT;
                    RETURN QUERY INSERT INTO movement AS m (location, variant, lot, quantity, value_e4, cause, reference, reason, actor,
                                                            event, happened_at)
                        VALUES (at_location, line.variant, lack.lot, -part.quantity, -worth, 'correction', new_reference,
                                named_reason, new_actor, found_event, '-infinity')
                        RETURNING 'named', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.lot;
                    part.lot := lack.lot;
                END IF;
                RETURN QUERY SELECT * FROM stock_sell_part(at_location, line.variant, part, mine, new_reference, new_actor,
                                                           new_event, at);
            END LOOP;
        END LOOP;
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
