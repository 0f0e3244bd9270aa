-- Receipts that were mailed at a till. Where to is in the outbox until it is sent, and nowhere else.
CREATE TABLE receipt_mail (
    id       uuid        PRIMARY KEY,   -- of whoever presses: pressed twice it is sent once
    order_id uuid        NOT NULL REFERENCES orders,
    sent_by  text        NOT NULL,
    asked_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX receipt_mail_order ON receipt_mail (order_id);
