-- What events of a source need, and what becomes of one without it. Needs nothing: everything is taken as it comes.
ALTER TABLE tracking_source
    ADD COLUMN needs           text[] NOT NULL DEFAULT '{}'
        CHECK (needs <@ ARRAY['functional', 'performance', 'targeting']),
    ADD COLUMN without_consent text   NOT NULL DEFAULT 'anonymise' CHECK (without_consent IN ('anonymise', 'park'));

-- The one change that a stored event allows is that the person is taken out of it.
CREATE OR REPLACE FUNCTION tracked_event_is_never_rewritten() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.received_at, NEW.batch, NEW.source, NEW.type, NEW.occurred_at)
       IS NOT DISTINCT FROM (OLD.id, OLD.received_at, OLD.batch, OLD.source, OLD.type, OLD.occurred_at)
       AND NEW.payload = '{}' AND NEW.traits IS NULL AND NEW.consent IS NULL AND NEW.violations IS NULL
       AND NEW.anonymous_id IS NULL AND NEW.user_id IS NULL AND NEW.previous_id IS NULL AND NEW.group_id IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'tracked events are never rewritten' USING ERRCODE = 'restrict_violation';
END $$;

-- How long events are kept, by type and name; null: all. The line that names most holds.
CREATE TABLE tracking_retention (
    id         uuid        PRIMARY KEY,
    type       text        CHECK (type IN ('track', 'identify', 'page', 'screen', 'group', 'alias')),
    name       text,
    days       int         NOT NULL CHECK (days BETWEEN 1 AND 3650),
    version    int         NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (name IS NULL OR type IS NOT NULL),
    UNIQUE NULLS NOT DISTINCT (type, name)
);
