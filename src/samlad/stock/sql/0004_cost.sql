-- What stock is worth: a moving average for each level. Kept is the value of the whole level, a whole number of
-- ten-thousandths of a minor unit (e4), never a rounded average: what comes brings its value, what goes takes its share
-- of the value, and the last unit takes what is left. So the value of a level is exactly the sum of its movements' values,
-- and an empty level is worth nothing. Rounded is only each share, by at most half a ten-thousandth.

ALTER TABLE level
    ADD COLUMN value_e4     bigint NOT NULL DEFAULT 0 CHECK (value_e4 >= 0),
    ADD COLUMN unit_cost_e4 bigint NOT NULL DEFAULT 0 CHECK (unit_cost_e4 >= 0),  -- the latest average; stays when empty
    ADD CONSTRAINT level_empty_is_worth_nothing CHECK (on_hand > 0 OR value_e4 = 0);

ALTER TABLE movement
    ADD COLUMN unit_cost_e4   bigint NOT NULL DEFAULT 0,  -- of each unit that moved
    ADD COLUMN value_e4       bigint NOT NULL DEFAULT 0,  -- signed
    ADD COLUMN value_after_e4 bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT movement_quantity_check,
    DROP CONSTRAINT movement_cause_check,
    ADD CONSTRAINT movement_quantity_check CHECK (quantity <> 0 OR cause = 'revaluation'),
    ADD CONSTRAINT movement_cause_check CHECK (cause IN ('receipt', 'sale', 'return', 'count', 'damage',
        'transfer_out', 'transfer_in', 'correction', 'revaluation'));
ALTER TABLE movement ALTER COLUMN unit_cost_e4 DROP DEFAULT, ALTER COLUMN value_e4 DROP DEFAULT,
    ALTER COLUMN value_after_e4 DROP DEFAULT;  -- the trigger fills them

ALTER TABLE stock_transfer_line
    ADD COLUMN value_e4    bigint NOT NULL DEFAULT 0 CHECK (value_e4 >= 0),    -- of all units, as they left
    ADD COLUMN received_e4 bigint NOT NULL DEFAULT 0 CHECK (received_e4 >= 0); -- of those that have arrived

-- As before, and the value moves with the units. A movement may bring its value, or the cost of each unit; otherwise what
-- comes costs what its level's units cost last.
CREATE OR REPLACE FUNCTION movement_applies() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    old level;
BEGIN
    IF current_setting('samlad.ledger', true) = 'both' THEN
        NEW.seq := nextval('movement_seq');
        RETURN NEW;
    END IF;
    SELECT * INTO old FROM level WHERE location = NEW.location AND variant = NEW.variant FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        INSERT INTO level (location, variant) VALUES (NEW.location, NEW.variant) ON CONFLICT DO NOTHING;
        SELECT * INTO old FROM level WHERE location = NEW.location AND variant = NEW.variant FOR NO KEY UPDATE;
    END IF;
    NEW.on_hand_after := old.on_hand + NEW.quantity;
    NEW.value_e4 := CASE
        WHEN NEW.cause = 'revaluation' THEN NEW.unit_cost_e4 * old.on_hand - old.value_e4
        WHEN NEW.on_hand_after <= 0 THEN -old.value_e4
        WHEN NEW.value_e4 IS NOT NULL THEN NEW.value_e4
        WHEN NEW.quantity > 0 THEN NEW.quantity * coalesce(NEW.unit_cost_e4, old.unit_cost_e4)
        ELSE round(old.value_e4::numeric * NEW.quantity / old.on_hand)::bigint END;
    NEW.value_after_e4 := old.value_e4 + NEW.value_e4;
    IF NEW.quantity <> 0 THEN
        NEW.unit_cost_e4 := round(abs(NEW.value_e4)::numeric / abs(NEW.quantity))::bigint;
    END IF;
    UPDATE level SET on_hand = NEW.on_hand_after, held = held - NEW.fulfilled, value_e4 = NEW.value_after_e4,
        unit_cost_e4 = CASE WHEN NEW.on_hand_after > 0 THEN round(NEW.value_after_e4::numeric / NEW.on_hand_after)::bigint
                            WHEN NEW.cause = 'revaluation' THEN NEW.unit_cost_e4 ELSE unit_cost_e4 END,
        updated_at = now()
    WHERE location = NEW.location AND variant = NEW.variant;
    NEW.seq := nextval('movement_seq');  -- after the row's lock was had: the order of numbers is the order of changes
    RETURN NEW;
END $$;

DROP TRIGGER level_guard ON level;
CREATE TRIGGER level_guard BEFORE INSERT OR UPDATE OF on_hand, value_e4 OR DELETE ON level
    FOR EACH ROW EXECUTE FUNCTION level_guard();

-- As before, and movements may bring their value or the cost of each unit; each answers its value.
DROP FUNCTION stock_move(uuid[], uuid[], int[], text[], text, uuid, text, uuid, boolean);
CREATE FUNCTION stock_move(locations uuid[], variants uuid[], quantities int[], reasons text[], costs bigint[],
                           worth bigint[], new_cause text, new_reference uuid, new_actor text, new_event uuid,
                           may_drop boolean)
    RETURNS TABLE (outcome text, id uuid, location uuid, variant uuid, quantity int, on_hand int, value_e4 bigint,
                   kind text, owner uuid)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    line  record;
    old   level;
    units int;
    over  int;
