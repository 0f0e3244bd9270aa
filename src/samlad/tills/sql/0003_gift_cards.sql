-- Gift cards that were looked up in a store: its tills may take them without network, up to the store's limit.
CREATE TABLE till_card_seen (
    card     uuid        NOT NULL REFERENCES gift_card ON DELETE CASCADE,
    location uuid        NOT NULL REFERENCES location,
    seen_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (card, location)
);
CREATE INDEX till_card_seen_location ON till_card_seen (location, seen_at);
