-- What orders wait for, and the day that their buyers were told last (null: that nobody knows it). docs/concepts/orders.md.
CREATE TABLE order_expected (
    order_id    uuid        NOT NULL REFERENCES orders,
    variant     uuid        NOT NULL,
    expected_on date,                          -- a day of where the goods come to
    is_moved    boolean     NOT NULL DEFAULT false,  -- it is another day than was promised
    told_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, variant)
);
