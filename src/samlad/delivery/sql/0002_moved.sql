-- An order goes on from another place than the one on whose day it counts: some of its units less here, some more there.

-- Fewer units of an order are made ready at a place; with the last of them it counts there no more.
CREATE FUNCTION delivery_lessen(of_owner uuid, at_location uuid, fewer int) RETURNS TABLE (day date, units int)
    LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    part delivery_share;
BEGIN
    SELECT * INTO part FROM delivery_share s WHERE s.owner = of_owner AND s.location = at_location FOR UPDATE;
    IF part.owner IS NULL THEN RETURN; END IF;
    IF fewer < part.units THEN
        UPDATE delivery_share s SET units = s.units - fewer WHERE s.owner = of_owner AND s.location = at_location;
    ELSE
        DELETE FROM delivery_share s WHERE s.owner = of_owner AND s.location = at_location;
    END IF;
    UPDATE delivery_load l SET orders = l.orders - (fewer >= part.units)::int, units = l.units - least(fewer, part.units)
    WHERE l.location = at_location AND l.day = part.day;
    RETURN QUERY SELECT part.day, least(fewer, part.units);
END $$;

-- More units of an order are made ready at a place at which it counts already: on the same day. Null: it counts on none.
CREATE FUNCTION delivery_add(of_owner uuid, at_location uuid, more int) RETURNS date LANGUAGE sql AS $$
    WITH part AS (
        UPDATE delivery_share SET units = units + more WHERE owner = of_owner AND location = at_location RETURNING day
    )
    UPDATE delivery_load l SET units = l.units + more FROM part WHERE l.location = at_location AND l.day = part.day
    RETURNING l.day
$$;
