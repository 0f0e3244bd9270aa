-- Tills that sell without network, and every sale that one of them sent. Nothing that was sent is ever deleted.
CREATE TABLE till_device (
    id         uuid        PRIMARY KEY,      -- made by the till
    channel    uuid        NOT NULL REFERENCES channel,
    location   uuid        NOT NULL REFERENCES location,
    seen_at    timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX till_device_location ON till_device (location);

CREATE TABLE till_sale (
    id             uuid        PRIMARY KEY,  -- the entry's own; made here where it is another's or cannot be read
    entry          text,                     -- the id as it was sent
    digest         bytea       NOT NULL,     -- SHA-256 of what was sent: the same entry again is known by it
    conflicts_with uuid        REFERENCES till_sale,  -- has this entry's id, and another content
    till_id        uuid,
    channel        uuid        NOT NULL REFERENCES channel,
    location       uuid        NOT NULL REFERENCES location,
    sequence       bigint,
    reference      text        NOT NULL,
    state          text        NOT NULL CHECK (state IN ('ordered', 'kept', 'training', 'written_off')),
    happened_at    timestamptz NOT NULL,
    received_at    timestamptz NOT NULL DEFAULT now(),
    total          bigint,
    currency       text        NOT NULL,
    clerk_name     text        NOT NULL DEFAULT '',
    order_id       uuid        UNIQUE REFERENCES orders,
    objections     jsonb       NOT NULL DEFAULT '[]',
    needs_look     boolean     NOT NULL,
    body           jsonb       NOT NULL,
    actor          text        NOT NULL,
    resolution     text        CHECK (resolution IN ('seen', 'settled', 'written_off')),
    reason         text        NOT NULL DEFAULT '',
    resolved_by    text,
    resolved_at    timestamptz,
    version        int         NOT NULL DEFAULT 1,
    CHECK ((state = 'ordered') = (order_id IS NOT NULL))
);
CREATE INDEX till_sale_needed ON till_sale (received_at, id) WHERE needs_look;
CREATE INDEX till_sale_received ON till_sale (received_at, id);
CREATE INDEX till_sale_sequence ON till_sale (till_id, sequence);
