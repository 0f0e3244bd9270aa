-- Slots: times of a day within which a same-day method brings goods, each for so many orders of a place.
ALTER TABLE delivery_method ADD COLUMN slots jsonb NOT NULL DEFAULT '[]';   -- [{start, end, capacity}], the place's clock

-- How many orders a place brings in a slot of a day. There are rows only for slots that somebody has had.
CREATE TABLE delivery_slot (
    method   uuid NOT NULL REFERENCES delivery_method,
    day      date NOT NULL,
    location uuid NOT NULL REFERENCES location,
    start    text NOT NULL,                                                 -- HH:MM
    orders   int  NOT NULL DEFAULT 0 CHECK (orders >= 0),
    PRIMARY KEY (method, day, location, start)
) WITH (fillfactor = 80);

-- Which order has which slot, so that it can be given back once.
CREATE TABLE delivery_slot_share (
    owner    uuid PRIMARY KEY,
    method   uuid NOT NULL REFERENCES delivery_method,
    day      date NOT NULL,
    location uuid NOT NULL REFERENCES location,
    start    text NOT NULL
);

-- Give an order the first of some slots in which there is still room, deciding in the update of the slot's row; which of
-- them (from 1), null: none. A null in ``most`` is no limit. An order that has one keeps it: null is not said of it.
CREATE FUNCTION delivery_slot_take(for_owner uuid, by_method uuid, at_location uuid, days date[], starts text[], most int[])
    RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    had delivery_slot_share;
BEGIN
    SELECT * INTO had FROM delivery_slot_share s WHERE s.owner = for_owner;
    FOR number IN 1 .. cardinality(days) LOOP
        IF had.owner IS NOT NULL THEN
            IF (had.method, had.location, had.day, had.start) = (by_method, at_location, days[number], starts[number]) THEN
                RETURN number;
            END IF;
            CONTINUE;
        END IF;
        INSERT INTO delivery_slot (method, day, location, start)
        VALUES (by_method, days[number], at_location, starts[number]) ON CONFLICT DO NOTHING;
        UPDATE delivery_slot l SET orders = l.orders + 1
        WHERE l.method = by_method AND l.day = days[number] AND l.location = at_location AND l.start = starts[number]
          AND (most[number] IS NULL OR l.orders < most[number]);
        IF FOUND THEN
            INSERT INTO delivery_slot_share (owner, method, day, location, start)
            VALUES (for_owner, by_method, days[number], at_location, starts[number]);
            RETURN number;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- Take an order off its slot; a second time there is nothing left to do.
CREATE FUNCTION delivery_slot_return(of_owner uuid) RETURNS SETOF delivery_slot_share LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM delivery_slot_share WHERE owner = of_owner RETURNING *
    ), room AS (
        UPDATE delivery_slot l SET orders = l.orders - 1 FROM gone g
        WHERE (l.method, l.day, l.location, l.start) = (g.method, g.day, g.location, g.start)
    )
    SELECT * FROM gone
$$;

-- Another place brings an order in its slot, whatever room there is: that was promised. Null: it has none, or it is the same
-- place. Of two that change places at once neither waits for the other: rows are locked in the order of their places.
CREATE FUNCTION delivery_slot_move(of_owner uuid, to_location uuid) RETURNS delivery_slot_share LANGUAGE plpgsql AS $$
DECLARE
    had delivery_slot_share;
BEGIN
    SELECT * INTO had FROM delivery_slot_share s WHERE s.owner = of_owner FOR UPDATE;
    IF had.owner IS NULL OR had.location = to_location THEN RETURN NULL; END IF;
    INSERT INTO delivery_slot (method, day, location, start)
    VALUES (had.method, had.day, to_location, had.start) ON CONFLICT DO NOTHING;
    PERFORM FROM delivery_slot l
    WHERE l.method = had.method AND l.day = had.day AND l.start = had.start AND l.location IN (had.location, to_location)
    ORDER BY l.location FOR UPDATE;
    UPDATE delivery_slot l SET orders = l.orders + CASE WHEN l.location = to_location THEN 1 ELSE -1 END
    WHERE l.method = had.method AND l.day = had.day AND l.start = had.start AND l.location IN (had.location, to_location);
    UPDATE delivery_slot_share s SET location = to_location WHERE s.owner = of_owner;
    RETURN had;
END $$;
