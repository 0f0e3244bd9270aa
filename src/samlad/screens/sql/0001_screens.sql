-- Screens that face customers: each with a token of its own, which shows one ticket and opens nothing else.
CREATE TABLE screen (
    id         uuid        PRIMARY KEY,
    location   uuid        NOT NULL REFERENCES location,
    channel    uuid        NOT NULL REFERENCES channel,
    name       text        NOT NULL,
    token_hash bytea       NOT NULL UNIQUE,
    cart       uuid        REFERENCES cart ON DELETE SET NULL,     -- the ticket that it shows
    order_id   uuid        REFERENCES orders,                      -- the sale that it says thanks for
    shown_at   timestamptz NOT NULL DEFAULT now(),
    paired_by  text        NOT NULL,
    paired_at  timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz,
    CHECK (cart IS NULL OR order_id IS NULL)
);
CREATE INDEX screen_location ON screen (location) WHERE revoked_at IS NULL;
CREATE INDEX screen_cart ON screen (cart) WHERE cart IS NOT NULL;

-- A tablet that shows a code and waits until somebody at a till types it.
CREATE TABLE screen_pairing (
    code       text        PRIMARY KEY CHECK (code ~ '^[0-9]{6}$'),
    token_hash bytea       NOT NULL UNIQUE,
    good_until timestamptz NOT NULL
);
CREATE INDEX screen_pairing_over ON screen_pairing (good_until);
