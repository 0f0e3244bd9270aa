-- Which lots, or pieces by their serial number, the clerk at a till has in hand. See ChosenLot in carts/lot_model.py.
ALTER TABLE cart ADD COLUMN lots jsonb NOT NULL DEFAULT '[]';
