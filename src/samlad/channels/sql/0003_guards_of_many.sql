-- For tables that get thousands of rows at once: the pools are looked at once for each statement, not for each row.
-- Who writes them has the lock on the pool before (identity.store.share_pool), so that nobody waits with rows in hand.
CREATE FUNCTION pools_are_open() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    shut uuid;
BEGIN
    PERFORM FROM pool WHERE id IN (SELECT DISTINCT pool FROM fresh) ORDER BY id FOR KEY SHARE;
    SELECT id INTO shut FROM pool WHERE id IN (SELECT DISTINCT pool FROM fresh) AND closed_at IS NOT NULL LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'pool % is not used any more', shut USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;

-- What a package calls instead of guard_pool, or after it.
CREATE FUNCTION guard_pool_of_many(of_table text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TRIGGER IF EXISTS a_pool_is_open ON %I', of_table);
    EXECUTE format('CREATE TRIGGER a_pool_is_open AFTER INSERT ON %I REFERENCING NEW TABLE AS fresh
                    FOR EACH STATEMENT EXECUTE FUNCTION pools_are_open()', of_table);
    EXECUTE format('CREATE TRIGGER a_pool_stays_open BEFORE UPDATE OF pool ON %I
                    FOR EACH ROW EXECUTE FUNCTION pool_is_open()', of_table);
END $$;
