-- What of a product's units is kept apart, and for how long before their date they are still sold.

ALTER TABLE product
    ADD COLUMN tracking      text NOT NULL DEFAULT 'none' CHECK (tracking IN ('none', 'lot', 'expiry', 'serial')),
    ADD COLUMN min_days_left int  NOT NULL DEFAULT 0 CHECK (min_days_left BETWEEN 0 AND 3650);  -- days before the date
