-- A mail of which our mail server does not say that it is from whom it says.
ALTER TABLE inbound_mail DROP CONSTRAINT inbound_mail_reason_check, ADD CONSTRAINT inbound_mail_reason_check
    CHECK (reason IN ('no-thread', 'forged', 'two-threads', 'other-sender', 'other-customer', 'erased', 'unproved'));
