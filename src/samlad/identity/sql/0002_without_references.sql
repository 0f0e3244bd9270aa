-- Each new person was ten look-ups of references (a third of what they cost the database), and every one of them took a
-- share of the one row of their pool. These rows are written by one verb, in the transaction that writes what they point
-- to, and nothing they point to is ever deleted alone; `samlad doctor` counts what points nowhere.
ALTER TABLE identity_node DROP CONSTRAINT identity_node_pool_fkey;
ALTER TABLE identity_sighting_node DROP CONSTRAINT identity_sighting_node_node_fkey;
ALTER TABLE identity_sighting_node DROP CONSTRAINT identity_sighting_node_sighting_fkey;
