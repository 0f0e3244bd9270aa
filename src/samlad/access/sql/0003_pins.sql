-- The number by which a member of staff approves something at somebody else's till. Never a way to sign in.
CREATE TABLE staff_pin (
    staff    uuid        PRIMARY KEY REFERENCES staff ON DELETE CASCADE,
    pin_hash text        NOT NULL,  -- argon2id in PHC form
    set_at   timestamptz NOT NULL DEFAULT now()
);
