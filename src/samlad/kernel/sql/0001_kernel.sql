-- The event log: append-only, partitioned by month of recording.
-- seq is the order of insertion, xid the transaction: followers read in order of (xid, seq) and stop at the
-- oldest transaction that is still open, so that none is ever passed (see docs/concepts/log.md).
CREATE SEQUENCE event_seq AS bigint CACHE 1;

CREATE TABLE event (
    seq         bigint      NOT NULL DEFAULT nextval('event_seq'),
    xid         bigint      NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    id          uuid        NOT NULL,
    type        text        NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    channel     uuid,
    profile     uuid,
    subject     uuid,
    actor       text        NOT NULL,
    request     uuid        NOT NULL,
    payload     jsonb       NOT NULL,
    personal    jsonb,      -- the personal part of the payload, apart so that erasure can null it
    PRIMARY KEY (recorded_at, seq)
) PARTITION BY RANGE (recorded_at);

CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE INDEX event_position ON event (xid, seq);
CREATE INDEX event_id ON event (id);
CREATE INDEX event_subject ON event (subject, seq) WHERE subject IS NOT NULL;
CREATE INDEX event_profile ON event (profile, seq) WHERE profile IS NOT NULL;

COMMENT ON TABLE event IS 'The log: who, what, where, when. Append-only; written only by kernel.log';

CREATE FUNCTION event_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.personal IS NULL
       AND (NEW.seq, NEW.id, NEW.type, NEW.payload) IS NOT DISTINCT FROM (OLD.seq, OLD.id, OLD.type, OLD.payload) THEN
        RETURN NEW;  -- erasure of the personal part is the one change that is allowed
    END IF;
    RAISE EXCEPTION 'the event log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER event_append_only BEFORE UPDATE OR DELETE ON event
    FOR EACH ROW EXECUTE FUNCTION event_is_append_only();

-- Makes the partition of the month that holds the given day; true if it is new.
CREATE FUNCTION event_partition(day date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', day)::date;
    name  text := 'event_' || to_char(first, 'YYYY_MM');
BEGIN
    IF to_regclass(name) IS NOT NULL THEN RETURN false; END IF;
    EXECUTE format('CREATE TABLE %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)',
                   name, first::timestamp AT TIME ZONE 'UTC', (first + interval '1 month') AT TIME ZONE 'UTC');
    RETURN true;
END $$;
SELECT event_partition((now() AT TIME ZONE 'UTC')::date);
SELECT event_partition(((now() AT TIME ZONE 'UTC') + interval '1 month')::date);

-- Followers of the log and where each of them is.
CREATE TABLE follower (
    name       text        PRIMARY KEY,
    xid        bigint      NOT NULL DEFAULT 0,
    seq        bigint      NOT NULL DEFAULT 0,
    attempts   int         NOT NULL DEFAULT 0,
    retry_at   timestamptz NOT NULL DEFAULT '-infinity',
    last_error text,
    handled_at timestamptz
);

-- Events that a follower could not handle, put aside with the reason so that the rest goes on.
CREATE TABLE parked_event (
    follower  text        NOT NULL REFERENCES follower ON DELETE CASCADE,
    event     uuid        NOT NULL,
    seq       bigint      NOT NULL,
    type      text        NOT NULL,
    reason    text        NOT NULL,
    attempts  int         NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (follower, event)
);

-- One row for each write that came with an Idempotency-Key: what was asked and what was answered.
CREATE TABLE idempotency (
    scope      text        NOT NULL,  -- who: an actor, a browser session
    key        text        NOT NULL,
    request    bytea       NOT NULL,  -- SHA-256 of method, path and body
    status     smallint    NOT NULL,
    headers    jsonb       NOT NULL,
    body       bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (scope, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);
