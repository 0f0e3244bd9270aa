-- Goods came back with a receipt that a till had signed and not sent yet: they are booked when its sale comes.
CREATE INDEX till_sale_waits ON till_sale ((body ->> 'receipt')) WHERE state = 'kept' AND kind = 'return';
