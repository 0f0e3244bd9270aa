-- What staff write down of customers, and the words by which they find them again. Kept where they were written, so that
-- customers who are taken apart have their own; read over all customers that are one person.
CREATE TABLE customer_note (
    id         uuid        PRIMARY KEY,
    customer   uuid        NOT NULL REFERENCES customer,
    text       text        NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    for_clerks boolean     NOT NULL,              -- clerks see it at the till
    author     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,                       -- kept, so that it can be brought back
    version    int         NOT NULL DEFAULT 1
);
CREATE INDEX customer_note_of ON customer_note (customer, created_at);

CREATE TABLE customer_tag (
    customer  uuid        NOT NULL REFERENCES customer,
    tag       text        NOT NULL CHECK (length(tag) BETWEEN 1 AND 40),  -- in small letters
    tagged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (customer, tag)
);
CREATE INDEX customer_tag_tag ON customer_tag (tag, customer);
