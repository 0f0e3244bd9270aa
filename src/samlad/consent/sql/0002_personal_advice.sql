-- Somebody of a store looks after a person: keeps in mind what they like and gets in touch. Said at the counter, so the
-- shop's word is enough; the person takes it back on the page of their preferences.
INSERT INTO consent_purpose (code, kind, category, is_always, least, days, names, position) VALUES
    ('personal_advice', 'purpose', NULL, false, 1, 730,
     '{"en": "Personal advice from my store", "sv": "Personlig rådgivning från min butik", "nl": "Persoonlijk advies van mijn winkel"}', 10);
