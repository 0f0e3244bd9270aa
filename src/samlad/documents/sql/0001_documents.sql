-- Legal entities: who sells. Each pool of orders has a default one; a channel's setting `legal_entity` names another.
CREATE TABLE legal_entity (
    id                  uuid        PRIMARY KEY,
    pool                uuid        NOT NULL REFERENCES pool,     -- of orders
    code                text        NOT NULL,
    is_default          boolean     NOT NULL DEFAULT false,
    name                text        NOT NULL,
    trading_name        text        NOT NULL DEFAULT '',          -- the brand, if it is not the name
    line1               text        NOT NULL DEFAULT '',
    line2               text        NOT NULL DEFAULT '',
    postal_code         text        NOT NULL DEFAULT '',
    city                text        NOT NULL DEFAULT '',
    country             text        NOT NULL,
    registration_number text        NOT NULL DEFAULT '',
    vat_number          text        NOT NULL DEFAULT '',
    email               text        NOT NULL DEFAULT '',
    phone               text        NOT NULL DEFAULT '',
    website             text        NOT NULL DEFAULT '',
    iban                text        NOT NULL DEFAULT '',
    bic                 text        NOT NULL DEFAULT '',
    bank_account        text        NOT NULL DEFAULT '',          -- as it is written in the country: a bankgiro, say
    endpoint            text        NOT NULL DEFAULT '',          -- Peppol participant: scheme and identifier, 0007:…
    currency            text        NOT NULL,
    legal_text          text        NOT NULL DEFAULT '',          -- at the foot of each document
    logo                text        NOT NULL DEFAULT '',          -- a data: URL, PNG or JPEG
    invoice_prefix      text        NOT NULL DEFAULT '',          -- {yyyy} and {yy} are the fiscal year
    credit_prefix       text        NOT NULL DEFAULT 'C',
    number_digits       int         NOT NULL DEFAULT 6 CHECK (number_digits BETWEEN 1 AND 12),
    is_yearly           boolean     NOT NULL DEFAULT false,       -- numbers begin at 1 with each fiscal year
    year_begins         int         NOT NULL DEFAULT 1 CHECK (year_begins BETWEEN 1 AND 12),   -- month
    version             int         NOT NULL DEFAULT 1,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    UNIQUE (pool, code)
);
CREATE UNIQUE INDEX legal_entity_default ON legal_entity (pool) WHERE is_default;

-- How far each series has got. `year` 0: one that never begins again. docs/decisions/unbroken-numbers.md.
CREATE TABLE document_series (
    entity uuid   NOT NULL REFERENCES legal_entity,
    kind   text   NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    year   int    NOT NULL,
    last   bigint NOT NULL CHECK (last > 0),
    PRIMARY KEY (entity, kind, year)
);

-- Invoices and credit notes as they were issued. `payload` is all that is printed, byte for byte as it was hashed.
CREATE TABLE document (
    id         uuid        PRIMARY KEY,
    entity     uuid        NOT NULL REFERENCES legal_entity,
    kind       text        NOT NULL CHECK (kind IN ('invoice', 'credit_note')),
    year       int         NOT NULL,
    sequence   bigint      NOT NULL CHECK (sequence > 0),
    number     text        NOT NULL,
    order_id   uuid        NOT NULL REFERENCES orders,
    cause      text        NOT NULL,                  -- sale, return:<id>, cancelled:<n>, changed:<n>
    invoice    uuid        REFERENCES document,       -- what a credit note takes back
    channel    uuid        NOT NULL REFERENCES channel,
    customer   uuid,
    currency   text        NOT NULL,
    net        bigint      NOT NULL,
    tax        bigint      NOT NULL,
    rounding   bigint      NOT NULL,
    total      bigint      NOT NULL,
    rates      jsonb       NOT NULL,                  -- [{"category", "rate", "net", "tax"}]
    issued_at  timestamptz NOT NULL,
    issued_on  date        NOT NULL,                  -- the day where the channel is
    due_on     date,
    actor      text        NOT NULL,
    payload    text        NOT NULL,
    sha256     text        NOT NULL,
    UNIQUE (entity, kind, year, sequence),
    UNIQUE (entity, kind, number),
    UNIQUE (order_id, cause),
    CHECK (net + tax + rounding = total),
    CHECK (sha256 = encode(sha256(convert_to(payload, 'UTF8')), 'hex')),
    CHECK ((kind = 'credit_note') = (invoice IS NOT NULL))
);
CREATE INDEX document_issued ON document (issued_at, id);
CREATE INDEX document_entity ON document (entity, issued_on, id);
CREATE INDEX document_invoice ON document (invoice) WHERE invoice IS NOT NULL;

-- What was issued is never changed and never goes.
CREATE FUNCTION document_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'documents are final: issue a credit note instead' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER document_is_final BEFORE UPDATE OR DELETE OR TRUNCATE ON document
    FOR EACH STATEMENT EXECUTE FUNCTION document_is_final();

-- Returns that an invoice has in it already, because they came before it.
CREATE TABLE document_return (
    return_id uuid PRIMARY KEY REFERENCES orders,
    document  uuid NOT NULL REFERENCES document
);

-- How often a receipt was printed: the second is a copy.
CREATE TABLE receipt_print (
    order_id   uuid        PRIMARY KEY REFERENCES orders,
    copies     int         NOT NULL DEFAULT 0,
    printed_at timestamptz NOT NULL DEFAULT now()
);
