-- What one can come to a store for, by appointment.
CREATE TABLE appointment_service (
    id             uuid    PRIMARY KEY,
    location       uuid    NOT NULL REFERENCES location,
    code           text    NOT NULL CHECK (code ~ '^[a-z0-9][a-z0-9-]*$'),
    name           text    NOT NULL,
    names          jsonb   NOT NULL DEFAULT '{}',          -- by language
    about          text    NOT NULL DEFAULT '',
    minutes        int     NOT NULL CHECK (minutes BETWEEN 5 AND 480),
    step_minutes   int     NOT NULL CHECK (step_minutes BETWEEN 5 AND 480),  -- one can begin every so many
    capacity       int     NOT NULL CHECK (capacity BETWEEN 1 AND 50),       -- so many at the same time
    notice_minutes int     NOT NULL CHECK (notice_minutes BETWEEN 0 AND 20160),
    ahead_days     int     NOT NULL CHECK (ahead_days BETWEEN 1 AND 365),
    staff          jsonb   NOT NULL DEFAULT '[]',          -- who can do it: [{id, name}]; empty: anybody
    is_active      boolean NOT NULL DEFAULT true,
    version        int     NOT NULL DEFAULT 1,
    UNIQUE (location, code)
);

CREATE TABLE appointment (
    id          uuid        PRIMARY KEY,
    service     uuid        NOT NULL REFERENCES appointment_service,
    location    uuid        NOT NULL REFERENCES location,
    channel     uuid        NOT NULL REFERENCES channel,   -- the store's
    shop        uuid        NOT NULL REFERENCES channel,   -- where links in mails lead
    customer    uuid        REFERENCES customer,
    name        text        NOT NULL,
    email       text,                                      -- small letters
    phone       text,
    language    text        NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    note        text        NOT NULL DEFAULT '',
    starts_at   timestamptz NOT NULL,
    ends_at     timestamptz NOT NULL CHECK (ends_at > starts_at),
    staff       uuid,
    staff_name  text,
    state       text        NOT NULL DEFAULT 'booked' CHECK (state IN ('booked', 'done', 'no_show', 'cancelled')),
    source      text        NOT NULL CHECK (source IN ('shop', 'till', 'phone')),
    sequence    int         NOT NULL DEFAULT 0,            -- of calendar entries (RFC 5545)
    reminded_at timestamptz,
    booked_at   timestamptz NOT NULL DEFAULT now(),
    booked_by   text        NOT NULL,
    version     int         NOT NULL DEFAULT 1
);
CREATE INDEX appointment_day ON appointment (location, starts_at);
CREATE INDEX appointment_of ON appointment (customer) WHERE customer IS NOT NULL;
CREATE INDEX appointment_email ON appointment (email) WHERE email IS NOT NULL;
CREATE INDEX appointment_to_remind ON appointment (starts_at) WHERE state = 'booked' AND reminded_at IS NULL;

-- The time that an appointment takes: one seat of its service, and one person of the staff. The constraints are what makes
-- it impossible to book twice, on any number of processes.
CREATE TABLE appointment_claim (
    appointment uuid      PRIMARY KEY REFERENCES appointment,
    service     uuid      NOT NULL REFERENCES appointment_service,
    seat        int       NOT NULL,
    staff       uuid,
    during      tstzrange NOT NULL,
    CONSTRAINT appointment_seat_once EXCLUDE USING gist (service WITH =, seat WITH =, during WITH &&),
    CONSTRAINT appointment_staff_once EXCLUDE USING gist (staff WITH =, during WITH &&) WHERE (staff IS NOT NULL)
);
