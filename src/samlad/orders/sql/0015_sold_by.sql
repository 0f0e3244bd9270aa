-- What a line's quantity counts, as it was when it was bought: unit_price is for a piece, or for 1,000 grams, millimetres, millilitres.
ALTER TABLE order_line ADD COLUMN sold_by text NOT NULL DEFAULT 'piece'
    CHECK (sold_by IN ('piece', 'weight', 'length', 'volume'));
