-- As in 0001, but found by the two indexes of holds, each of which has the holds of one sort (with an end, and without).
-- Naming both sorts lets the planner use them together: it read all holds of the shop where goods were lost.
-- Holds that lose units when fewer are there than are held: expired ones first, then carts … orders last, the youngest
-- first. The caller counts them off the level.
CREATE OR REPLACE FUNCTION hold_drop(at_location uuid, of_variant uuid, units int) RETURNS SETOF hold LANGUAGE sql AS $$
    WITH mine AS MATERIALIZED (
        SELECT * FROM hold
        WHERE location = at_location AND variant = of_variant AND (expires_at IS NULL OR expires_at IS NOT NULL)
        ORDER BY id FOR UPDATE
    ), part AS (
        SELECT id, quantity AS whole,
               least(quantity, units - (sum(quantity) OVER (
                   ORDER BY coalesce(expires_at <= now(), false) DESC,
                            array_position(ARRAY['cart', 'checkout', 'parked', 'lease', 'marketplace', 'order'], kind),
                            created_at DESC, id
                   ROWS UNBOUNDED PRECEDING) - quantity))::int AS quantity
        FROM mine
    ), deleted AS (DELETE FROM hold h USING part WHERE h.id = part.id AND part.quantity = part.whole),
    reduced AS (UPDATE hold h SET quantity = h.quantity - part.quantity FROM part
                WHERE h.id = part.id AND part.quantity > 0 AND part.quantity < part.whole)
    SELECT mine.id, mine.location, mine.variant, part.quantity, mine.kind, mine.owner, mine.channel, mine.expires_at,
           mine.created_at
    FROM part JOIN mine ON mine.id = part.id WHERE part.quantity > 0
$$;
