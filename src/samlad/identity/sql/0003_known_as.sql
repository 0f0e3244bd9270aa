-- Every id under which something of whoever is known by a text (one of their ids, or an identifier in any of its spellings)
-- may have been kept: for searching what happened to a person.
CREATE FUNCTION identity_known_as(spellings text[]) RETURNS SETOF uuid LANGUAGE sql STABLE AS $$
    WITH found AS (
        SELECT coalesce(p.profile, n.profile) AS profile
        FROM (SELECT n.* FROM pool, unnest(ARRAY['customer', 'login', 'external_id', 'loyalty', 'email', 'phone', 'handle',
                                                 'device', 'anonymous']) AS k (kind), unnest(spellings) AS s (value)
              JOIN identity_node n ON true
              WHERE n.pool = pool.id AND n.kind = k.kind AND n.value = s.value
              UNION
              SELECT n.* FROM identity_node n
              WHERE n.id IN (SELECT s::uuid FROM unnest(spellings) AS s
                             WHERE s ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')) AS n
        LEFT JOIN identity_node p ON p.id = n.person),
    people AS (SELECT id FROM identity_node WHERE profile IN (SELECT profile FROM found) AND person IS NULL)
    SELECT id FROM people
    UNION SELECT id FROM identity_node WHERE person IN (SELECT id FROM people)
$$;
