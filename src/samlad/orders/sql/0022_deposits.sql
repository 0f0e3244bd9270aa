-- What was to be paid at once of an order whose rest is paid before its goods leave (minor units); null: no such thing was
-- agreed. Nothing of such an order leaves until all of it is paid.
ALTER TABLE orders ADD COLUMN deposit bigint CHECK (deposit > 0);
