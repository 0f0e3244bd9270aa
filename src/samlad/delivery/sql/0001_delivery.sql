-- How goods get to customers: methods of channels, and how locations work.
CREATE TABLE delivery_method (
    id           uuid        PRIMARY KEY,
    channel      uuid        NOT NULL REFERENCES channel,
    code         text        NOT NULL CHECK (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    kind         text        NOT NULL CHECK (kind IN ('ship', 'same_day', 'pickup', 'curbside', 'carry_out', 'digital')),
    name         text        NOT NULL,
    names        jsonb       NOT NULL DEFAULT '{}',           -- by language
    currency     text        NOT NULL,                        -- of the amounts in rate
    zones        jsonb       NOT NULL DEFAULT '[]',
    rate         jsonb       NOT NULL,
    calendar     jsonb       NOT NULL,                        -- of the carrier
    pick_minutes int         NOT NULL CHECK (pick_minutes >= 0),
    pack_minutes int         NOT NULL CHECK (pack_minutes >= 0),
    cut_off      text,                                        -- HH:MM on the location's clock
    until        text,
    max_weight   int         CHECK (max_weight >= 0),         -- grams
    position     int         NOT NULL DEFAULT 100,
    is_active    boolean     NOT NULL DEFAULT true,           -- methods are never deleted: carts and orders name them
    version      int         NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, code)
);

CREATE TABLE delivery_workday (
    location      uuid        PRIMARY KEY REFERENCES location,
    hours         jsonb,                                      -- null: those of the store that stands there
    holidays      text,                                       -- the country whose public holidays are kept
    pick_minutes  int         CHECK (pick_minutes >= 0),      -- null: the method's
    pack_minutes  int         CHECK (pack_minutes >= 0),
    capacity      int         CHECK (capacity >= 0),          -- orders or units a day; null: no limit
    capacity_unit text        NOT NULL DEFAULT 'orders' CHECK (capacity_unit IN ('orders', 'units')),
    version       int         NOT NULL DEFAULT 1,
    updated_at    timestamptz NOT NULL DEFAULT now()
);

-- What is to be made ready at a location on a day. There are rows only for locations with a capacity.
CREATE TABLE delivery_load (
    location uuid NOT NULL REFERENCES location,
    day      date NOT NULL,
    orders   int  NOT NULL DEFAULT 0 CHECK (orders >= 0),
    units    int  NOT NULL DEFAULT 0 CHECK (units >= 0),
    PRIMARY KEY (location, day)
) WITH (fillfactor = 80);

-- Which order counts where, so that it can be given back once.
CREATE TABLE delivery_share (
    owner    uuid NOT NULL,
    location uuid NOT NULL REFERENCES location,
    day      date NOT NULL,
    units    int  NOT NULL CHECK (units > 0),
    PRIMARY KEY (owner, location)
);

-- Count an order on the first of some days on which there is still room, deciding in the update of the day's row.
-- On the last day it is counted whatever the capacity: the goods are sold, somebody has to make them ready.
CREATE FUNCTION delivery_take(for_owner uuid, at_location uuid, days date[], most int, in_units boolean, new_units int)
    RETURNS date LANGUAGE plpgsql AS $$
DECLARE
    one date;
BEGIN
    FOREACH one IN ARRAY days LOOP
        INSERT INTO delivery_load (location, day) VALUES (at_location, one) ON CONFLICT DO NOTHING;
        UPDATE delivery_load l SET orders = l.orders + 1, units = l.units + new_units
        WHERE l.location = at_location AND l.day = one
          AND (one = days[cardinality(days)]
               OR (l.orders = 0 AND most > 0)   -- more than a day's work has a day of its own
               OR CASE WHEN in_units THEN l.units + new_units ELSE l.orders + 1 END <= most);
        IF FOUND THEN
            INSERT INTO delivery_share (owner, location, day, units) VALUES (for_owner, at_location, one, new_units);
            RETURN one;
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- Take an order off the days on which it counts; a second time there is nothing left to do.
CREATE FUNCTION delivery_return(of_owner uuid) RETURNS SETOF delivery_share LANGUAGE plpgsql AS $$
DECLARE
    part delivery_share;
BEGIN
    FOR part IN SELECT * FROM delivery_share WHERE owner = of_owner ORDER BY location FOR UPDATE LOOP
        DELETE FROM delivery_share WHERE owner = of_owner AND location = part.location;
        UPDATE delivery_load SET orders = orders - 1, units = units - part.units
        WHERE location = part.location AND day = part.day;
        RETURN NEXT part;
    END LOOP;
END $$;
