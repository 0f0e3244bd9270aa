-- What payment providers keep and pay out, points of members at their fair value, and the rule that a line is taxed by.
ALTER TABLE book ADD COLUMN points_worth bigint NOT NULL DEFAULT 0 CHECK (points_worth >= 0);  -- of 1,000 points, minor units
ALTER TABLE voucher DROP CONSTRAINT voucher_kind_check;
ALTER TABLE voucher ADD CONSTRAINT voucher_kind_check CHECK (kind IN (
    'order', 'payment', 'refund', 'receipt', 'credit', 'stock', 'till', 'closing', 'reversal', 'settlement', 'points'));
