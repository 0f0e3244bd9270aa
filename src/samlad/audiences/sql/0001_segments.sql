-- Segments: conditions as data, and the people for whom they hold.

-- A thousandth of a pool's people is one part of this index: sizes are estimated from a few of them.
CREATE INDEX customer_sample ON customer (pool, (uuid_hash_extended(id, 0) & 1023)) WHERE survivor IS NULL;

CREATE TABLE segment (
    id            uuid        PRIMARY KEY,
    pool          uuid        NOT NULL REFERENCES pool,          -- of the resource customers
    kind          text        NOT NULL CHECK (kind IN ('live', 'list')),
    name          text        NOT NULL,
    note          text        NOT NULL DEFAULT '',
    time_zone     text        NOT NULL,                          -- where its days begin
    definition    jsonb       NOT NULL,
    version       int         NOT NULL DEFAULT 1,                -- of the whole row
    built_version int         NOT NULL DEFAULT 0,                -- the version that its members were last computed for as a whole
    built_at      timestamptz,
    size          int         NOT NULL DEFAULT 0 CHECK (size >= 0),
    trouble       text,                                          -- why its members could not be computed
    deleted_at    timestamptz,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX segment_name ON segment (pool, lower(name)) WHERE deleted_at IS NULL;

CREATE TABLE segment_version (
    segment    uuid        NOT NULL REFERENCES segment,
    version    int         NOT NULL,
    definition jsonb       NOT NULL,
    actor      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (segment, version)
);

-- Who is in. `person` is the customer that stands for them.
CREATE TABLE segment_member (
    segment    uuid        NOT NULL REFERENCES segment,
    person     uuid        NOT NULL,
    entered_at timestamptz NOT NULL,
    PRIMARY KEY (segment, person)
);
CREATE INDEX segment_member_person ON segment_member (person);

-- When somebody, in or out, must be looked at again though nothing happened to them.
CREATE TABLE segment_clock (
    segment uuid        NOT NULL REFERENCES segment,
    person  uuid        NOT NULL,
    at      timestamptz NOT NULL,
    PRIMARY KEY (segment, person)
);
CREATE INDEX segment_clock_at ON segment_clock (at);

-- Who came and went.
CREATE TABLE segment_change (
    id      uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    segment uuid        NOT NULL REFERENCES segment,
    person  uuid        NOT NULL,
    at      timestamptz NOT NULL,
    entered boolean     NOT NULL,
    cause   text        NOT NULL CHECK (cause IN ('data', 'clock', 'identity', 'definition', 'list', 'rfm'))
);
CREATE INDEX segment_change_newest ON segment_change (segment, at, id);

-- How large it was at the end of each day (UTC) on which somebody came or went.
CREATE TABLE segment_day (
    segment uuid NOT NULL REFERENCES segment,
    day     date NOT NULL,
    size    int  NOT NULL,
    entered int  NOT NULL,
    "left"  int  NOT NULL,
    PRIMARY KEY (segment, day)
);

-- Customers that were put on a list, as they were named: merging and taking apart changes nothing here.
CREATE TABLE segment_listed (
    segment  uuid        NOT NULL REFERENCES segment,
    customer uuid        NOT NULL REFERENCES customer,
    added_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (segment, customer)
);
CREATE INDEX segment_listed_customer ON segment_listed (customer);

-- Recency, frequency and monetary value, scored from 1 to 5 within a pool as of `rfm_run`.
CREATE TABLE rfm_score (
    person     uuid        PRIMARY KEY,
    pool       uuid        NOT NULL REFERENCES pool,
    recency    smallint    NOT NULL CHECK (recency BETWEEN 1 AND 5),
    frequency  smallint    NOT NULL CHECK (frequency BETWEEN 1 AND 5),
    monetary   smallint    NOT NULL CHECK (monetary BETWEEN 1 AND 5),
    name       text        NOT NULL,
    last_at    timestamptz NOT NULL,
    orders     int         NOT NULL,
    spent      bigint      NOT NULL,       -- minor units of currency
    currency   text        NOT NULL        -- the one that they ordered in most often
);
CREATE INDEX rfm_score_cell ON rfm_score (pool, recency, frequency);
CREATE TABLE rfm_run (
    pool        uuid        PRIMARY KEY REFERENCES pool,
    computed_at timestamptz NOT NULL,
    people      int         NOT NULL
);