BEGIN
    FOR line IN SELECT t.location, t.variant, t.quantity, t.reason, t.cost, t.value
                FROM unnest(locations, variants, quantities, reasons, costs, worth)
                     AS t (location, variant, quantity, reason, cost, value)
                WHERE t.quantity <> 0 ORDER BY t.location, t.variant
    LOOP
        units := line.quantity;
        IF may_drop AND units < 0 THEN
            SELECT * INTO old FROM level l WHERE l.location = line.location AND l.variant = line.variant FOR UPDATE;
            CONTINUE WHEN old.on_hand IS NULL OR old.on_hand = 0;
            units := greatest(units, -old.on_hand);
            over := old.held - old.on_hand - units - stock_later(old.backorder_limit, old.incoming, old.sells_incoming);
            IF over > 0 THEN
                RETURN QUERY SELECT 'dropped', d.id, d.location, d.variant, d.quantity, 0, 0::bigint, d.kind, d.owner
                             FROM hold_drop(line.location, line.variant, over) AS d;
                UPDATE level SET held = held - over WHERE location = line.location AND variant = line.variant;
            END IF;
        END IF;
        RETURN QUERY INSERT INTO movement AS m (location, variant, quantity, unit_cost_e4, value_e4, cause, reference,
                                                reason, actor, event)
            VALUES (line.location, line.variant, units, line.cost, line.value, new_cause, new_reference, line.reason,
                    new_actor, new_event)
            RETURNING 'moved', m.id, m.location, m.variant, m.quantity, m.on_hand_after, m.value_e4, NULL, NULL::uuid;
    END LOOP;
END $$;

-- Say what the units of levels cost. A level without units remembers it for those that come.
CREATE FUNCTION stock_revalue(at_location uuid, variants uuid[], costs bigint[], new_reason text, new_reference uuid,
                              new_actor text, new_event uuid)
    RETURNS SETOF movement LANGUAGE sql AS $$
    INSERT INTO movement (location, variant, quantity, unit_cost_e4, cause, reference, reason, actor, event)
    SELECT at_location, t.variant, 0, t.cost, 'revaluation', new_reference, new_reason, new_actor, new_event
    FROM unnest(variants, costs) AS t (variant, cost) ORDER BY t.variant
    RETURNING *
$$;

-- As before, and the units cost what was said of them, or what their level's units cost last.
CREATE OR REPLACE FUNCTION stock_open(new_reference uuid, new_actor text, new_event uuid) RETURNS int
    LANGUAGE plpgsql AS $$
DECLARE
    appended int;
BEGIN
    PERFORM set_config('samlad.ledger', 'both', true);
    WITH receipt AS MATERIALIZED (
        SELECT o.location, o.variant, sum(o.quantity)::int AS quantity,
               sum(o.quantity * coalesce(o.cost, l.unit_cost_e4, 0))::bigint AS value
        FROM opening_stock o LEFT JOIN level l USING (location, variant) GROUP BY o.location, o.variant
    ), risen AS (
        INSERT INTO level AS l (location, variant, on_hand, value_e4, unit_cost_e4)
        SELECT location, variant, quantity, value, round(value::numeric / quantity)::bigint FROM receipt
        ORDER BY location, variant
        ON CONFLICT (location, variant) DO UPDATE
        SET on_hand = l.on_hand + EXCLUDED.on_hand, value_e4 = l.value_e4 + EXCLUDED.value_e4,
            unit_cost_e4 = round((l.value_e4 + EXCLUDED.value_e4)::numeric / (l.on_hand + EXCLUDED.on_hand))::bigint,
            updated_at = now()
        RETURNING location, variant, on_hand, value_e4
    )
    INSERT INTO movement (location, variant, quantity, unit_cost_e4, value_e4, cause, reference, on_hand_after,
                          value_after_e4, actor, event)
    SELECT location, variant, quantity, round(value::numeric / quantity)::bigint, value, 'receipt', new_reference,
           on_hand, value_e4, new_actor, new_event
    FROM receipt JOIN risen USING (location, variant);
    GET DIAGNOSTICS appended = ROW_COUNT;
    PERFORM set_config('samlad.ledger', '', true);
    RETURN appended;
END $$;

CREATE OR REPLACE VIEW stock_ledger_difference AS
    SELECT location, variant, coalesce(l.on_hand, 0) AS on_hand, coalesce(m.moved, 0)::int AS moved,
           coalesce(l.value_e4, 0) AS value_e4, coalesce(m.value_e4, 0)::bigint AS moved_e4
    FROM level l
    FULL JOIN (SELECT location, variant, sum(quantity) AS moved, sum(value_e4) AS value_e4
               FROM movement GROUP BY location, variant) m
        USING (location, variant)
    WHERE coalesce(l.on_hand, 0) <> coalesce(m.moved, 0) OR coalesce(l.value_e4, 0) <> coalesce(m.value_e4, 0);

-- As before; where only the value had come apart, the movement that explains it has no units.
CREATE OR REPLACE FUNCTION stock_repair_ledger(new_actor text, new_event uuid) RETURNS SETOF movement
    LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE level IN SHARE ROW EXCLUSIVE MODE;
    PERFORM set_config('samlad.ledger', 'both', true);
    RETURN QUERY INSERT INTO movement (location, variant, quantity, unit_cost_e4, value_e4, cause, reason, on_hand_after,
                                       value_after_e4, actor, event)
        SELECT location, variant, on_hand - moved,
               CASE WHEN on_hand = moved THEN 0
                    ELSE round(abs(value_e4 - moved_e4)::numeric / abs(on_hand - moved))::bigint END,
               value_e4 - moved_e4, CASE WHEN on_hand = moved THEN 'revaluation' ELSE 'correction' END,
               'samlad doctor: ledger and level had come apart', on_hand, value_e4, new_actor, new_event
        FROM stock_ledger_difference ORDER BY location, variant
        RETURNING *;
    PERFORM set_config('samlad.ledger', '', true);
END $$;
