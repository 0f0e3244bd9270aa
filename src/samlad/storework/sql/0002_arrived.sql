-- Which phones have booked in goods of a transfer or a purchase order.
CREATE INDEX store_work_arrived ON store_work (subject) WHERE kind IN ('arrival', 'delivery');
