-- The day on which an order was called off as a whole, on its channel's calendar. Tax that was due for the day of the order is given
-- back with this one, as books and credit notes say. Null of what was cancelled before this was kept: that counts on no day.
ALTER TABLE orders ADD COLUMN cancelled_on date;
CREATE INDEX orders_cancelled_on ON orders (channel, cancelled_on) WHERE cancelled_on IS NOT NULL;
