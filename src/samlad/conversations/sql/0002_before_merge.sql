-- How a conversation and the one that it goes on in were before, so that taking them apart is as if nothing had been.
ALTER TABLE conversation ADD COLUMN before_merge jsonb;
