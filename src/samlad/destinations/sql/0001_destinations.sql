-- Where segments are sent. Secrets are in `secret`, sealed; lease is who is sending just now.
CREATE TABLE destination (
    id           uuid        PRIMARY KEY,
    segment      uuid        NOT NULL REFERENCES segment,
    strategy     text        NOT NULL,
    name         text        NOT NULL CHECK (name <> ''),
    purpose      text        NOT NULL,                 -- what people must have agreed to, asked again at each sending
    channel      uuid        REFERENCES channel,
    config       jsonb       NOT NULL,
    state        text        NOT NULL CHECK (state IN ('active', 'paused', 'ending', 'ended')),
    version      int         NOT NULL DEFAULT 1,
    failures     int         NOT NULL DEFAULT 0,       -- since the last success
    last_error   text,
    last_sync_at timestamptz,
    next_at      timestamptz,                          -- not before, after a failure
    lease        uuid,
    leased_until timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX destination_segment ON destination (segment) WHERE state <> 'ended';
CREATE UNIQUE INDEX destination_name ON destination (lower(name)) WHERE state <> 'ended';

-- Who is to be looked at. A new mark while a batch is under way has a new seq, and survives it.
CREATE SEQUENCE destination_mark;
CREATE TABLE destination_due (
    destination uuid   NOT NULL REFERENCES destination,
    person      uuid   NOT NULL,
    seq         bigint NOT NULL DEFAULT nextval('destination_mark'),
    PRIMARY KEY (destination, person)
);
CREATE INDEX destination_due_next ON destination_due (destination, seq);

-- What the receiver has of whom, or may have: written before it is sent, confirmed after.
CREATE TABLE destination_sent (
    destination uuid        NOT NULL REFERENCES destination,
    person      uuid        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('email', 'phone')),
    digest      text        NOT NULL,
    confirmed   boolean     NOT NULL DEFAULT false,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (destination, person, kind, digest)
);
CREATE INDEX destination_sent_person ON destination_sent (person);
CREATE INDEX destination_sent_digest ON destination_sent (destination, digest);

CREATE TABLE destination_batch (
    id          uuid        PRIMARY KEY,
    destination uuid        NOT NULL REFERENCES destination,
    at          timestamptz NOT NULL DEFAULT now(),
    state       text        NOT NULL CHECK (state IN ('sending', 'sent', 'failed')),
    added       int         NOT NULL,
    removed     int         NOT NULL,
    error       text,
    reference   text                                   -- what the receiver calls it
);
CREATE INDEX destination_batch_of ON destination_batch (destination, at DESC, id);
