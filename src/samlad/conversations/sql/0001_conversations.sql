-- A thread that belongs to a customer, whatever channels its messages come by.
CREATE TABLE conversation (
    id             uuid        PRIMARY KEY,
    pool           uuid        NOT NULL REFERENCES pool,
    channel        uuid        NOT NULL REFERENCES channel,    -- where it began; links in mails lead there
    customer       uuid        REFERENCES customer,
    name           text        NOT NULL DEFAULT '',
    email          text,                                       -- small letters
    phone          text,
    language       text        NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    subject        text        NOT NULL,
    topic          text        NOT NULL CHECK (topic IN ('order', 'delivery', 'return', 'product', 'payment', 'other')),
    order_id       uuid        REFERENCES orders,
    state          text        NOT NULL CHECK (state IN ('open', 'pending', 'snoozed', 'closed')),
    assignee       uuid,
    assignee_name  text,
    snoozed_until  timestamptz CHECK ((snoozed_until IS NOT NULL) = (state = 'snoozed')),
    waiting_since  timestamptz,                                -- the oldest word of the customer that nobody answered
    last_at        timestamptz NOT NULL,
    messages       int         NOT NULL DEFAULT 0,             -- the number of the last one
    answers        int         NOT NULL DEFAULT 0,             -- the number of the last one that staff said to the customer
    words          int         NOT NULL DEFAULT 0,             -- the number of the last one that was no note
    seen           int         NOT NULL DEFAULT 0,             -- the customer has seen up to this number
    merged_into    uuid        REFERENCES conversation CHECK (merged_into <> id),
    begun_at       timestamptz NOT NULL DEFAULT now(),
    begun_by       text        NOT NULL,
    version        int         NOT NULL DEFAULT 1
);
CREATE INDEX conversation_last ON conversation (last_at DESC, id);
CREATE INDEX conversation_to_answer ON conversation (waiting_since, id) WHERE state = 'open';
CREATE INDEX conversation_of ON conversation (customer) WHERE customer IS NOT NULL;
CREATE INDEX conversation_email ON conversation (email) WHERE email IS NOT NULL;
CREATE INDEX conversation_order ON conversation (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX conversation_assignee ON conversation (assignee) WHERE assignee IS NOT NULL;
CREATE INDEX conversation_to_wake ON conversation (snoozed_until) WHERE state = 'snoozed';
CREATE INDEX conversation_merged ON conversation (merged_into) WHERE merged_into IS NOT NULL;
CREATE INDEX conversation_pool ON conversation (pool, id);

-- Words of a conversation, never changed. Each has its own channel. A note is for staff only.
CREATE TABLE conversation_message (
    id           uuid        PRIMARY KEY,
    conversation uuid        NOT NULL REFERENCES conversation,
    number       int         NOT NULL CHECK (number > 0),
    origin       uuid        NOT NULL REFERENCES conversation,  -- where it was said, before conversations were put together
    channel      uuid        NOT NULL REFERENCES channel,
    way          text        NOT NULL CHECK (way IN ('in', 'out', 'note')),
    medium       text        NOT NULL CHECK (medium IN ('web', 'mail', 'phone', 'store')),
    author       uuid,                                          -- of the staff, or null: the customer
    author_name  text        NOT NULL,
    body         text        NOT NULL,
    at           timestamptz NOT NULL,
    UNIQUE (conversation, number)
);
CREATE INDEX conversation_message_words ON conversation_message USING gin (to_tsvector('simple', body));
CREATE INDEX conversation_message_origin ON conversation_message (origin);

-- What is answered often. Names in braces are filled in.
CREATE TABLE saved_reply (
    id         uuid        PRIMARY KEY,
    name       text        NOT NULL,
    language   text        NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    body       text        NOT NULL,
    deleted_at timestamptz,
    version    int         NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX saved_reply_name ON saved_reply (lower(name), language) WHERE deleted_at IS NULL;

SELECT guard_pool('conversation');
