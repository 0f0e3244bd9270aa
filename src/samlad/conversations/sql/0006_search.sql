-- What is looked for in the list of conversations and in the command bar, as the index has it: all of them were read for each word.
ALTER TABLE conversation ADD COLUMN search text NOT NULL GENERATED ALWAYS AS (
    lower(subject || ' ' || name || ' ' || coalesce(email, '') || ' ' || coalesce(phone, ''))) STORED;
CREATE INDEX conversation_search ON conversation USING gin (search gin_trgm_ops);
