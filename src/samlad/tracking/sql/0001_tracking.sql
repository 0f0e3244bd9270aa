-- Where events come from: one source for each channel and class of device.
CREATE TABLE tracking_source (
    id           uuid        PRIMARY KEY,
    channel      uuid        NOT NULL REFERENCES channel,
    name         text        NOT NULL,
    kind         text        NOT NULL CHECK (kind IN ('browser', 'server', 'ours')),
    device_class text        NOT NULL CHECK (device_class IN ('personal', 'shared', 'staff')),
    is_on        boolean     NOT NULL DEFAULT true,
    per_second   int         NOT NULL CHECK (per_second BETWEEN 1 AND 100000),  -- requests
    version      int         NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX tracking_source_ours ON tracking_source (channel, device_class) WHERE kind = 'ours';
CREATE INDEX tracking_source_created ON tracking_source (created_at, id);

-- Write keys. Found by their hash; only those of browsers, which everybody can read in the page, are kept as they are.
CREATE TABLE tracking_key (
    id         uuid        PRIMARY KEY,
    source     uuid        NOT NULL REFERENCES tracking_source,
    key_hash   bytea       NOT NULL UNIQUE,
    key        text,
    hint       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ends_at    timestamptz
);
CREATE INDEX tracking_key_source ON tracking_key (source, created_at);

-- What is expected of events by name: a JSON schema of their properties (of their traits for identify and group).
CREATE TABLE tracking_schema (
    id         uuid        PRIMARY KEY,
    event      text        NOT NULL UNIQUE,
    schema     jsonb       NOT NULL,
    policy     text        NOT NULL CHECK (policy IN ('report', 'park')),
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Events as they came, partitioned by month of arrival. They are never rewritten; who they are about stands beside
-- them in tracked_profile. batch is the event on the log that tells of them.
CREATE TABLE tracked_event (
    id           uuid        NOT NULL,
    received_at  timestamptz NOT NULL,
    batch        uuid        NOT NULL,
    source       uuid        NOT NULL,
    message_id   text        NOT NULL,
    type         text        NOT NULL,
    name         text,                     -- of what was tracked, of the page or screen
    occurred_at  timestamptz NOT NULL,     -- corrected by the client's clock
    anonymous_id text,
    user_id      text,
    previous_id  text,
    group_id     text,
    traits       jsonb,
    consent      jsonb,                    -- the stamp that came with it, as it came
    violations   jsonb,                    -- of the tracking plan; null without
    payload      jsonb       NOT NULL,
    PRIMARY KEY (received_at, id)
) PARTITION BY RANGE (received_at);
CREATE TABLE tracked_event_rest PARTITION OF tracked_event DEFAULT;
CREATE INDEX tracked_event_id ON tracked_event (id);
CREATE INDEX tracked_event_source ON tracked_event (source, received_at, id);

CREATE FUNCTION tracked_event_is_never_rewritten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'tracked events are never rewritten' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER tracked_event_stays BEFORE UPDATE ON tracked_event
    FOR EACH ROW EXECUTE FUNCTION tracked_event_is_never_rewritten();

-- On whom each event landed: the id that identity gave it, which follows that person through every merge and split.
CREATE TABLE tracked_profile (
    event       uuid        NOT NULL,
    received_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    identity    uuid,                      -- null: nobody can be told from it
    failure     text,                      -- why identity could not be asked; tried again at a replay
    resolved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (received_at, event)
) PARTITION BY RANGE (received_at);
CREATE TABLE tracked_profile_rest PARTITION OF tracked_profile DEFAULT;
CREATE INDEX tracked_profile_timeline ON tracked_profile (identity, occurred_at, event) WHERE identity IS NOT NULL;

-- Makes the partitions of the month that holds the given day; true if they are new. Attached and not created in place:
-- that lets everybody else go on, but for a moment at the partition of the rest; who cannot have that moment gives up.
CREATE FUNCTION tracking_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', day)::date;
    kept  text;
BEGIN
    PERFORM set_config('lock_timeout', '200ms', true);
    IF to_regclass('tracked_event_' || to_char(first, 'YYYY_MM')) IS NOT NULL THEN RETURN false; END IF;
    FOREACH kept IN ARRAY ARRAY['tracked_event', 'tracked_profile'] LOOP
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', kept || '_' || to_char(first, 'YYYY_MM'), kept);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                       kept, kept || '_' || to_char(first, 'YYYY_MM'),
                       first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
    END LOOP;
    RETURN true;
END $$;
SELECT tracking_partition(((now() AT TIME ZONE 'UTC') + make_interval(months => ahead))::date) FROM generate_series(0, 3) AS ahead;

-- Which messages of a source came in the last days, so that none is taken twice. Swept; not partitioned, because the
-- key must hold over the end of a month.
CREATE TABLE tracked_message (
    source      uuid        NOT NULL,
    message_id  text        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (source, message_id)
);
CREATE INDEX tracked_message_age ON tracked_message USING brin (received_at);

-- Events that could not be taken, as they came, with the reason. A retry of the client parks nothing twice.
CREATE TABLE tracking_parked (
    id          uuid        PRIMARY KEY,
    source      uuid        NOT NULL,
    fingerprint bytea       NOT NULL,
    received_at timestamptz NOT NULL,
    sent_at     timestamptz,               -- of the request, for the clock's correction at a retry
    route_type  text,                      -- what the address said that it is
    type        text,
    name        text,
    reason      text        NOT NULL,
    detail      text        NOT NULL,
    size        int         NOT NULL,
    body        bytea       NOT NULL,
    UNIQUE (source, fingerprint)
);
CREATE INDEX tracking_parked_received ON tracking_parked (received_at, id);

-- What came in each minute, for plots: summed up by the follower, so that no request waits for another's count.
CREATE TABLE tracking_volume (
    source     uuid        NOT NULL,
    minute     timestamptz NOT NULL,
    accepted   int         NOT NULL,
    duplicates int         NOT NULL,
    parked     int         NOT NULL,
    violating  int         NOT NULL,
    position   bigint[]    NOT NULL,       -- of the log up to which it is counted: a replay counts nothing twice
    PRIMARY KEY (minute, source)
);
