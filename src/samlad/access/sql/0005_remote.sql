-- Where customers acted from may be taken out too when they are erased; of staff it stays.
CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.before IS NULL AND NEW.after IS NULL AND NEW.difference = ''
       AND (NEW.id, NEW.at, NEW.actor_kind, NEW.actor_id, NEW.verb, NEW.subject_type, NEW.subject, NEW.request)
           IS NOT DISTINCT FROM
           (OLD.id, OLD.at, OLD.actor_kind, OLD.actor_id, OLD.verb, OLD.subject_type, OLD.subject, OLD.request)
       AND ((NEW.actor_name, NEW.remote) IS NOT DISTINCT FROM (OLD.actor_name, OLD.remote)
            OR (OLD.actor_kind = 'customer' AND NEW.actor_name = '' AND NEW.remote IS NULL)) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END $$;
