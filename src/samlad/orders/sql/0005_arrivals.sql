-- Orders that were placed and paid elsewhere (a marketplace): the name that they have there, so that each comes once.
CREATE TABLE order_arrival (
    channel     uuid        NOT NULL REFERENCES channel,
    external_id text        NOT NULL,
    order_id    uuid        NOT NULL REFERENCES orders DEFERRABLE INITIALLY DEFERRED,
    content     bytea       NOT NULL,   -- SHA-256 of what was sent: the same name with something else in it is told
    arrived_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel, external_id)
);
CREATE INDEX order_arrival_order ON order_arrival (order_id);
CREATE INDEX order_arrival_name ON order_arrival (external_id text_pattern_ops);
