-- Who looks after whom: one clerk for a person in a store, while the person agrees to it.
CREATE TABLE client (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    customer   uuid        NOT NULL REFERENCES customer,
    location   uuid        NOT NULL REFERENCES location,
    channel    uuid        NOT NULL REFERENCES channel,   -- the store's
    staff      uuid        NOT NULL,
    staff_name text        NOT NULL,
    since      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (customer, location)
);
CREATE INDEX client_of_staff ON client (location, staff, since);

-- What a clerk means to do for a person, and by when.
CREATE TABLE follow_up (
    id         uuid        PRIMARY KEY,
    customer   uuid        NOT NULL REFERENCES customer,
    location   uuid        NOT NULL REFERENCES location,
    channel    uuid        NOT NULL REFERENCES channel,   -- the store's
    staff      uuid        NOT NULL,                      -- whose task it is
    staff_name text        NOT NULL,
    text       text        NOT NULL CHECK (length(text) BETWEEN 1 AND 1000),
    due_on     date        NOT NULL,                      -- on the store's own calendar
    made_at    timestamptz NOT NULL DEFAULT now(),
    done_at    timestamptz,
    done_by    text,
    CHECK ((done_at IS NULL) = (done_by IS NULL))
);
CREATE INDEX follow_up_open ON follow_up (location, staff, due_on) WHERE done_at IS NULL;
CREATE INDEX follow_up_of ON follow_up (customer, due_on);
