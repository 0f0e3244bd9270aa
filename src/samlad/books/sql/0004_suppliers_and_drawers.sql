-- Goods that go back to suppliers, and what those credit.
ALTER TABLE voucher DROP CONSTRAINT voucher_kind_check;
ALTER TABLE voucher ADD CONSTRAINT voucher_kind_check CHECK (kind IN (
    'order', 'payment', 'refund', 'receipt', 'credit', 'stock', 'till', 'closing', 'reversal', 'settlement', 'points',
    'supplier_return'));

-- What goes back of an order of another system may be paid out of a drawer; the movement's id is the refund's.
ALTER TABLE till_movement DROP CONSTRAINT till_movement_reason_check;
ALTER TABLE till_movement ADD CONSTRAINT till_movement_reason_check CHECK (reason IN (
    'change', 'petty_cash', 'bank_deposit', 'correction', 'refund'));
