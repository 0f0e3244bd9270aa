-- The money book: vouchers whose lines come to zero, one for each fact of the log that moves money or its meaning.
-- Amounts are minor units; debit is positive, credit negative. docs/concepts/books.md.
-- Order of locking everywhere: book, then till, till_shift, then book_series.

-- A book belongs to a pool of orders: channels in one pool are one legal entity. It is made at its first fact.
CREATE TABLE book (
    id           uuid     PRIMARY KEY REFERENCES pool,
    name         text     NOT NULL,
    org_number   text     NOT NULL DEFAULT '',
    country      text     NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    currency     text     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    time_zone    text     NOT NULL,
    fiscal_month smallint NOT NULL DEFAULT 1 CHECK (fiscal_month BETWEEN 1 AND 12),  -- the first month of its years
    recognition  text     NOT NULL DEFAULT 'paid' CHECK (recognition IN ('paid', 'handed_over')),
    posts_imports boolean NOT NULL DEFAULT false,
    version      int      NOT NULL DEFAULT 1
);

-- Which account a purpose has from a day on. Where there is none the default chart of the country holds.
CREATE TABLE book_account (
    book       uuid        NOT NULL REFERENCES book,
    purpose    text        NOT NULL,
    valid_from date        NOT NULL,
    number     text        NOT NULL CHECK (number ~ '^[0-9]{3,8}$'),
    name       text        NOT NULL,
    actor      text        NOT NULL,
    set_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (book, purpose, valid_from)
);

-- The last number of each series and fiscal year. A row, not a sequence: what rolls back leaves no gap.
CREATE TABLE book_series (
    book   uuid NOT NULL REFERENCES book,
    series text NOT NULL CHECK (series ~ '^[A-Z]$'),
    year   date NOT NULL,                              -- its first day
    last   int  NOT NULL DEFAULT 0,
    PRIMARY KEY (book, series, year)
) WITH (fillfactor = 50);

CREATE TABLE voucher (
    id         uuid        PRIMARY KEY,
    book       uuid        NOT NULL REFERENCES book,
    series     text        NOT NULL,
    year       date        NOT NULL,
    number     int         NOT NULL CHECK (number > 0),
    day        date        NOT NULL,                   -- on which it is booked
    fact_day   date        NOT NULL,                   -- on which it happened; earlier where that day was closed
    place      uuid        NOT NULL,                   -- the location or channel whose day it belongs to
    text       text        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('order', 'payment', 'refund', 'receipt', 'credit', 'stock', 'till',
                                                    'closing', 'reversal')),
    cause      text        NOT NULL UNIQUE,            -- what it is booked for; booked once
    event      uuid,                                   -- of the log
    subject    uuid        NOT NULL,                   -- the order, payment, refund, movement's event … that it is about
    order_id   uuid,
    reverses   uuid        UNIQUE REFERENCES voucher,
    actor      text        NOT NULL,
    posted_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (book, series, year, number)
);
CREATE INDEX voucher_subject ON voucher (subject);
CREATE INDEX voucher_order ON voucher (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX voucher_day ON voucher (book, day, id);
CREATE INDEX voucher_place ON voucher (place, day);

CREATE TABLE voucher_line (
    voucher  uuid     NOT NULL REFERENCES voucher,
    position smallint NOT NULL CHECK (position > 0),
    purpose  text     NOT NULL,
    account  text     NOT NULL,
    amount   bigint   NOT NULL CHECK (amount <> 0),
    currency text     NOT NULL,
    channel  uuid,
    location uuid,
    tender   text,
    tax_rate int,                                      -- basis points
    PRIMARY KEY (voucher, position)
);
CREATE INDEX voucher_line_account ON voucher_line (account, voucher);
COMMENT ON TABLE voucher_line IS 'The money book. Append-only; a correction is a voucher that reverses another';

-- The lines of a voucher are written whole, in one statement, and come to zero in each currency.
CREATE FUNCTION voucher_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh GROUP BY voucher, currency HAVING sum(amount) <> 0) THEN
        RAISE EXCEPTION 'the lines of a voucher must come to zero' USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT count(*) FROM fresh) <> (SELECT count(*) FROM voucher_line
                                        WHERE voucher IN (SELECT voucher FROM fresh)) THEN
        RAISE EXCEPTION 'a voucher is written once and whole' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER voucher_is_balanced AFTER INSERT ON voucher_line REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION voucher_is_balanced();

CREATE FUNCTION voucher_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the money book is append-only: reverse the voucher' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER voucher_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON voucher
    FOR EACH STATEMENT EXECUTE FUNCTION voucher_is_append_only();
CREATE TRIGGER voucher_line_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON voucher_line
    FOR EACH STATEMENT EXECUTE FUNCTION voucher_is_append_only();

-- A day that a location (or a channel without one) has closed. Reopened rows stay for the record.
CREATE TABLE day_closing (
    id          uuid        PRIMARY KEY,
    book        uuid        NOT NULL REFERENCES book,
    place       uuid        NOT NULL,
    place_kind  text        NOT NULL CHECK (place_kind IN ('location', 'channel')),
    day         date        NOT NULL,
    status      text        NOT NULL DEFAULT 'closed' CHECK (status IN ('closed', 'reopened')),
    report      jsonb       NOT NULL,
    note        text        NOT NULL DEFAULT '',
    closed_by   text        NOT NULL,
    closed_at   timestamptz NOT NULL DEFAULT now(),
    reopened_by text,
    reopened_at timestamptz,
    reason      text,
    CHECK ((status = 'reopened') = (reopened_at IS NOT NULL))
);
CREATE UNIQUE INDEX day_closing_once ON day_closing (place, day) WHERE status = 'closed';
CREATE INDEX day_closing_days ON day_closing (day, id);

