-- What its buyer was last shown of promotions: each with what it takes off, the steps of lines and shipping, and what
-- has ended since. In a checkout it stands; otherwise what is different is said.
ALTER TABLE cart ADD COLUMN agreed jsonb;
