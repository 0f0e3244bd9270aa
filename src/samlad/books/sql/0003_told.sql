-- What tills tell afterwards: sales and drawers of a time without network land in the shift in which they were made.

-- In which drawer the money of a payment or refund is, by whom and when, as the till said. Written with the payment itself.
CREATE TABLE till_told (
    subject uuid        PRIMARY KEY,                   -- the payment or the refund
    shift   uuid,                                      -- the shift that the till named; it may never have come here
    actor   text        NOT NULL,
    at      timestamptz NOT NULL
);

ALTER TABLE till_payment ADD COLUMN is_told boolean NOT NULL DEFAULT false, ADD COLUMN told_shift uuid;

-- What came after the Z report. The first report stays as it was printed.
ALTER TABLE till_shift ADD COLUMN late int NOT NULL DEFAULT 0, ADD COLUMN first_report jsonb;

-- To which shift, open or closed, belongs what a till told: the one that it named, else that of the clerk at that moment,
-- else the only one that there was. NULL: none of them.
CREATE FUNCTION till_shift_told(place uuid, unit text, named uuid, who text, moment timestamptz) RETURNS uuid
LANGUAGE sql STABLE AS $$
    SELECT found.id FROM (
        SELECT s.id, s.id = named AS is_named, s.opened_at,
               EXISTS (SELECT FROM till_clerk c WHERE c.shift = s.id AND c.actor = who) AS is_theirs,
               count(*) OVER () AS there
        FROM till_shift s JOIN till t ON t.id = s.till
        WHERE t.location = place AND s.currency = unit
              AND (s.id = named OR (s.opened_at <= moment AND (s.closed_at IS NULL OR moment < s.closed_at)))
    ) found
    WHERE found.is_named OR found.is_theirs OR found.there = 1
    ORDER BY found.is_named DESC NULLS LAST, found.is_theirs DESC, found.opened_at DESC LIMIT 1
$$;
