-- Goods that are kept by lot are the same as others that are kept so, too (their lots follow: stock, 0015), and sets are the same
-- where their parts are. As before by number and by what somebody said:
CREATE FUNCTION catalogue_pairs_by_number(of_pool uuid, with_pool uuid) RETURNS TABLE (
    variant uuid, product uuid, sku text, gtin text, title text, is_active boolean, twin uuid, twin_sku text,
    twin_gtin text, twin_title text, state text, why text
) LANGUAGE sql STABLE AS $$
    WITH ours AS MATERIALIZED (
        SELECT v.id, v.product, v.sku, v.gtin, v.gtin14, v.sold_by, v.options, v.status = 'active' AS is_active,
               p.title || CASE WHEN v.option_text = '' THEN '' ELSE ', ' || v.option_text END AS title, p.tax_class,
               p.tracking, EXISTS (SELECT FROM bundle_component b WHERE b.bundle = v.id) AS is_set,
               v.gtin14 IS NOT NULL AND v.status = 'active'
                   AND count(*) FILTER (WHERE v.status = 'active') OVER (PARTITION BY v.gtin14) > 1 AS is_twice,
               d.kind, d.twin AS told
        FROM variant v JOIN product p ON p.id = v.product
             LEFT JOIN catalogue_decision d ON d.variant = v.id
                  AND (d.twin IS NULL OR EXISTS (SELECT FROM variant t WHERE t.id = d.twin AND t.pool = with_pool))
        WHERE v.pool = of_pool
    ), by_gtin AS MATERIALIZED (
        SELECT a.id, count(*) FILTER (WHERE b.status = 'active') > 1 AS is_twice,
               (array_agg(b.id ORDER BY b.status, b.created_at, b.id))[1] AS twin
        FROM ours a JOIN variant b ON b.pool = with_pool AND b.gtin14 = a.gtin14 GROUP BY a.id
    ), named AS MATERIALIZED (
        SELECT a.*, g.is_twice AS is_twice_there, CASE WHEN a.kind = 'same' THEN a.told ELSE coalesce(g.twin, s.id) END AS found,
               CASE WHEN a.kind = 'same' THEN 'hand' WHEN g.twin IS NOT NULL THEN 'gtin' ELSE 'sku' END AS by_what
        FROM ours a LEFT JOIN by_gtin g ON g.id = a.id LEFT JOIN variant s ON s.pool = with_pool AND s.sku = a.sku
    ), judged AS (
        SELECT n.*, b.sku AS b_sku, b.gtin AS b_gtin,
               q.title || CASE WHEN b.option_text = '' THEN '' ELSE ', ' || b.option_text END AS b_title,
               row_number() OVER claim AS place, count(*) FILTER (WHERE n.is_active) OVER (PARTITION BY n.found) AS claims,
               bool_or(n.by_what = 'hand') OVER (PARTITION BY n.found) AS is_told,
               CASE WHEN n.sold_by <> b.sold_by THEN 'measure'
                    WHEN n.is_set <> EXISTS (SELECT FROM bundle_component c WHERE c.bundle = b.id) THEN 'set'
                    WHEN n.tracking <> q.tracking THEN 'lots'
                    WHEN n.by_what = 'hand' THEN NULL
                    WHEN n.is_twice OR n.is_twice_there THEN 'gtin-twice'
                    WHEN n.by_what = 'sku' AND n.gtin14 <> b.gtin14 THEN 'sku-gtin'
                    WHEN n.tax_class <> q.tax_class THEN 'tax'
                    WHEN option_values(n.options) <> option_values(b.options) THEN 'options' END AS against
        FROM named n LEFT JOIN variant b ON b.id = n.found LEFT JOIN product q ON q.id = b.product
        WINDOW claim AS (PARTITION BY n.found ORDER BY n.by_what = 'hand' DESC, n.is_active DESC, n.by_what, n.id)
    ), ruled AS (
        SELECT j.*, CASE WHEN kind IN ('another', 'out') THEN kind
                         WHEN found IS NULL THEN 'new'
                         WHEN place > 1 AND NOT is_active THEN 'new'
                         WHEN against IS NOT NULL THEN 'contrary'
                         WHEN is_told AND by_what <> 'hand' THEN 'contrary'
                         WHEN claims > 1 AND by_what <> 'hand' AND is_active THEN 'contrary'
                         ELSE by_what END AS ruling
        FROM judged j
    )
    SELECT id, product, sku, gtin, title, is_active, CASE WHEN ruling IN ('new', 'another', 'out') THEN NULL ELSE found END,
           CASE WHEN ruling NOT IN ('new', 'another', 'out') THEN b_sku END,
           CASE WHEN ruling NOT IN ('new', 'another', 'out') THEN b_gtin END,
           CASE WHEN ruling NOT IN ('new', 'another', 'out') THEN b_title END,
           ruling, CASE WHEN ruling = 'contrary' THEN coalesce(against, 'taken') END
    FROM ruled
