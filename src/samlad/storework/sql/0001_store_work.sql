-- What was done in a store on a phone, perhaps without network, as the phone sent it. The same entry again has the same answer.
CREATE TABLE store_work (
    id          uuid        PRIMARY KEY,      -- made by the phone; made here where it is another's or cannot be read
    digest      bytea       NOT NULL,         -- SHA-256 of what was sent: the same entry again is known by it
    device      uuid,
    sequence    bigint,
    location    uuid        NOT NULL REFERENCES location,
    kind        text        NOT NULL CHECK (kind ~ '^[a-z-]{1,20}$'),
    subject     uuid,                         -- the count, fulfilment, transfer or purchase order that it is about
    state       text        NOT NULL CHECK (state IN ('new', 'done', 'refused', 'dismissed')),
    happened_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    done_by     uuid,                         -- who did it, by what the phone says
    done_name   text        NOT NULL DEFAULT '',
    actor       text        NOT NULL,         -- who was signed in when it was sent
    body        jsonb       NOT NULL,
    told        jsonb       NOT NULL DEFAULT '{}',  -- what the phone was told of it
    problem     text        NOT NULL DEFAULT '',    -- why it was refused, as the verb says it
    code        text        NOT NULL DEFAULT '',    -- and its kind of problem
    reason      text        NOT NULL DEFAULT '',    -- why somebody dismissed it
    resolved_by text,
    resolved_at timestamptz,
    version     int         NOT NULL DEFAULT 1
);
CREATE INDEX store_work_refused ON store_work (received_at, id) WHERE state = 'refused';
CREATE INDEX store_work_received ON store_work (received_at, id);
