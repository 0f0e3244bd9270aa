-- What the buyer wrote for the shop, and the promise of the chosen method as they were shown it (delivery.Promised).
ALTER TABLE cart ADD COLUMN note text, ADD COLUMN promise jsonb;
