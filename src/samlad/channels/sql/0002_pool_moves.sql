-- A channel can move to another pool while others sell: docs/decisions/pool-moves.md. Processes remember for up to two
-- seconds which pools a channel uses. These guards refuse what would be written by such a memory; the error is one that
-- is answered by doing the transaction again.

ALTER TABLE pool ADD COLUMN closed_at timestamptz;  -- no channel uses it any more: nothing comes in

-- The lock on the pool (which the foreign key takes anyway) makes whoever closes it wait, and us wait for them.
CREATE FUNCTION pool_is_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.pool IS NOT NULL THEN
        PERFORM FROM pool WHERE id = NEW.pool AND closed_at IS NULL FOR KEY SHARE;
        IF NOT FOUND AND EXISTS (SELECT FROM pool WHERE id = NEW.pool) THEN
            RAISE EXCEPTION 'pool % is not used any more', NEW.pool USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    RETURN NEW;
END $$;

-- For rows with a channel: into the pool that this channel uses. The argument is the resource.
CREATE FUNCTION pool_is_the_channels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.channel IS NOT NULL THEN
        PERFORM FROM channel_pool WHERE channel = NEW.channel AND resource = TG_ARGV[0] AND pool = NEW.pool
            FOR KEY SHARE;
        IF NOT FOUND AND EXISTS (SELECT FROM channel_pool WHERE channel = NEW.channel AND resource = TG_ARGV[0]) THEN
            RAISE EXCEPTION 'channel % does not use pool % any more', NEW.channel, NEW.pool
                USING ERRCODE = 'serialization_failure';
        END IF;
    END IF;
    RETURN NEW;
END $$;

-- What a package calls for a table with a column `pool` (and, with a resource, one `channel`).
CREATE FUNCTION guard_pool(of_table text, for_resource text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER a_pool_is_open BEFORE INSERT OR UPDATE OF pool ON %I
                    FOR EACH ROW EXECUTE FUNCTION pool_is_open()', of_table);
    IF for_resource IS NOT NULL THEN
        EXECUTE format('CREATE TRIGGER b_pool_is_the_channels BEFORE INSERT OR UPDATE OF pool ON %I
                        FOR EACH ROW EXECUTE FUNCTION pool_is_the_channels(%L)', of_table, for_resource);
    END IF;
END $$;

-- A channel joins the pool of others, or leaves it for its own. One row is one durable piece of work of samlad.pools.
CREATE TABLE pool_move (
    id          uuid        PRIMARY KEY,
    channel     uuid        NOT NULL REFERENCES channel,
    resource    text        NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('join', 'leave')),
    home        uuid        NOT NULL REFERENCES pool,   -- the channel's own
    shared      uuid        NOT NULL REFERENCES pool,   -- that of the others
    joined      uuid        REFERENCES pool_move,       -- of a leave: the join whose journal it takes back
    status      text        NOT NULL CHECK (status IN ('running', 'done')),
    step        int         NOT NULL DEFAULT 0,         -- the one that is next
    cursor      uuid,                                   -- how far in it
    rows        bigint      NOT NULL DEFAULT 0,         -- moved so far
    expected    bigint      NOT NULL,                   -- as it was counted when it began
    problem     text,                                   -- why the latest attempt failed
    actor       text        NOT NULL,
    started_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CHECK ((status = 'done') = (finished_at IS NOT NULL)),
    CHECK (kind = 'leave' OR joined IS NULL)
);
CREATE UNIQUE INDEX pool_move_running ON pool_move (channel) WHERE status = 'running';  -- one at a time
CREATE INDEX pool_move_latest ON pool_move (channel, resource, started_at);
CREATE INDEX pool_move_started ON pool_move (started_at, id);

-- The journal: which row was moved, what it was matched with, and what was changed of it.
CREATE TABLE pool_move_row (
    move    uuid  NOT NULL REFERENCES pool_move,
    subject text  NOT NULL,   -- the table
    row     uuid  NOT NULL,
    twin    uuid,             -- what stands there for the same
    before  jsonb,            -- columns as they were, beside the pool
    PRIMARY KEY (move, subject, row)
);
CREATE FUNCTION pool_move_row_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal of pools is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER pool_move_row_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON pool_move_row
    FOR EACH STATEMENT EXECUTE FUNCTION pool_move_row_is_append_only();

-- A channel that is made while a pool closes does not come into it.
CREATE TRIGGER a_pool_is_open BEFORE INSERT ON channel_pool FOR EACH ROW EXECUTE FUNCTION pool_is_open();
