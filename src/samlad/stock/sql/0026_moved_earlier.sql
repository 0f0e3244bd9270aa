-- As before, and units may have moved at an earlier moment: a phone without network sends later what came, or was not found.
-- A count that looked after that has seen it, in whatever order the two are booked.
DROP FUNCTION stock_move(uuid[], uuid[], uuid[], int[], text[], bigint[], bigint[], text, uuid, text, uuid, boolean);
CREATE FUNCTION stock_move(locations uuid[], variants uuid[], lots uuid[], quantities int[], reasons text[],
                           costs bigint[], worth bigint[], new_cause text, new_reference uuid, new_actor text,
                           new_event uuid, may_drop boolean, at timestamptz)
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
                                                    reference, reason, actor, event, happened_at)
                VALUES (line.location, line.variant, part.lot, part.quantity, line.cost, line.value, new_cause,
                        new_reference, line.reason, new_actor, new_event, CASE WHEN at < now() THEN at END)
                RETURNING 'moved', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.value_e4, NULL,
                          NULL::uuid, m.lot;
        END LOOP;
    END LOOP;
END $$;
