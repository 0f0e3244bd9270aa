-- When a till last said that it signs with its key: at each load of its page, and once a day.
ALTER TABLE till_key ADD COLUMN used_at timestamptz;
UPDATE till_key k SET used_at = least(coalesce(k.replaced_at, k.revoked_at, d.seen_at), d.seen_at) FROM till_device d WHERE d.id = k.till;
UPDATE till_key SET used_at = created_at WHERE used_at IS NULL OR used_at < created_at;
ALTER TABLE till_key ALTER COLUMN used_at SET NOT NULL;
