-- Where somebody took the money, if that is not the order's own place: the rest of an order is paid at any till.
ALTER TABLE payment ADD COLUMN location uuid;
