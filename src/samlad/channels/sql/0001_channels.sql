-- Channels, and pools of what they share. A channel uses exactly one pool of each resource.
CREATE TABLE channel (
    id            uuid        PRIMARY KEY,
    code          text        NOT NULL UNIQUE CHECK (code ~ '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$'),
    name          text        NOT NULL,
    kind          text        NOT NULL CHECK (kind IN ('store', 'webshop', 'app', 'marketplace', 'social', 'phone',
                                                       'mail_order', 'chat', 'agent')),
    parent        uuid        REFERENCES channel CHECK (parent <> id),
    -- What is null here is the parent's; a channel without a parent has these four itself.
    country       text        CHECK (country IS NOT NULL OR parent IS NOT NULL),
    locale        text        CHECK (locale IS NOT NULL OR parent IS NOT NULL),
    currency      text        CHECK (currency IS NOT NULL OR parent IS NOT NULL),
    time_zone     text        CHECK (time_zone IS NOT NULL OR parent IS NOT NULL),
    opening_hours jsonb,
    settings      jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
    status        text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'closed')),
    version       int         NOT NULL DEFAULT 1,
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX channel_parent ON channel (parent) WHERE parent IS NOT NULL;

CREATE TABLE pool (
    id       uuid PRIMARY KEY,
    resource text NOT NULL CHECK (resource IN ('catalogue', 'prices', 'stock', 'customers', 'carts', 'promotions',
                                               'orders', 'conversations')),
    name     text NOT NULL,
    UNIQUE (id, resource)
);

CREATE TABLE channel_pool (
    channel  uuid NOT NULL REFERENCES channel,
    resource text NOT NULL,
    pool     uuid NOT NULL,
    PRIMARY KEY (channel, resource),
    FOREIGN KEY (pool, resource) REFERENCES pool (id, resource)  -- a stock pool is no pool of customers
);
CREATE INDEX channel_pool_members ON channel_pool (pool);

-- What holds for a channel: each value from the nearest of itself, its parent, its parent's parent … that sets it.
CREATE FUNCTION effective_channel(wanted uuid)
    RETURNS TABLE (country text, locale text, currency text, time_zone text, opening_hours jsonb, settings jsonb)
    LANGUAGE sql STABLE AS $$
    WITH RECURSIVE line AS (
        SELECT 0 AS distance, c.* FROM channel c WHERE c.id = wanted
        UNION ALL
        SELECT line.distance + 1, c.* FROM line JOIN channel c ON c.id = line.parent
    )
    SELECT (array_agg(line.country ORDER BY distance) FILTER (WHERE line.country IS NOT NULL))[1],
           (array_agg(line.locale ORDER BY distance) FILTER (WHERE line.locale IS NOT NULL))[1],
           (array_agg(line.currency ORDER BY distance) FILTER (WHERE line.currency IS NOT NULL))[1],
           (array_agg(line.time_zone ORDER BY distance) FILTER (WHERE line.time_zone IS NOT NULL))[1],
           (array_agg(line.opening_hours ORDER BY distance) FILTER (WHERE line.opening_hours IS NOT NULL))[1],
           -- of one key that comes several times the last wins: the nearest
           coalesce((SELECT jsonb_object_agg(each.key, each.value ORDER BY distance DESC)
                     FROM line, jsonb_each(line.settings) AS each), '{}')
    FROM line
$$;
