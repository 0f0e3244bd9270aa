-- Where customers had things sent, so that it is found who lives together. A projection of orders, kept by the customer
-- that ordered; null where an address says too little.
CREATE FUNCTION profile_address_key(address jsonb) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN coalesce(address ->> 'line1', '') <> '' AND coalesce(address ->> 'postal_code', '') <> ''
                THEN md5(regexp_replace(lower(concat_ws('|', address ->> 'line1', address ->> 'line2',
                                                        address ->> 'postal_code', address ->> 'country')),
                                        '[[:space:].,;-]', '', 'g')) END
$$;
CREATE TABLE profile_address (
    key      text        NOT NULL,
    customer uuid        NOT NULL REFERENCES customer,
    seen_at  timestamptz NOT NULL,
    PRIMARY KEY (key, customer)
);
CREATE INDEX profile_address_customer ON profile_address (customer);
INSERT INTO profile_address (key, customer, seen_at)
SELECT profile_address_key(address), customer, max(placed_at) FROM orders
WHERE customer IS NOT NULL AND profile_address_key(address) IS NOT NULL GROUP BY 1, 2;

-- Customers of whom somebody said that they live together.
CREATE TABLE profile_household (
    one      uuid        NOT NULL REFERENCES customer,
    other    uuid        NOT NULL REFERENCES customer,
    actor    text        NOT NULL,
    said_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (one, other),
    CHECK (one < other)
);
CREATE INDEX profile_household_other ON profile_household (other);
