-- What shoppers of a channel may come to pay by the lists of a pool, now and later, each for themselves or in a group, from
-- one piece on: prices that another one always comes before are left out. The rule is that of catalog/price_rules.py: the
-- list that is first by priority and then by how much it names (`place`), then the largest quantity, then the amount.
CREATE FUNCTION standing_prices(of_pool uuid, in_currency text, in_channel uuid) RETURNS TABLE (
    variant uuid, price_list uuid, place int, customer_group text, kind text, tax_included boolean,
    valid_from timestamptz, valid_to timestamptz, min_quantity int, amount bigint, compare_at bigint
) LANGUAGE sql STABLE AS $$
    WITH list AS MATERIALIZED (
        SELECT l.*, CASE WHEN l.valid_from > now() THEN l.valid_from END AS begins,
               dense_rank() OVER (ORDER BY l.priority DESC,
                                  (l.channel IS NOT NULL)::int + (l.customer_group IS NOT NULL)::int DESC)::int AS place
        FROM price_list l
        WHERE l.pool = of_pool AND l.currency = in_currency AND l.status = 'active'
          AND (l.channel IS NULL OR l.channel = in_channel) AND (l.valid_to IS NULL OR l.valid_to > now())
    ), priced AS MATERIALIZED (
        SELECT p.variant, p.min_quantity, p.amount, p.compare_at, l.id, l.place, l.customer_group, l.kind, l.tax_included,
               l.begins, l.valid_to
        FROM price p JOIN list l ON l.id = p.price_list
    )
    SELECT p.variant, p.id, p.place, p.customer_group, p.kind, p.tax_included, p.begins, p.valid_to, p.min_quantity, p.amount,
           p.compare_at
    FROM priced p
    WHERE NOT EXISTS (
        SELECT FROM priced q
        WHERE q.variant = p.variant AND q.id <> p.id AND q.min_quantity <= p.min_quantity
          AND (q.place < p.place
               OR q.place = p.place AND q.min_quantity = p.min_quantity AND (q.amount, q.id) < (p.amount, p.id))
          AND (q.customer_group IS NULL OR q.customer_group = p.customer_group)
          AND (q.begins IS NULL OR q.begins <= p.begins) AND (q.valid_to IS NULL OR q.valid_to >= p.valid_to))
$$;

-- The same by variant, as one value that can be compared: two are equal where shoppers cannot tell one pool from the other.
CREATE FUNCTION price_structures(of_pool uuid, in_currency text, in_channel uuid) RETURNS TABLE (
    variant uuid, everything jsonb, scales jsonb, groups jsonb, dated jsonb
) LANGUAGE sql STABLE AS $$
    WITH ranked AS (
        SELECT s.*, jsonb_build_array(dense_rank() OVER (PARTITION BY s.variant ORDER BY s.place), s.customer_group, s.kind,
                                      s.tax_included, s.valid_from, s.valid_to, s.min_quantity, s.amount, s.compare_at) AS told
        FROM standing_prices(of_pool, in_currency, in_channel) s
    )
    SELECT variant, jsonb_agg(told ORDER BY told), jsonb_agg(told - 0 ORDER BY told) FILTER (WHERE min_quantity > 1),
           jsonb_agg(told - 0 ORDER BY told) FILTER (WHERE customer_group IS NOT NULL),
           jsonb_agg(told - 0 ORDER BY told) FILTER (WHERE valid_from IS NOT NULL OR valid_to IS NOT NULL)
    FROM ranked GROUP BY 1
$$;
