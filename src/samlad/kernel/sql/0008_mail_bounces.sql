-- Mails that were handed over, for the time in which they may still come back.
CREATE TABLE mail_sent (
    id         uuid        PRIMARY KEY,
    recipient  text        NOT NULL,
    person     uuid,
    channel    uuid,
    kind       text        NOT NULL,
    sent_at    timestamptz NOT NULL DEFAULT now(),
    bounced_at timestamptz
);
CREATE INDEX mail_sent_at ON mail_sent (sent_at);
CREATE INDEX mail_sent_recipient ON mail_sent (lower(recipient));

-- Addresses from which mails came back, in small letters. To those that are stopped nothing is sent.
CREATE TABLE mail_bounce (
    id           uuid        PRIMARY KEY,
    address      text        NOT NULL UNIQUE CHECK (address = lower(address)),
    is_permanent boolean     NOT NULL,
    is_stopped   boolean     NOT NULL,
    status       text        NOT NULL,
    answer       text        NOT NULL,
    times        integer     NOT NULL DEFAULT 1 CHECK (times > 0),
    first_at     timestamptz NOT NULL,
    last_at      timestamptz NOT NULL
);
CREATE INDEX mail_bounce_last ON mail_bounce (last_at, id);
