-- Tips are a debt to the staff: booked beside the order that they came with, and paid out of a drawer.
ALTER TABLE voucher DROP CONSTRAINT voucher_kind_check;
ALTER TABLE voucher ADD CONSTRAINT voucher_kind_check CHECK (kind IN (
    'order', 'payment', 'refund', 'receipt', 'credit', 'stock', 'till', 'closing', 'reversal', 'settlement', 'points',
    'supplier_return', 'tip'));
ALTER TABLE till_movement DROP CONSTRAINT till_movement_reason_check;
ALTER TABLE till_movement ADD CONSTRAINT till_movement_reason_check CHECK (reason IN (
    'change', 'petty_cash', 'bank_deposit', 'correction', 'refund', 'tips'));
