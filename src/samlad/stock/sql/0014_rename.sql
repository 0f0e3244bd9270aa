-- What lies at places of one variant is from now on of another: when catalogues become one, or come apart. The ledger says
-- so in two lines that add up to nothing, units and worth; what was sold of it before stays under its old name.
CREATE FUNCTION stock_rename(locations uuid[], here uuid[], there uuid[], new_actor text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    renamed int;
BEGIN
    INSERT INTO level (location, variant)
    SELECT DISTINCT t.location, t.variant FROM unnest(locations, there) AS t (location, variant) ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    -- In key order, before holds are looked at: whoever is taking some now has done so, and whoever comes finds nothing here.
    PERFORM FROM level l WHERE (l.location, l.variant) IN (
        SELECT * FROM unnest(locations, here) UNION SELECT * FROM unnest(locations, there))
        ORDER BY l.location, l.variant FOR UPDATE;
    PERFORM set_config('samlad.ledger', 'both', true);
    WITH pair AS MATERIALIZED (SELECT * FROM unnest(locations, here, there) AS t (location, here, there)),
    old AS MATERIALIZED (SELECT l.*, p.there FROM pair p JOIN level l ON l.location = p.location AND l.variant = p.here),
    emptied AS (
        UPDATE level l SET on_hand = 0, held = 0, incoming = 0, value_e4 = 0, backorder_limit = 0, sells_incoming = false,
               reorder_point = NULL, reorder_quantity = NULL, updated_at = now()
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
    ), told AS (
        INSERT INTO movement (location, variant, quantity, cause, reason, on_hand_after, actor, unit_cost_e4, value_e4,
                              value_after_e4)
        SELECT location, variant, -on_hand, 'transfer_out', 'pools', 0, new_actor, unit_cost_e4, -value_e4, 0
        FROM old WHERE on_hand > 0
        UNION ALL
        SELECT old.location, old.there, old.on_hand, 'transfer_in', 'pools', risen.on_hand, new_actor, old.unit_cost_e4,
               old.value_e4, risen.value_e4
        FROM old JOIN risen ON risen.location = old.location AND risen.variant = old.there WHERE old.on_hand > 0
    )
    SELECT count(*) INTO renamed FROM old;
    UPDATE hold h SET variant = p.there FROM unnest(locations, here, there) AS p (location, here, there)
    WHERE h.location = p.location AND h.variant = p.here;
    PERFORM set_config('samlad.ledger', '', true);
    RETURN renamed;
END $$;
