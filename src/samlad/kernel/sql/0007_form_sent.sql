-- Forms of pages that are done, so that none is done twice. A hash of everything that was sent; kept for a day.
CREATE TABLE form_sent (
    hash       bytea       PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX form_sent_age ON form_sent (created_at);
