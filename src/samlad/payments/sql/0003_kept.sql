-- Ways to pay that a customer lets the provider keep: the card's number is there, here is what it is called there, and what
-- its owner tells cards apart by.
CREATE TABLE payment_customer (
    provider  text NOT NULL,
    customer  uuid NOT NULL REFERENCES customer,
    reference text NOT NULL,              -- the provider's own id of the customer
    PRIMARY KEY (provider, customer)
);
CREATE TABLE payment_kept (
    id          uuid        PRIMARY KEY,
    provider    text        NOT NULL,
    customer    uuid        NOT NULL REFERENCES customer,
    reference   text        NOT NULL,     -- the provider's own id of the card
    brand       text        NOT NULL,
    last_four   text        NOT NULL CHECK (last_four ~ '^[0-9]{0,4}$'),
    expires_on  date,                     -- the last day of its last month
    created_at  timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,              -- by its owner: it cannot pay from then on
    detached_at timestamptz,              -- and the provider has forgotten it
    UNIQUE (provider, reference)
);
CREATE INDEX payment_kept_customer ON payment_kept (customer) WHERE removed_at IS NULL;
CREATE INDEX payment_kept_removed ON payment_kept (removed_at) WHERE removed_at IS NOT NULL AND detached_at IS NULL;

ALTER TABLE payment
    ADD COLUMN customer uuid REFERENCES customer,         -- who pays, where the provider is to keep the card or has it
    ADD COLUMN keeps    boolean NOT NULL DEFAULT false;   -- they want the card kept
