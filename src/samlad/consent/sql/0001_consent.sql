-- What people may be asked for. `always`: needs no consent (strictly necessary). A purpose that falls under a cookie
-- category is also answered by an answer to the category.
CREATE TABLE consent_purpose (
    code       text        PRIMARY KEY CHECK (code ~ '^[a-z][a-z0-9_]{0,49}$'),
    kind       text        NOT NULL CHECK (kind IN ('purpose', 'category')),
    category   text        REFERENCES consent_purpose,
    is_always  boolean     NOT NULL DEFAULT false,
    least      smallint    NOT NULL CHECK (least BETWEEN 0 AND 2),  -- who must have said a grant; 2: double opt-in
    days       int         CHECK (days BETWEEN 1 AND 3650),         -- how long a grant holds; null: until withdrawn
    names      jsonb       NOT NULL,                                -- by language
    position   int         NOT NULL,
    version    int         NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO consent_purpose (code, kind, category, is_always, least, days, names, position) VALUES
    ('necessary',   'category', NULL, true,  0, NULL, '{"en": "Strictly necessary", "sv": "Absolut nödvändiga", "nl": "Strikt noodzakelijk"}', 1),
    ('functional',  'category', NULL, false, 0, 365, '{"en": "Functional", "sv": "Funktion", "nl": "Functioneel"}', 2),
    ('performance', 'category', NULL, false, 0, 365, '{"en": "Statistics", "sv": "Statistik", "nl": "Statistieken"}', 3),
    ('targeting',   'category', NULL, false, 0, 365, '{"en": "Advertising", "sv": "Annonsering", "nl": "Advertenties"}', 4);
INSERT INTO consent_purpose (code, kind, category, is_always, least, days, names, position) VALUES
    ('email_marketing', 'purpose', NULL,          false, 1, NULL, '{"en": "News by e-mail", "sv": "Nyheter per e-post", "nl": "Nieuws per e-mail"}', 5),
    ('sms_marketing',   'purpose', NULL,          false, 1, NULL, '{"en": "News by text message", "sv": "Nyheter per sms", "nl": "Nieuws per sms"}', 6),
    ('personalisation', 'purpose', 'functional',  false, 0, NULL, '{"en": "Offers that suit me", "sv": "Erbjudanden som passar mig", "nl": "Aanbiedingen die bij mij passen"}', 7),
    ('analytics',       'purpose', 'performance', false, 0, NULL, '{"en": "Analysis of how the shop is used", "sv": "Analys av hur butiken används", "nl": "Analyse van het gebruik van de winkel"}', 8),
    ('ads',             'purpose', 'targeting',   false, 0, NULL, '{"en": "Advertising elsewhere", "sv": "Annonser på andra ställen", "nl": "Advertenties elders"}', 9);

-- What is shown to whoever is asked. Never changed: another wording is another version.
CREATE TABLE consent_text (
    id         uuid        PRIMARY KEY,
    purpose    text        NOT NULL REFERENCES consent_purpose,
    version    int         NOT NULL CHECK (version > 0),
    language   text        NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    text       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (purpose, version, language)
);
CREATE INDEX consent_text_created ON consent_text (created_at, id);

-- The ledger: what was answered. `node` is an id of identity and goes where that identifier goes.
CREATE TABLE consent_entry (
    id          uuid        PRIMARY KEY,
    node        uuid        NOT NULL,
    purpose     text        NOT NULL REFERENCES consent_purpose,
    scope       uuid        REFERENCES channel,      -- the one channel that it is for; null: all
    answer      text        NOT NULL CHECK (answer IN ('granted', 'denied')),
    level       smallint    NOT NULL CHECK (level BETWEEN 0 AND 2),  -- claimed, authenticated, verified
    text        uuid        REFERENCES consent_text, -- what was shown
    answered_at timestamptz NOT NULL,
    until       timestamptz,
    channel     uuid        REFERENCES channel,      -- where it was answered
    source      text        NOT NULL,                -- by which means: banner, preferences, staff, a source's id
    event_id    text        NOT NULL,                -- with source, node, purpose and scope: tells it once
    evidence    jsonb,                               -- what came with it: a TCF string, a stamp
    actor       text        NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (source, event_id, node, purpose, scope)
);
CREATE INDEX consent_entry_node ON consent_entry (node, purpose);
CREATE INDEX consent_entry_recorded ON consent_entry (recorded_at, id);

CREATE FUNCTION consent_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Erasing a person leaves that somebody answered, and takes away what came with the answer.
    IF TG_OP = 'UPDATE' AND NEW.evidence IS NULL
       AND (NEW.id, NEW.node, NEW.purpose, NEW.scope, NEW.answer, NEW.level, NEW.text, NEW.answered_at, NEW.until)
           IS NOT DISTINCT FROM
           (OLD.id, OLD.node, OLD.purpose, OLD.scope, OLD.answer, OLD.level, OLD.text, OLD.answered_at, OLD.until) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the ledger of consent is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER consent_entry_stays BEFORE UPDATE OR DELETE ON consent_entry
    FOR EACH ROW EXECUTE FUNCTION consent_entry_is_append_only();
