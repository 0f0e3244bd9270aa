-- Two catalogues become one: docs/concepts/joining-catalogues.md. A variant whose counterpart stands for it while its channel
-- shares the catalogue of others keeps its row in the channel's own pool, and names the counterpart.
ALTER TABLE variant ADD COLUMN twin uuid REFERENCES variant CHECK (twin <> id);
CREATE UNIQUE INDEX variant_twin ON variant (pool, twin) WHERE twin IS NOT NULL;

-- Nobody puts it into a cart any more; the error is one that is answered by doing the transaction again. The lock is the one
-- that the foreign key takes anyway: whoever joins waits for it, and we for them.
CREATE FUNCTION variant_stands_for_itself() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM variant WHERE id = NEW.variant AND twin IS NULL FOR KEY SHARE;
    IF NOT FOUND AND EXISTS (SELECT FROM variant WHERE id = NEW.variant) THEN
        RAISE EXCEPTION 'variant % is another one now', NEW.variant USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NEW;
END $$;

-- What somebody decided of a variant before its channel joins: kept, and used by plan and join.
CREATE TABLE catalogue_decision (
    variant    uuid        PRIMARY KEY REFERENCES variant,
    home       uuid        NOT NULL REFERENCES pool,   -- the variant's
    kind       text        NOT NULL CHECK (kind IN ('same', 'another', 'out')),
    twin       uuid        REFERENCES variant,         -- of the pool of the others
    actor      text        NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((kind = 'same') = (twin IS NOT NULL))
);
CREATE UNIQUE INDEX catalogue_decision_twin ON catalogue_decision (home, twin) WHERE twin IS NOT NULL;

CREATE FUNCTION option_values(options jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT array_agg(lower(o.value) ORDER BY lower(o.value)) FROM jsonb_each_text(options) AS o);

-- What becomes of each variant of a pool that joins another. States: `gtin`, `sku`, `hand` (the same as `twin`, and by what),
-- `new` (nothing like it there: it comes along), `another` (somebody said so), `out` (it stays behind),
-- `contrary` (somebody is to say; `why` is what contradicts, `twin` what it may be).
CREATE FUNCTION catalogue_pairs(of_pool uuid, with_pool uuid) RETURNS TABLE (
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
                    WHEN n.is_set OR EXISTS (SELECT FROM bundle_component c WHERE c.bundle = b.id) THEN 'set'
                    WHEN n.tracking <> 'none' OR q.tracking <> 'none' THEN 'lots'
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

-- A name that nobody has in a pool yet: as it is, else with an ending, else with a number, too. Volatile: each row of a
-- statement that names many sees those before it.
CREATE FUNCTION free_sku(in_pool uuid, wanted text, ending text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    tried text := wanted;
    n     int  := 1;
BEGIN
    WHILE EXISTS (SELECT FROM variant WHERE pool = in_pool AND sku = tried) LOOP
        tried := left(wanted, 100 - length(ending) - 6) || '-' || ending || CASE WHEN n > 1 THEN '-' || n ELSE '' END;
        n := n + 1;
    END LOOP;
    RETURN tried;
END $$;
CREATE FUNCTION free_handle(in_pool uuid, wanted text, ending text) RETURNS text LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    tried text := wanted;
    n     int  := 1;
BEGIN
    WHILE EXISTS (SELECT FROM product WHERE pool = in_pool AND handle = tried) LOOP
        tried := left(wanted, 255 - length(ending) - 6) || '-' || ending || CASE WHEN n > 1 THEN '-' || n ELSE '' END;
        n := n + 1;
    END LOOP;
    RETURN tried;
END $$;
