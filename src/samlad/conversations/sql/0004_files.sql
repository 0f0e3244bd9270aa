-- Files that came with mails, as they came. `conversation_message.attachments` and `inbound_mail.attachments` name them, by id.
CREATE TABLE conversation_file (
    id        uuid  PRIMARY KEY,                                   -- random
    message   uuid  REFERENCES conversation_message DEFERRABLE INITIALLY DEFERRED,
    mail      uuid  REFERENCES inbound_mail ON DELETE CASCADE,     -- of one that waits for staff
    name      text  NOT NULL,                                      -- as its sender calls it
    type      text  NOT NULL,                                      -- by its bytes
    stored_as text  NOT NULL,                                      -- its name in an export: id and ending
    content   bytea NOT NULL,
    size      int   NOT NULL CHECK (size > 0),
    CHECK (num_nonnulls(message, mail) = 1)
);
-- Pictures and documents are packed already.
ALTER TABLE conversation_file ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX conversation_file_message ON conversation_file (message) WHERE message IS NOT NULL;
CREATE INDEX conversation_file_mail ON conversation_file (mail) WHERE mail IS NOT NULL;
