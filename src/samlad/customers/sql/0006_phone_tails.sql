-- A phone number is asked for as people write it: with the country's number or the 0 before it, with spaces or without.
-- What all of them share is how it ends, so digits are kept from the last to the first.
CREATE INDEX customer_phone_tail ON customer (reverse(regexp_replace(phone, '[^0-9]', '', 'g')) text_pattern_ops)
    WHERE phone IS NOT NULL;
