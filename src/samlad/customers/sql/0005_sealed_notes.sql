-- Notes are sealed with the customer's key (kernel/0005). Those of before are sealed by a sweeper: SQL has no such cipher.
ALTER TABLE customer_note ALTER COLUMN text DROP NOT NULL, ADD COLUMN sealed bytea;
CREATE INDEX customer_note_open ON customer_note (id) WHERE sealed IS NULL;

-- What they said stood in the log too, in the clear.
UPDATE event e SET personal = NULL
FROM (SELECT DISTINCT customer FROM customer_note) n
WHERE e.subject = n.customer AND e.type IN ('customer.note_added', 'customer.note_changed') AND e.personal IS NOT NULL;

-- Tags are words about somebody: where erasure reaches them.
ALTER TABLE event DISABLE TRIGGER event_append_only;
UPDATE event SET personal = coalesce(personal, '{}') || jsonb_build_object('tags', payload -> 'tags'), payload = payload - 'tags'
WHERE type IN ('customer.tagged', 'customer.untagged') AND payload ? 'tags';
ALTER TABLE event ENABLE TRIGGER event_append_only;
