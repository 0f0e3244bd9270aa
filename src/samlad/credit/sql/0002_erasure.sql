-- The book stays as it is; only what somebody wrote about a person may be taken out of it when that person is erased.
DROP TRIGGER credit_transaction_append_only ON credit_transaction;
CREATE TRIGGER credit_transaction_not_truncated BEFORE TRUNCATE ON credit_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION credit_is_append_only();
CREATE FUNCTION credit_transaction_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    without_reason credit_transaction := NEW;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.reason = '' THEN
        without_reason.reason := OLD.reason;
        IF without_reason IS NOT DISTINCT FROM OLD THEN RETURN NEW; END IF;
    END IF;
    RAISE EXCEPTION 'the book is append-only: append what takes it back' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER credit_transaction_append_only BEFORE UPDATE OR DELETE ON credit_transaction
    FOR EACH ROW EXECUTE FUNCTION credit_transaction_is_append_only();
