-- A new person was six of these look-ups.
SELECT guard_pool_of_many(t) FROM unnest(ARRAY['customer', 'identity_node', 'identity_sighting']) AS t;
