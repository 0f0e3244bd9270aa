-- The journal of pools stays as it is; only details of a person may be taken out of it when that person is erased.
DROP TRIGGER pool_move_row_append_only ON pool_move_row;
CREATE TRIGGER pool_move_row_not_truncated BEFORE TRUNCATE ON pool_move_row
    FOR EACH STATEMENT EXECUTE FUNCTION pool_move_row_is_append_only();
CREATE FUNCTION pool_move_row_only_forgets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND (NEW.move, NEW.subject, NEW.row, NEW.twin) IS NOT DISTINCT FROM (OLD.move, OLD.subject, OLD.row, OLD.twin)
       AND NEW.before = OLD.before - '{email,external_id,name,phone,address}'::text[] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the journal of pools is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER pool_move_row_append_only BEFORE UPDATE OR DELETE ON pool_move_row
    FOR EACH ROW EXECUTE FUNCTION pool_move_row_only_forgets();
