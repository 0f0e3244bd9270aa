-- Messages whose event staff deleted, by a digest of what the client called them: they are never taken again, however late.
CREATE TABLE tracked_deleted (
    source     uuid        NOT NULL,
    digest     bytea       NOT NULL,
    deleted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, digest)
);
