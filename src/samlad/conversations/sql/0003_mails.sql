-- What came by mail: what staff should know of it, and which files came with it (their names, types and sizes; they are not kept).
ALTER TABLE conversation_message
    ADD COLUMN marks       text[] NOT NULL DEFAULT '{}',
    ADD COLUMN attachments jsonb  NOT NULL DEFAULT '[]';

-- Mails that we sent of a conversation: an answer names its Message-ID, <mail@domain>.
CREATE TABLE conversation_mail (
    mail         uuid        PRIMARY KEY,
    conversation uuid        NOT NULL REFERENCES conversation,
    sent_at      timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX conversation_mail_of ON conversation_mail (conversation, sent_at);

-- Mails that came in. What is in a thread is kept only there; what is not waits for staff.
CREATE TABLE inbound_mail (
    id           uuid        PRIMARY KEY,
    key          bytea       NOT NULL UNIQUE,                  -- of its Message-ID and sender: each mail is taken once
    message_id   text,                                         -- what our next mail answers
    state        text        NOT NULL CHECK (state IN ('taken', 'waiting', 'dismissed')),
    reason       text        CHECK (reason IN ('no-thread', 'forged', 'two-threads', 'other-sender', 'other-customer', 'erased')),
    conversation uuid        REFERENCES conversation,          -- where it is, or where it says that it belongs
    message      uuid        REFERENCES conversation_message DEFERRABLE INITIALLY DEFERRED,
    sender       text        NOT NULL DEFAULT '',              -- small letters
    name         text        NOT NULL DEFAULT '',
    subject      text        NOT NULL DEFAULT '',
    body         text        NOT NULL DEFAULT '',
    marks        text[]      NOT NULL DEFAULT '{}',
    attachments  jsonb       NOT NULL DEFAULT '[]',
    received_at  timestamptz NOT NULL DEFAULT now(),
    decided_at   timestamptz,
    CHECK ((message IS NOT NULL) = (state = 'taken')),
    CHECK (state = 'taken' OR reason IS NOT NULL)
);
CREATE INDEX inbound_mail_waiting ON inbound_mail (received_at, id) WHERE state = 'waiting';
CREATE INDEX inbound_mail_sender ON inbound_mail (sender) WHERE sender <> '';
CREATE INDEX inbound_mail_of ON inbound_mail (conversation, received_at) WHERE conversation IS NOT NULL;

-- Who of the staff has a conversation open: their page says so every few seconds. Worth nothing after a crash.
CREATE UNLOGGED TABLE conversation_viewer (
    conversation uuid        NOT NULL,
    staff        uuid        NOT NULL,
    name         text        NOT NULL,
    seen_at      timestamptz NOT NULL,
    PRIMARY KEY (conversation, staff)
);
CREATE INDEX conversation_viewer_old ON conversation_viewer (seen_at);
