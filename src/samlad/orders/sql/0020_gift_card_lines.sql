-- A gift card that a till sold without network is a line of its own kind, not a fee; those that were sold before, too. Doctor
-- says of which the money book still thinks that they were fees (books-gift-cards).
ALTER TABLE order_line DROP CONSTRAINT order_line_kind_check;
ALTER TABLE order_line ADD CONSTRAINT order_line_kind_check
    CHECK (kind IN ('item', 'shipping', 'fee', 'discount', 'adjustment', 'gift_card'));
UPDATE order_line l SET kind = 'gift_card'
WHERE l.kind = 'fee' AND l.variant IS NULL AND l.tax_rate = 0 AND l.title LIKE 'Gift card ···· %'
  AND EXISTS (SELECT FROM gift_card_charge c JOIN gift_card g ON g.id = c.card
              WHERE c.order_id = l.order_id AND c.source = 'sold' AND c.amount = l.total
                AND l.title = 'Gift card ···· ' || g.last_four);
