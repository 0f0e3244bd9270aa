-- The method that the buyer chose; null: the channel has none, or had none when the delivery was chosen.
ALTER TABLE cart ADD COLUMN delivery_method uuid REFERENCES delivery_method;
