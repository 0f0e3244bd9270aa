-- Lots go along when goods get another name (0014): a lot of the same number of the variant that stands there is the same lot.
-- In plain words: docs/concepts/joining-catalogues.md.

-- The lots of other variants that stand for these. Those that are missing are made, with their date and with their recall. Where
-- `follows`, those that are there take both over: whoever leaves keeps what was said of the lot since. Lots are locked by
-- id, before any level.
CREATE FUNCTION stock_lots_stand_in(lots uuid[], variants uuid[], new_actor text, follows boolean) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    made uuid[];
BEGIN
    PERFORM FROM lot l WHERE l.id = ANY (lots) OR EXISTS (
        SELECT FROM unnest(lots, variants) AS t (lot, variant) JOIN lot o ON o.id = t.lot
        WHERE l.variant = t.variant AND l.code = o.code) ORDER BY l.id FOR UPDATE;
    WITH new AS (
        INSERT INTO lot (variant, code, expires_on)
        SELECT DISTINCT t.variant, o.code, o.expires_on FROM unnest(lots, variants) AS t (lot, variant) JOIN lot o ON o.id = t.lot
        ORDER BY 1, 2 ON CONFLICT (variant, code) DO NOTHING RETURNING id
    ) SELECT coalesce(array_agg(id), '{}') INTO made FROM new;
    -- Blocked here is blocked there: nobody may sell it because it has another name.
    WITH pair AS (
        SELECT n.id, o.recall, n.recall AS was FROM unnest(lots, variants) AS t (lot, variant)
        JOIN lot o ON o.id = t.lot JOIN lot n ON n.variant = t.variant AND n.code = o.code
        WHERE follows OR n.id = ANY (made)
    ), blocked AS (
        INSERT INTO stock_recall (id, lot, reason, actor)
        SELECT DISTINCT ON (p.id) gen_random_uuid(), p.id, r.reason, new_actor
        FROM pair p JOIN stock_recall r ON r.id = p.recall WHERE p.was IS NULL
        ON CONFLICT (lot) WHERE ended_at IS NULL DO NOTHING RETURNING id, lot
    ), freed AS (
        UPDATE stock_recall r SET ended_at = now(), ended_by = new_actor FROM pair p
        WHERE r.id = p.was AND p.recall IS NULL AND r.ended_at IS NULL RETURNING r.lot
    )
    UPDATE lot l SET recall = n.recall, version = l.version + 1
    FROM (SELECT lot, id AS recall FROM blocked UNION ALL SELECT lot, NULL FROM freed) n WHERE l.id = n.lot;
    UPDATE lot n SET expires_on = o.expires_on, version = n.version + 1
    FROM unnest(lots, variants) AS t (lot, variant) JOIN lot o ON o.id = t.lot
    WHERE follows AND n.variant = t.variant AND n.code = o.code AND n.expires_on IS DISTINCT FROM o.expires_on;
END $$;