$$;

-- And then by parts, which are matched first. A set that is the same by its number, but is made of other parts, is `contrary`
-- (`parts`) until somebody says so; one that is known by no number is that set there which has the same parts, if there is one
-- (state `parts`).
CREATE OR REPLACE FUNCTION catalogue_pairs(of_pool uuid, with_pool uuid) RETURNS TABLE (
    variant uuid, product uuid, sku text, gtin text, title text, is_active boolean, twin uuid, twin_sku text,
    twin_gtin text, twin_title text, state text, why text
) LANGUAGE sql STABLE AS $$
    WITH numbered AS MATERIALIZED (SELECT * FROM catalogue_pairs_by_number(of_pool, with_pool)),
    ours AS MATERIALIZED (
        SELECT b.bundle, string_agg(n.part, ',' ORDER BY n.part) AS parts
        FROM bundle_component b JOIN numbered s ON s.variant = b.bundle
             LEFT JOIN numbered c ON c.variant = b.component AND c.state IN ('gtin', 'sku', 'hand')
             CROSS JOIN LATERAL (SELECT b.quantity || ' ' || coalesce(c.twin, b.component) AS part) n
        GROUP BY b.bundle
    ), theirs AS MATERIALIZED (
        SELECT b.bundle, string_agg(n.part, ',' ORDER BY n.part) AS parts
        FROM bundle_component b JOIN variant v ON v.id = b.bundle AND v.pool = with_pool
             CROSS JOIN LATERAL (SELECT b.quantity || ' ' || b.component AS part) n
        GROUP BY b.bundle
    ), alike AS (
        SELECT o.bundle, t.bundle AS twin, count(*) OVER (PARTITION BY o.bundle) AS there, count(*) OVER (PARTITION BY t.bundle) AS here
        FROM ours o JOIN theirs t USING (parts)
             JOIN numbered n ON n.variant = o.bundle AND n.state = 'new' AND n.is_active
             JOIN variant v ON v.id = t.bundle AND v.status = 'active'
        WHERE NOT EXISTS (SELECT FROM numbered m WHERE m.twin = t.bundle)
    )
    SELECT n.variant, n.product, n.sku, n.gtin, n.title, n.is_active, coalesce(n.twin, v.id), coalesce(n.twin_sku, v.sku),
           coalesce(n.twin_gtin, v.gtin), coalesce(n.twin_title, p.title || CASE WHEN v.option_text = '' THEN '' ELSE ', ' || v.option_text END),
           CASE WHEN v.id IS NOT NULL THEN 'parts' WHEN o.is_other THEN 'contrary' ELSE n.state END,
           CASE WHEN o.is_other THEN 'parts' ELSE n.why END
    FROM numbered n
         LEFT JOIN alike a ON a.bundle = n.variant AND a.there = 1 AND a.here = 1
         LEFT JOIN variant v ON v.id = a.twin LEFT JOIN product p ON p.id = v.product
         LEFT JOIN LATERAL (
             SELECT true AS is_other FROM ours o LEFT JOIN theirs t ON t.bundle = n.twin
             WHERE o.bundle = n.variant AND n.state IN ('gtin', 'sku') AND o.parts IS DISTINCT FROM t.parts
         ) o ON true
$$;

-- All names that a variant has had while its channel shared goods, itself first: the ledger of stock keeps the name that goods
-- had when they left, an order names what its channel calls them now.
CREATE INDEX pool_move_row_of_variant ON pool_move_row (row) WHERE subject IN ('variant', 'variant copy') AND twin IS NOT NULL;
CREATE INDEX pool_move_row_to_variant ON pool_move_row (twin) WHERE subject IN ('variant', 'variant copy') AND twin IS NOT NULL;
CREATE FUNCTION variant_names(of_variant uuid) RETURNS SETOF uuid LANGUAGE sql STABLE ROWS 2 AS $$
    SELECT of_variant
    UNION SELECT twin FROM pool_move_row WHERE row = of_variant AND subject IN ('variant', 'variant copy') AND twin IS NOT NULL
    UNION SELECT row FROM pool_move_row WHERE twin = of_variant AND subject IN ('variant', 'variant copy') AND twin IS NOT NULL
$$;
