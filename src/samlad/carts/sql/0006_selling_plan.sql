-- The selling plan by which a line is bought again and again; plans stand above carts, so this is only its name.
ALTER TABLE cart_line ADD COLUMN plan uuid;
