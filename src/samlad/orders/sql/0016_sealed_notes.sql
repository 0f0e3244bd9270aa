-- Notes are sealed with the order's key (kernel/0005). Those of before are sealed by a sweeper: SQL has no such cipher.
ALTER TABLE order_note ALTER COLUMN text DROP NOT NULL, ADD COLUMN sealed bytea;
CREATE INDEX order_note_open ON order_note (id) WHERE sealed IS NULL;

-- What they said stood in the log too, in the clear.
UPDATE event e SET personal = NULL
FROM (SELECT DISTINCT order_id FROM order_note) n
WHERE e.subject = n.order_id AND e.type = 'order.note_added' AND e.personal IS NOT NULL;

-- So are the notes on returns and changes.
ALTER TABLE return_request ADD COLUMN sealed_note bytea;
CREATE INDEX return_request_open_note ON return_request (id) WHERE sealed_note IS NULL AND note <> '';
ALTER TABLE order_change ADD COLUMN sealed_note bytea;
CREATE INDEX order_change_open_note ON order_change (id) WHERE sealed_note IS NULL AND note <> '';