-- As before, with the lots of what is kept by lot. Where the other variant is not kept so, its units are of no lot; where only
-- that one is, they are of the lot that nobody knows.
DROP FUNCTION stock_rename(uuid[], uuid[], uuid[], text);
CREATE FUNCTION stock_rename(locations uuid[], here uuid[], there uuid[], new_actor text, follows boolean) RETURNS int
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    renamed int;
BEGIN
    PERFORM stock_lots_stand_in(array_agg(s.lot), array_agg(t.there), new_actor, follows)
    FROM unnest(locations, here, there) AS t (location, here, there)
    JOIN stock_lot s ON s.location = t.location AND s.variant = t.here AND s.on_hand > 0 HAVING count(*) > 0;
    INSERT INTO level (location, variant)
    SELECT DISTINCT t.location, t.variant FROM unnest(locations, there) AS t (location, variant) ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    -- In key order, before holds are looked at: whoever is taking some now has done so, and whoever comes finds nothing here.
    PERFORM FROM level l WHERE (l.location, l.variant) IN (
        SELECT * FROM unnest(locations, here) UNION SELECT * FROM unnest(locations, there))
        ORDER BY l.location, l.variant FOR UPDATE;
    -- What came meanwhile: as above.
    PERFORM stock_lots_stand_in(array_agg(s.lot), array_agg(t.there), new_actor, follows)
    FROM unnest(locations, here, there) AS t (location, here, there)
    JOIN stock_lot s ON s.location = t.location AND s.variant = t.here AND s.on_hand > 0
    JOIN lot o ON o.id = s.lot
    WHERE NOT EXISTS (SELECT FROM lot n WHERE n.variant = t.there AND n.code = o.code) HAVING count(*) > 0;
    PERFORM set_config('samlad.ledger', 'both', true);
    WITH pair AS MATERIALIZED (SELECT * FROM unnest(locations, here, there) AS t (location, here, there)),
    old AS MATERIALIZED (
        SELECT l.*, p.there, n.tracking AS kept
        FROM pair p JOIN level l ON l.location = p.location AND l.variant = p.here
             JOIN level n ON n.location = p.location AND n.variant = p.there
    ), part AS MATERIALIZED (
        SELECT o.location, o.variant, o.there, o.kept, s.lot, CASE WHEN o.kept <> 'none' THEN n.id END AS lot_there,
               s.on_hand AS units, s.state, s.is_serial, s.first_in
        FROM old o JOIN stock_lot s ON s.location = o.location AND s.variant = o.variant AND s.on_hand > 0
             JOIN lot l ON l.id = s.lot LEFT JOIN lot n ON n.variant = o.there AND n.code = l.code
        UNION ALL
        SELECT o.location, o.variant, o.there, o.kept, NULL, CASE WHEN o.kept <> 'none' THEN stock_unknown_lot(o.there) END,
               o.on_hand - s.units, 'for_sale', false, now()
        FROM old o CROSS JOIN LATERAL (
            SELECT coalesce(sum(s.on_hand), 0)::int AS units FROM stock_lot s
            WHERE s.location = o.location AND s.variant = o.variant) s
        WHERE o.on_hand > s.units
    ), emptied AS (
        UPDATE level l SET on_hand = 0, held = 0, incoming = 0, value_e4 = 0, backorder_limit = 0, sells_incoming = false,
               reorder_point = NULL, reorder_quantity = NULL, expired = 0, expiring = 0, blocked = 0, updated_at = now()
        FROM old WHERE l.location = old.location AND l.variant = old.variant
    ), risen AS (
        UPDATE level l SET on_hand = l.on_hand + old.on_hand, held = l.held + old.held, incoming = l.incoming + old.incoming,
               value_e4 = l.value_e4 + old.value_e4,
               unit_cost_e4 = CASE WHEN l.on_hand = 0 THEN old.unit_cost_e4 WHEN l.on_hand + old.on_hand > 0
                   THEN round((l.value_e4 + old.value_e4)::numeric / (l.on_hand + old.on_hand))::bigint ELSE l.unit_cost_e4 END,
               backorder_limit = greatest(l.backorder_limit, old.backorder_limit), low_at = old.low_at,
               sells_incoming = l.sells_incoming OR old.sells_incoming, backorder_on = coalesce(old.backorder_on, l.backorder_on),
               reorder_point = coalesce(old.reorder_point, l.reorder_point),
               reorder_quantity = coalesce(old.reorder_quantity, l.reorder_quantity), updated_at = now()
        FROM old WHERE l.location = old.location AND l.variant = old.there
        RETURNING l.location, l.variant, l.on_hand, l.value_e4
    ), gone AS (
        UPDATE stock_lot s SET on_hand = 0 FROM part p
        WHERE s.location = p.location AND s.variant = p.variant AND s.lot = p.lot
    ), come AS (
        -- Looked at again at once (stock_judge_lots): the other product may ask for more days.
        INSERT INTO stock_lot AS s (location, variant, lot, on_hand, state, look_on, is_serial, first_in)
        SELECT location, there, lot_there, units, state, '-infinity', kept = 'serial' AND is_serial, first_in FROM part
        WHERE lot_there IS NOT NULL
        ON CONFLICT (location, variant, lot) DO UPDATE
        SET on_hand = s.on_hand + EXCLUDED.on_hand, look_on = '-infinity', is_serial = EXCLUDED.is_serial,
            state = CASE WHEN s.on_hand > 0 AND s.state IN ('for_sale', 'expiring') THEN s.state ELSE EXCLUDED.state END,
            first_in = CASE WHEN s.on_hand > 0 THEN least(s.first_in, EXCLUDED.first_in) ELSE EXCLUDED.first_in END
    ), cut AS (
        SELECT p.location, p.variant, p.there, p.lot, p.lot_there, p.units, o.on_hand, o.value_e4, o.unit_cost_e4, n.upto,
               round(o.value_e4::numeric * n.upto / o.on_hand)::bigint AS worth_upto,
               round(o.value_e4::numeric * (n.upto - p.units) / o.on_hand)::bigint AS worth_before
        FROM (SELECT *, sum(units) OVER (PARTITION BY location, variant ORDER BY first_in, lot ROWS UNBOUNDED PRECEDING) AS upto
              FROM part) p
             CROSS JOIN LATERAL (SELECT p.upto::int) n
             JOIN old o ON o.location = p.location AND o.variant = p.variant
    ), told AS (
        INSERT INTO movement (location, variant, lot, quantity, cause, reason, on_hand_after, actor, unit_cost_e4, value_e4,
                              value_after_e4)
        SELECT location, variant, lot, quantity, cause, 'pools', after, new_actor, unit_cost_e4, worth, worth_after
        FROM (SELECT location, variant, lot, -units AS quantity, 'transfer_out' AS cause, on_hand - upto AS after, unit_cost_e4,
                     worth_before - worth_upto AS worth, value_e4 - worth_upto AS worth_after, upto
              FROM cut
              UNION ALL
              SELECT c.location, c.there, c.lot_there, c.units, 'transfer_in', r.on_hand - c.on_hand + c.upto, c.unit_cost_e4,
                     c.worth_upto - c.worth_before, r.value_e4 - c.value_e4 + c.worth_upto, c.upto
              FROM cut c JOIN risen r ON r.location = c.location AND r.variant = c.there) line
        ORDER BY location, cause DESC, variant, upto
    )
    SELECT count(*) INTO renamed FROM old;
    UPDATE level l SET expired = n.expired, expiring = n.expiring, blocked = n.blocked
    FROM unnest(locations, there) AS p (location, variant) CROSS JOIN LATERAL stock_level_lots(p.location, p.variant) AS n
    WHERE l.location = p.location AND l.variant = p.variant
      AND (l.expired, l.expiring, l.blocked) <> (n.expired, n.expiring, n.blocked);
    UPDATE hold h SET variant = p.there FROM unnest(locations, here, there) AS p (location, here, there)
    WHERE h.location = p.location AND h.variant = p.here;
    PERFORM set_config('samlad.ledger', '', true);
    RETURN renamed;
END $$;
