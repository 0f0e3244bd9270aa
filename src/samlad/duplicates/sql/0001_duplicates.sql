-- Probable duplicates: what is compared of each customer, how, and the pairs that wait for a person.

-- What is compared, in its normal form. Whose pool it is says the customer.
CREATE TABLE duplicate_card (
    customer uuid   PRIMARY KEY REFERENCES customer,
    given    text,
    family   text,
    name     text,
    email    text,
    mailbox  text,
    phone    text,
    street   text,
    postcode text,
    address  text,
    keys     text[] NOT NULL                       -- by what others are found that may be the same
);
CREATE INDEX duplicate_card_keys ON duplicate_card USING gin (keys);

-- Models as they were trained, the newest in use; none: what comes with Samlad.
CREATE TABLE duplicate_model (
    id         uuid        PRIMARY KEY,
    pool       uuid        NOT NULL REFERENCES pool,
    version    int         NOT NULL,
    document   jsonb       NOT NULL,
    people     int         NOT NULL,
    untrained  text[]      NOT NULL,
    seconds    float8      NOT NULL,
    trained_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, version)
);
SELECT guard_pool('duplicate_model');

-- The share of people who have a value, where that is more than a few: rare names are nobody's business.
CREATE TABLE duplicate_frequency (
    model uuid   NOT NULL REFERENCES duplicate_model,
    field text   NOT NULL,
    value text   NOT NULL,
    share float8 NOT NULL,
    PRIMARY KEY (model, field, value)
);

CREATE TABLE duplicate_settings (
    pool           uuid    PRIMARY KEY REFERENCES pool,
    suggest_from   float8  NOT NULL,
    automatic      boolean NOT NULL,
    automatic_from float8  NOT NULL,
    version        int     NOT NULL
);
SELECT guard_pool('duplicate_settings');

-- The latest training of each pool, and how far it came.
CREATE TABLE duplicate_run (
    pool      uuid        PRIMARY KEY REFERENCES pool,
    state     text        NOT NULL CHECK (state IN ('waiting', 'training', 'scoring', 'done', 'failed')),
    model     uuid        REFERENCES duplicate_model,  -- set once there is nothing more to learn
    people    int         NOT NULL DEFAULT 0,
    suggested int         NOT NULL DEFAULT 0,
    problem   text,
    asked_at  timestamptz NOT NULL DEFAULT now(),
    ended_at  timestamptz
);
SELECT guard_pool('duplicate_run');

-- Two customers that may be one person. Numbers and levels only: what they have is on their cards.
CREATE TABLE duplicate_pair (
    id             uuid        PRIMARY KEY,
    left_customer  uuid        NOT NULL REFERENCES customer,
    right_customer uuid        NOT NULL REFERENCES customer,
    weight         float8      NOT NULL,
    prior          float8      NOT NULL,
    strong         int         NOT NULL,
    evidence       jsonb       NOT NULL,
    levels         text        NOT NULL,           -- what was found, as one text
    model          int         NOT NULL,           -- the version that scored it
    status         text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'merged', 'apart')),
    decision       uuid,                           -- identity's
    decided_by     text,
    decided_at     timestamptz,
    is_automatic   boolean     NOT NULL DEFAULT false,
    held_by        text,                           -- who looks at it, so that nobody else does
    held_until     timestamptz,
    skipped_by     text[]      NOT NULL DEFAULT '{}',
    found_at       timestamptz NOT NULL DEFAULT now(),
    scored_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (left_customer, right_customer),
    CHECK (left_customer < right_customer)
);
CREATE INDEX duplicate_pair_open ON duplicate_pair (weight DESC, id) WHERE status = 'open';
CREATE INDEX duplicate_pair_right ON duplicate_pair (right_customer);
CREATE INDEX duplicate_pair_decision ON duplicate_pair (decision) WHERE decision IS NOT NULL;