-- The first day from this one on that a place has not closed.
CREATE FUNCTION book_open_day(of_place uuid, wanted date) RETURNS date LANGUAGE plpgsql STABLE AS $$
BEGIN
    WHILE EXISTS (SELECT FROM day_closing WHERE place = of_place AND day = wanted AND status = 'closed') LOOP
        wanted := wanted + 1;
    END LOOP;
    RETURN wanted;
END $$;

-- Write a voucher; its number, or null if its cause was booked before.
CREATE FUNCTION book_post(new_id uuid, of_book uuid, in_series text, on_day date, happened date, at_place uuid,
                          with_text text, of_kind text, with_cause text, of_event uuid, about uuid, of_order uuid,
                          taking_back uuid, by_actor text, purposes text[], accounts text[], amounts bigint[],
                          currencies text[], channels uuid[], locations uuid[], tenders text[], rates int[])
    RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    first_month int;
    in_year     date;
    next_number int;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(with_cause, 29));  -- the same cause at once waits here
    PERFORM 1 FROM voucher WHERE cause = with_cause;
    IF FOUND THEN RETURN NULL; END IF;
    SELECT fiscal_month INTO first_month FROM book WHERE id = of_book;
    in_year := make_date(extract(year FROM on_day)::int - (extract(month FROM on_day) < first_month)::int, first_month, 1);
    INSERT INTO book_series AS s (book, series, year, last) VALUES (of_book, in_series, in_year, 1)
    ON CONFLICT (book, series, year) DO UPDATE SET last = s.last + 1 RETURNING last INTO next_number;
    INSERT INTO voucher (id, book, series, year, number, day, fact_day, place, text, kind, cause, event, subject,
                         order_id, reverses, actor)
    VALUES (new_id, of_book, in_series, in_year, next_number, on_day, happened, at_place, with_text, of_kind, with_cause,
            of_event, about, of_order, taking_back, by_actor);
    INSERT INTO voucher_line (voucher, position, purpose, account, amount, currency, channel, location, tender, tax_rate)
    SELECT new_id, place, purpose, account, amount, currency, channel, location, tender, tax_rate
    FROM unnest(purposes, accounts, amounts, currencies, channels, locations, tenders, rates) WITH ORDINALITY
         AS t (purpose, account, amount, currency, channel, location, tender, tax_rate, place);
    RETURN next_number;
END $$;

-- Tills: a drawer of cash at a location. A shift is the time between opening and closing it.
CREATE TABLE till (
    id       uuid PRIMARY KEY,
    location uuid NOT NULL REFERENCES location,
    name     text NOT NULL,
    last_z   int  NOT NULL DEFAULT 0,                  -- number of its last Z report, without gaps
    left_in  bigint NOT NULL DEFAULT 0 CHECK (left_in >= 0),  -- minor units that the last shift left in the drawer
    UNIQUE (location, name)
);

CREATE TABLE till_shift (
    id          uuid        PRIMARY KEY,
    till        uuid        NOT NULL REFERENCES till,
    book        uuid        NOT NULL REFERENCES book,
    currency    text        NOT NULL,
    number      int,                                   -- of its Z report
    float       bigint      NOT NULL CHECK (float >= 0),   -- what was in the drawer when it was opened
    counted     bigint      CHECK (counted >= 0),
    counts      jsonb,                                 -- pieces by denomination
    expected    bigint,
    taken       bigint      NOT NULL DEFAULT 0 CHECK (taken >= 0 AND taken <= coalesce(counted, 0)),  -- out at the close
    report      jsonb,
    note        text        NOT NULL DEFAULT '',
    opened_by   text        NOT NULL,
    opened_name text        NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    closed_by   text,
    closed_name text,
    closed_at   timestamptz,
    version     int         NOT NULL DEFAULT 1,
    UNIQUE (till, number),
    CHECK ((closed_at IS NULL) = (number IS NULL) AND (closed_at IS NULL) = (counted IS NULL))
);
CREATE UNIQUE INDEX till_shift_open ON till_shift (till) WHERE closed_at IS NULL;
CREATE INDEX till_shift_opened ON till_shift (opened_at, id);

-- Who works at a drawer: whose sales are in its shift where a location has several drawers.
CREATE TABLE till_clerk (
    shift     uuid        NOT NULL REFERENCES till_shift,
    actor     text        NOT NULL,
    name      text        NOT NULL,
    joined_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shift, actor)
);

-- Cash that was put in or taken out for another reason than a sale. Append-only.
CREATE TABLE till_movement (
    id     uuid        PRIMARY KEY,                    -- the caller's key
    shift  uuid        NOT NULL REFERENCES till_shift,
    reason text        NOT NULL CHECK (reason IN ('change', 'petty_cash', 'bank_deposit', 'correction')),
    amount bigint      NOT NULL CHECK (amount <> 0),   -- what it adds to the drawer
    note   text        NOT NULL DEFAULT '',
    actor  text        NOT NULL,
    name   text        NOT NULL,
    at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX till_movement_shift ON till_movement (shift, at);

-- Payments and refunds at a location, from the log, each once. Without a shift they belong to the next that closes.
CREATE TABLE till_payment (
    event    uuid        PRIMARY KEY,
    location uuid        NOT NULL REFERENCES location,
    shift    uuid        REFERENCES till_shift,
    order_id uuid        NOT NULL,
    tender   text        NOT NULL,
    amount   bigint      NOT NULL,                     -- below zero: given back
    currency text        NOT NULL,
    actor    text        NOT NULL,
    at       timestamptz NOT NULL
);
CREATE INDEX till_payment_open ON till_payment (location, currency) WHERE shift IS NULL;
CREATE INDEX till_payment_shift ON till_payment (shift) WHERE shift IS NOT NULL;
