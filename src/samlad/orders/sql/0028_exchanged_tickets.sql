-- The ticket of a till that is sold together with a return, while the terminal waits for a card: it is not sold without the return.
CREATE INDEX exchange_to_pay_ticket ON exchange_to_pay ((input ->> 'cart')) WHERE state = 'open' AND input ->> 'cart' IS NOT NULL;
