-- The VAT number of a business that buys, compact and with its country; what is known of it is in tax_number_check.
ALTER TABLE cart ADD COLUMN vat_number text CHECK (vat_number <> '');
