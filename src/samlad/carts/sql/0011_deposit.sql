-- The buyer chose to pay a deposit now and the rest before the goods leave, where the channel offers that.
ALTER TABLE cart ADD COLUMN pays_deposit boolean NOT NULL DEFAULT false;
