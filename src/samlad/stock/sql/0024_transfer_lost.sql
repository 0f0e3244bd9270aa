-- Units of a transfer that are lost on the way arrive nowhere: they are written off at the destination, in one step with
-- their coming there, so that ledger and money book have them, and are not expected any more.
ALTER TABLE movement
    DROP CONSTRAINT movement_cause_check,
    ADD CONSTRAINT movement_cause_check CHECK (cause IN ('receipt', 'sale', 'return', 'count', 'damage',
        'transfer_out', 'transfer_in', 'correction', 'revaluation', 'supplier_return', 'loss'));
ALTER TABLE stock_transfer
    DROP CONSTRAINT stock_transfer_status_check,
    ADD CONSTRAINT stock_transfer_status_check CHECK (status IN ('in_transit', 'received', 'cancelled', 'lost'));
ALTER TABLE stock_transfer_line
    ADD COLUMN lost    int    NOT NULL DEFAULT 0 CHECK (lost >= 0),
    ADD COLUMN lost_e4 bigint NOT NULL DEFAULT 0 CHECK (lost_e4 >= 0),  -- what they were worth
    ADD CONSTRAINT stock_transfer_line_adds_up CHECK (received + lost <= quantity);

CREATE OR REPLACE VIEW stock_incoming AS
    SELECT o.id AS purchase, NULL::uuid AS transfer, o.location, l.variant, l.quantity - l.received AS units, l.expected_on
    FROM purchase_order_line l JOIN purchase_order o ON o.id = l.purchase
    WHERE l.received < l.quantity AND o.status IN ('ordered', 'partially_received')
    UNION ALL
    SELECT NULL, t.id, t.destination, l.variant, l.quantity - l.received - l.lost, t.expected_on
    FROM stock_transfer_line l JOIN stock_transfer t ON t.id = l.transfer
    WHERE l.received + l.lost < l.quantity AND t.status = 'in_transit' AND t.expected_on IS NOT NULL;
