-- What a shop says for itself: how each brand looks, its pages, its menus, and where old addresses lead.
-- Everything belongs to a channel and holds for those below it, until they have their own.

-- What a channel sets of its brand; what is not in `own` is its parent's.
CREATE TABLE brand_kit (
    channel    uuid        PRIMARY KEY REFERENCES channel,
    own        jsonb       NOT NULL CHECK (jsonb_typeof(own) = 'object'),
    version    int         NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- Pictures of pages and brands. The file is in SAMLAD_HOME/media under its key; `printed` is what documents carry.
CREATE TABLE content_picture (
    key        text        PRIMARY KEY CHECK (key ~ '^[0-9a-f]{64}\.[a-z]{3,4}$'),
    name       text        NOT NULL,
    width      int         NOT NULL CHECK (width > 0),
    height     int         NOT NULL CHECK (height > 0),
    bytes      int         NOT NULL CHECK (bytes > 0),
    printed    text        NOT NULL DEFAULT '',        -- a data: URL of at most 100 kB, PNG
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Pages made of blocks. An empty handle is the start page. `draft` is what is worked on; nobody sees it.
CREATE TABLE content_page (
    id          uuid        PRIMARY KEY,
    channel     uuid        NOT NULL REFERENCES channel,
    handle      text        NOT NULL CHECK (handle ~ '^([a-z0-9]([a-z0-9-]{0,98}[a-z0-9])?)?$'),
    draft       jsonb       NOT NULL CHECK (jsonb_typeof(draft) = 'object'),
    last_number int         NOT NULL DEFAULT 0,        -- of its versions
    version     int         NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, handle)
);

-- What was published, whole and for ever. What is shown is found among those that hold now (content/rules.py).
CREATE TABLE content_version (
    page         uuid        NOT NULL REFERENCES content_page,
    number       int         NOT NULL CHECK (number > 0),
    document     jsonb       NOT NULL,
    shown_from   timestamptz,                          -- null: from when it was published
    shown_until  timestamptz CHECK (shown_until > shown_from),  -- exclusive; null: until another one holds
    withdrawn_at timestamptz,
    published_at timestamptz NOT NULL DEFAULT now(),
    published_by text        NOT NULL,
    PRIMARY KEY (page, number)
);

CREATE TABLE content_menu (
    channel    uuid        NOT NULL REFERENCES channel,
    place      text        NOT NULL CHECK (place IN ('header', 'footer')),
    items      jsonb       NOT NULL CHECK (jsonb_typeof(items) = 'array'),
    version    int         NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel, place)
);

-- Old addresses. Asked only when nothing else answered, so a page that is there always wins.
CREATE TABLE content_redirect (
    id           uuid        PRIMARY KEY,
    channel      uuid        NOT NULL REFERENCES channel,
    source       text        NOT NULL CHECK (source LIKE '/%'),
    target       text        NOT NULL,
    is_permanent boolean     NOT NULL,
    hits         bigint      NOT NULL DEFAULT 0,
    last_hit_at  timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    UNIQUE (channel, source)
) WITH (fillfactor = 80);
