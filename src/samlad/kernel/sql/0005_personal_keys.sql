-- Free text about somebody is sealed with a key of that customer's or that order's own; the key is sealed by the vault.
-- Destroying the row makes every copy of the text noise: on the disk, in old row versions, in backups that are kept apart from this table.
CREATE TABLE personal_key (
    owner   uuid        PRIMARY KEY,     -- a customer, or an order: what stays the same through merges and splits
    sealed  bytea       NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now()
);
