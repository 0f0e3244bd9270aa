-- What staff write on orders, and how they work through many. docs/concepts/order-desk.md.

CREATE TABLE order_tag (
    order_id  uuid        NOT NULL REFERENCES orders,
    tag       text        NOT NULL CHECK (length(tag) BETWEEN 1 AND 40),  -- in small letters
    tagged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (order_id, tag)
);
CREATE INDEX order_tag_tag ON order_tag (tag, order_id);

CREATE TABLE order_note (
    id         uuid        PRIMARY KEY,
    order_id   uuid        NOT NULL REFERENCES orders,
    text       text        NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    author     text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,                       -- kept, so that it can be brought back
    version    int         NOT NULL DEFAULT 1
);
CREATE INDEX order_note_of ON order_note (order_id, created_at);

-- Views of the desk: filters, sorting and columns under a name. The owner's own, or everybody's to use.
CREATE TABLE order_view (
    id         uuid        PRIMARY KEY,
    owner      uuid        NOT NULL,              -- a member of staff, also of another system
    name       text        NOT NULL CHECK (length(name) BETWEEN 1 AND 60),
    is_shared  boolean     NOT NULL,
    filters    jsonb       NOT NULL,              -- texts by name, as in the address of the desk
    sort       text        NOT NULL DEFAULT '',
    columns    text[]      NOT NULL DEFAULT '{}', -- none: those of the desk
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    version    int         NOT NULL DEFAULT 1
);
CREATE UNIQUE INDEX order_view_name ON order_view (owner, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX order_view_shared ON order_view (lower(name)) WHERE is_shared AND deleted_at IS NULL;

-- With which view the desk opens for somebody.
CREATE TABLE order_view_default (
    staff uuid PRIMARY KEY,
    view  uuid NOT NULL REFERENCES order_view
);

-- One act on many orders. Each order is a transaction of its own that also notes its outcome here: a job that is killed goes on.
CREATE TABLE order_bulk (
    id         uuid        PRIMARY KEY,
    act        text        NOT NULL CHECK (act IN ('tag', 'untag', 'fulfil', 'cancel', 'assign')),
    arguments  jsonb       NOT NULL,
    staff      uuid,                              -- who asked for it
    actor      jsonb       NOT NULL,              -- what they might do then; what they may now is looked up as well
    total      int         NOT NULL CHECK (total > 0),
    state      text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'stopped')),
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz
);
CREATE INDEX order_bulk_newest ON order_bulk (created_at, id);

CREATE TABLE order_bulk_row (
    bulk     uuid NOT NULL REFERENCES order_bulk,
    position int  NOT NULL,
    order_id uuid NOT NULL REFERENCES orders,
    state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'refused')),
    reason   text NOT NULL DEFAULT '',
    PRIMARY KEY (bulk, position),
    UNIQUE (bulk, order_id)
);
CREATE INDEX order_bulk_waiting ON order_bulk_row (bulk, position) WHERE state = 'waiting';
