-- What people ask about a product, and what is answered. A question without its words is not shown.
CREATE TABLE question (
    id          uuid        PRIMARY KEY,
    product     uuid        NOT NULL REFERENCES product ON DELETE CASCADE,
    variant     uuid        NOT NULL,               -- what they looked at, and its options as they were then
    options     text        NOT NULL DEFAULT '',
    channel     uuid        NOT NULL REFERENCES channel,
    customer    uuid        REFERENCES customer,
    email       text,                               -- of somebody who is not signed in; small letters
    language    text        NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    text        text        NOT NULL,
    author      text        NOT NULL DEFAULT '',    -- the name that is shown
    status      text        NOT NULL CHECK (status IN ('unconfirmed', 'waiting', 'published', 'declined', 'withdrawn')),
    reason      text        NOT NULL DEFAULT '',    -- why it was declined, for who asked
    reports     int         NOT NULL DEFAULT 0 CHECK (reports >= 0),   -- since somebody decided last
    asked_at    timestamptz NOT NULL,
    decided_at  timestamptz,
    decided_by  text,
    was         text,                               -- how it stood before it was decided in a batch, which can be taken back
    was_reason  text        NOT NULL DEFAULT '',
    batch       uuid,
    answered_at timestamptz,                        -- the shop's first answer, or the first of a buyer that was published
    told_at     timestamptz,                        -- when who asked was written to about it: once
    version     int         NOT NULL DEFAULT 1
) WITH (fillfactor = 85);
CREATE INDEX question_shown ON question (product, asked_at, id) WHERE status = 'published';
CREATE INDEX question_asked ON question (asked_at, id);
CREATE INDEX question_queue ON question (asked_at, id) WHERE status = 'waiting';
CREATE INDEX question_unconfirmed ON question (asked_at) WHERE status = 'unconfirmed';
CREATE INDEX question_reported ON question (reports, id) WHERE reports > 0;
CREATE INDEX question_customer ON question (customer) WHERE customer IS NOT NULL;
CREATE INDEX question_email ON question (email) WHERE email IS NOT NULL;
CREATE INDEX question_variant ON question (variant);
CREATE INDEX question_batch ON question (batch) WHERE batch IS NOT NULL;

-- The shop has one answer to a question, and each customer who bought the product has one.
CREATE TABLE question_answer (
    id         uuid        PRIMARY KEY,
    question   uuid        NOT NULL REFERENCES question ON DELETE CASCADE,
    kind       text        NOT NULL CHECK (kind IN ('shop', 'buyer')),
    channel    uuid        NOT NULL REFERENCES channel,
    customer   uuid        REFERENCES customer,
    author     text        NOT NULL DEFAULT '',
    language   text        NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    text       text        NOT NULL,
    status     text        NOT NULL CHECK (status IN ('waiting', 'published', 'declined', 'withdrawn')),
    reason     text        NOT NULL DEFAULT '',
    helpful    int         NOT NULL DEFAULT 0 CHECK (helpful >= 0),
    written_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    version    int         NOT NULL DEFAULT 1,
    CHECK (kind = 'buyer' OR customer IS NULL)
) WITH (fillfactor = 85);
CREATE INDEX question_answer_of ON question_answer (question, helpful, id);
CREATE UNIQUE INDEX question_answer_shop ON question_answer (question) WHERE kind = 'shop';
CREATE INDEX question_answer_customer ON question_answer (customer) WHERE customer IS NOT NULL;
CREATE INDEX question_answer_queue ON question_answer (written_at, id) WHERE status = 'waiting';

-- Who found an answer helpful: a customer, or a browser by its random id. Once each.
CREATE TABLE question_vote (
    answer   uuid        NOT NULL REFERENCES question_answer ON DELETE CASCADE,
    voter    uuid        NOT NULL,
    voted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (answer, voter)
);
CREATE INDEX question_vote_voter ON question_vote (voter);

CREATE TABLE question_report (
    question    uuid        NOT NULL REFERENCES question ON DELETE CASCADE,
    voter       uuid        NOT NULL,
    reason      text        NOT NULL DEFAULT '',
    reported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (question, voter)
);
CREATE INDEX question_report_voter ON question_report (voter);

-- Answers whose votes are not what is counted: always empty, and `samlad doctor` looks.
CREATE VIEW question_vote_difference AS
    SELECT a.id AS answer, a.helpful AS kept, count(v.voter)::int AS truth
    FROM question_answer a LEFT JOIN question_vote v ON v.answer = a.id
    GROUP BY a.id HAVING a.helpful <> count(v.voter);
