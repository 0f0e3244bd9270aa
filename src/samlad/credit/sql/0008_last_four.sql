-- A gift card is found by the end of its code: nobody keeps the whole.
CREATE INDEX gift_card_last_four ON gift_card (last_four, created_at, id);
