-- The plan may say something else of the events of one source; null: of all that have no line of their own. Besides reporting
-- and parking, what does not fit can be dropped out of the event.
ALTER TABLE tracking_schema
    ADD COLUMN source uuid REFERENCES tracking_source,
    DROP CONSTRAINT tracking_schema_event_key,
    DROP CONSTRAINT tracking_schema_policy_check,
    ADD CONSTRAINT tracking_schema_policy_check CHECK (policy IN ('report', 'park', 'drop')),
    ADD CONSTRAINT tracking_schema_event UNIQUE NULLS NOT DISTINCT (event, source);

-- What each line said, by version. Kept when the line is removed.
CREATE TABLE tracking_schema_version (
    schema_id uuid        NOT NULL,
    version   int         NOT NULL,
    event     text        NOT NULL,
    source    uuid,
    schema    jsonb       NOT NULL,
    policy    text        NOT NULL,
    actor     text        NOT NULL,
    at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schema_id, version)
);
INSERT INTO tracking_schema_version (schema_id, version, event, schema, policy, actor, at)
SELECT id, version, event, schema, policy, 'migration', updated_at FROM tracking_schema;

-- For counting what did not fit. Costs nothing for events that fit.
CREATE INDEX tracked_event_violating ON tracked_event (received_at) WHERE violations IS NOT NULL;
CREATE INDEX tracking_parked_plan ON tracking_parked (received_at) WHERE reason = 'plan';
