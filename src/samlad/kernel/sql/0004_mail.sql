-- Mails on their way out. A row is there until the mail server has taken it; what it says is sealed by the vault.
CREATE TABLE mail_outbox (
    id         uuid        PRIMARY KEY,
    recipient  text        NOT NULL,
    sealed     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX mail_outbox_recipient ON mail_outbox (lower(recipient));
