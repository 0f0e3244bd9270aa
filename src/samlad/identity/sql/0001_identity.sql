-- An identifier in its normal form. Its id never changes and is what others write down: it is also the id of a profile
-- while the identifier stands for its group. `profile` is the projection, computed from all below.
CREATE TABLE identity_node (
    id         uuid        PRIMARY KEY,               -- of kind customer: the customer's own id
    pool       uuid        NOT NULL REFERENCES pool,
    kind       text        NOT NULL,
    value      text        NOT NULL,
    alias      text,                                  -- of an e-mail address: what all its aliases under any policy share
    profile    uuid        NOT NULL,                  -- the identifier that stands for the whole group
    person     uuid        REFERENCES identity_node,  -- of a moment at a shared device: whose it is
    state      text        NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'quarantined', 'blocked')),
    fan_out    int,                                   -- on how many people it was seen, when it is quarantined
    is_known   boolean     NOT NULL DEFAULT false,    -- somebody with authority has told it
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),    -- of the state
    UNIQUE (pool, kind, value)
);
CREATE INDEX identity_node_profile ON identity_node (profile);
CREATE INDEX identity_node_person ON identity_node (person) WHERE person IS NOT NULL;
CREATE INDEX identity_node_alias ON identity_node (pool, alias) WHERE alias IS NOT NULL;
CREATE INDEX identity_node_cut ON identity_node (changed_at, id) WHERE state <> 'live';

-- Append-only: identifiers that were seen together. The same set from the same source is one row with its first and
-- last time, so telling it again, late or twice changes nothing. At a shared device each event is a row of its own.
CREATE TABLE identity_sighting (
    id           uuid        PRIMARY KEY,             -- made of its content
    pool         uuid        NOT NULL,
    source       text        NOT NULL,
    event_id     text        NOT NULL,                -- of the first event that came with it
    channel      uuid,
    device_class text        NOT NULL CHECK (device_class IN ('personal', 'shared', 'staff')),
    auth         text        NOT NULL CHECK (auth IN ('claimed', 'authenticated', 'verified')),
    nodes        uuid[]      NOT NULL,
    ceilings     smallint[]  NOT NULL,                -- by identifier, what its trust may be at most
    device       uuid        REFERENCES identity_node, -- set where the device is shared
    session      text,
    ends_session boolean     NOT NULL DEFAULT false,
    first_seen   timestamptz NOT NULL,
    last_seen    timestamptz NOT NULL,                -- to the hour
    received_at  timestamptz NOT NULL
);
CREATE INDEX identity_sighting_device ON identity_sighting (device, first_seen) WHERE device IS NOT NULL;
CREATE TABLE identity_sighting_node (
    node     uuid NOT NULL REFERENCES identity_node,
    sighting uuid NOT NULL REFERENCES identity_sighting,
    PRIMARY KEY (node, sighting)
);

-- Where a run of moments at a shared device begins and ends that lie no further apart than the idle time.
CREATE FUNCTION identity_run_start(of_device uuid, at timestamptz, idle interval) RETURNS timestamptz
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    before timestamptz;
BEGIN
    LOOP
        SELECT first_seen INTO before FROM identity_sighting
        WHERE device = of_device AND first_seen < at ORDER BY first_seen DESC LIMIT 1;
        IF NOT FOUND OR at - before > idle THEN RETURN at; END IF;
        at := before;
    END LOOP;
END $$;
CREATE FUNCTION identity_run_end(of_device uuid, at timestamptz, idle interval) RETURNS timestamptz
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    after timestamptz;
BEGIN
    LOOP
        SELECT first_seen INTO after FROM identity_sighting
        WHERE device = of_device AND first_seen > at ORDER BY first_seen LIMIT 1;
        IF NOT FOUND OR after - at > idle THEN RETURN at; END IF;
        at := after;
    END LOOP;
END $$;

-- What people decided. Taking one back leaves its row.
CREATE TABLE identity_pin (
    id              uuid        PRIMARY KEY,
    seq             bigint      GENERATED ALWAYS AS IDENTITY UNIQUE,  -- the later decision holds
    pool            uuid        NOT NULL REFERENCES pool,
    kind            text        NOT NULL CHECK (kind IN ('same', 'apart', 'block', 'release')),
    left_nodes      uuid[]      NOT NULL,
    right_nodes     uuid[]      NOT NULL DEFAULT '{}',
    reason          text        NOT NULL,
    actor           text        NOT NULL,
    made_at         timestamptz NOT NULL DEFAULT now(),
    retracted_at    timestamptz,
    retracted_by    text,
    retracted_why   text
);
CREATE INDEX identity_pin_made ON identity_pin (made_at, id);
CREATE TABLE identity_pin_node (
    node uuid NOT NULL REFERENCES identity_node,
    pin  uuid NOT NULL REFERENCES identity_pin,
    PRIMARY KEY (node, pin)
);

-- How identifiers become people, by pool: at most one version is active; none: what comes with Samlad.
CREATE TABLE identity_rules (
    id           uuid        PRIMARY KEY,
    pool         uuid        NOT NULL REFERENCES pool,
    version      int         NOT NULL,
    document     jsonb       NOT NULL,
    note         text        NOT NULL DEFAULT '',
    status       text        NOT NULL CHECK (status IN ('draft', 'active', 'retired')),
    actor        text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    activated_at timestamptz,
    UNIQUE (pool, version)
);
CREATE UNIQUE INDEX identity_rules_active ON identity_rules (pool) WHERE status = 'active';

-- The history of profiles.
CREATE TABLE identity_change (
    id       uuid        PRIMARY KEY,
    pool     uuid        NOT NULL,
    at       timestamptz NOT NULL DEFAULT now(),
    kind     text        NOT NULL CHECK (kind IN ('merged', 'split')),
    profile  uuid        NOT NULL,
    others   uuid[]      NOT NULL,                    -- what was merged into it, or came off it
    cause    text        NOT NULL CHECK (cause IN ('observed', 'decided', 'rules')),
    evidence uuid[]      NOT NULL,                    -- sightings
    pin      uuid        REFERENCES identity_pin,
    actor    text        NOT NULL
);
CREATE INDEX identity_change_profile ON identity_change (profile, at);
CREATE INDEX identity_change_at ON identity_change (at, id);

-- Links that were left out and that a person may want to look at.
CREATE TABLE identity_conflict (
    id         uuid        PRIMARY KEY,
    pool       uuid        NOT NULL,
    left_node  uuid        NOT NULL REFERENCES identity_node,
    right_node uuid        NOT NULL REFERENCES identity_node,
    reason     text        NOT NULL CHECK (reason IN ('limit', 'weak')),
    evidence   uuid,
    status     text        NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'dismissed', 'settled')),
    first_at   timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (left_node, right_node)
);
CREATE INDEX identity_conflict_first ON identity_conflict (first_at, id);
CREATE INDEX identity_conflict_right ON identity_conflict (right_node);

-- What sources said of a customer, field by field, for ever: a profile shows one of these for each field.
CREATE TABLE identity_value (
    customer    uuid        NOT NULL REFERENCES customer,
    field       text        NOT NULL,
    value       text,                                 -- null: emptied
    source      text        NOT NULL,
    event_id    text        NOT NULL,
    channel     uuid,
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (customer, field, source, event_id)
);
