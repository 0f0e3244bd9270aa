-- A set is made of its parts (bundle_component): it never has stock of its own, so what it can be sold is read from its parts'
-- levels. These guards keep it so; where one of them is in the way, it says what would be right. SSETV: of a set; SSETS: of what
-- is to become one.

-- A level of a set is never made: nothing can be counted, received, expected or set for it. Nor does what it has from before
-- grow; that can be sold, sent, taken off and come back, so that orders from before end as they would have.
CREATE FUNCTION stock_set_has_none() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    parts text;
BEGIN
    PERFORM FROM variant v WHERE v.id = NEW.variant FOR KEY SHARE;  -- it cannot become a set meanwhile (stock_set_begins)
    SELECT string_agg(format('%s × %s', b.quantity, v.sku), ', ' ORDER BY v.sku) INTO parts
    FROM bundle_component b JOIN variant v ON v.id = b.component WHERE b.bundle = NEW.variant;
    IF parts IS NOT NULL THEN
        RAISE EXCEPTION '“%” is a set and has no stock of its own: book its parts (%)',
            (SELECT sku FROM variant WHERE id = NEW.variant), parts USING ERRCODE = 'SSETV';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER level_of_no_set BEFORE INSERT ON level FOR EACH ROW EXECUTE FUNCTION stock_set_has_none();
CREATE TRIGGER movement_of_no_set BEFORE INSERT ON movement FOR EACH ROW
    WHEN (NEW.quantity > 0 AND NEW.cause IN ('receipt', 'count', 'correction'))
    EXECUTE FUNCTION stock_set_has_none();
CREATE TRIGGER count_of_no_set BEFORE INSERT ON stock_count_line FOR EACH ROW
    WHEN (NEW.counted > 0) EXECUTE FUNCTION stock_set_has_none();

-- What has stock, holds or deliveries to come becomes no set until it has none: nobody would see them any more.
CREATE FUNCTION stock_set_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    own record;
BEGIN
    PERFORM FROM variant v WHERE v.id = NEW.bundle FOR UPDATE;  -- who brings stock of it waits, and then sees that it is a set
    SELECT sum(l.on_hand) AS on_hand, sum(l.held) AS held, sum(l.incoming) AS incoming INTO own
    FROM level l WHERE l.variant = NEW.bundle;
    IF own.on_hand > 0 OR own.held > 0 OR own.incoming > 0 THEN
        RAISE EXCEPTION '“%” has stock of its own (% on hand, % held, % to come); it can be a set when it has none: book it out, or as its parts',
            (SELECT sku FROM variant WHERE id = NEW.bundle), own.on_hand, own.held, own.incoming USING ERRCODE = 'SSETS';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bundle_component_without_stock BEFORE INSERT ON bundle_component
    FOR EACH ROW EXECUTE FUNCTION stock_set_begins();
