-- A person as we know them, in the simple form: one row for each external id or e-mail address of a pool.
CREATE TABLE customer (
    id          uuid        PRIMARY KEY,
    pool        uuid        NOT NULL REFERENCES pool,
    external_id text,                 -- the shop's or a foreign system's own number
    email       text,                 -- as it was written; compared without regard to case
    name        text,
    phone       text,
    country     text        CHECK (country ~ '^[A-Z]{2}$'),
    locale      text,
    group_name  text,                 -- customer group for prices
    version     int         NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    search      text        NOT NULL GENERATED ALWAYS AS (
        lower(coalesce(name, '') || ' ' || coalesce(email, '') || ' ' || coalesce(phone, '') || ' '
              || coalesce(external_id, ''))) STORED
);
CREATE UNIQUE INDEX customer_external_id ON customer (pool, external_id) WHERE external_id IS NOT NULL;
CREATE UNIQUE INDEX customer_email ON customer (pool, lower(email)) WHERE email IS NOT NULL;
CREATE INDEX customer_search ON customer USING gin (search gin_trgm_ops);
CREATE INDEX customer_created ON customer (created_at, id);

-- What a customer has ordered, by currency: a projection that the floor of orders books into `customers.book_spend`.
CREATE TABLE customer_spend (
    customer      uuid        NOT NULL REFERENCES customer,
    currency      text        NOT NULL,
    orders        int         NOT NULL,
    spent         bigint      NOT NULL,  -- minor units, returns taken off
    last_order_at timestamptz NOT NULL,
    PRIMARY KEY (customer, currency)
);
