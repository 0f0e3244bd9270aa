-- What a quantity of a variant counts: pieces, or grams, millimetres, millilitres; its price is for a piece, or for 1,000 of them.
ALTER TABLE variant ADD COLUMN sold_by text NOT NULL DEFAULT 'piece'
    CHECK (sold_by IN ('piece', 'weight', 'length', 'volume'));
