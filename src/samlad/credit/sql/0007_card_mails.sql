-- A gift card that goes to somebody by mail on a day. Its code is made when the mail is written: until then nobody has one.
CREATE TABLE gift_card_mail (
    card       uuid        PRIMARY KEY REFERENCES gift_card ON DELETE CASCADE,
    order_id   uuid,                                  -- the one that it was sold with
    recipient  text        NOT NULL,                  -- an e-mail address; empty once it was erased
    name       text        NOT NULL DEFAULT '',       -- whose address that is
    giver      text        NOT NULL DEFAULT '',       -- who gives it, as the mail says
    message    text        NOT NULL DEFAULT '',
    send_on    date        NOT NULL,                  -- the day, where the channel is
    send_at    timestamptz NOT NULL,                  -- not before this moment of it
    sent_at    timestamptz,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX gift_card_mail_due ON gift_card_mail (send_at) WHERE sent_at IS NULL;
CREATE INDEX gift_card_mail_order ON gift_card_mail (order_id) WHERE order_id IS NOT NULL;
