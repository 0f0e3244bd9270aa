-- What people who bought a product say of it. The words go with the person; the stars stay.
CREATE TABLE review (
    id         uuid        PRIMARY KEY,
    product    uuid        NOT NULL REFERENCES product ON DELETE CASCADE,
    variant    uuid        NOT NULL,               -- what was bought, and its options as they were then
    options    text        NOT NULL DEFAULT '',
    order_id   uuid        NOT NULL REFERENCES orders,
    channel    uuid        NOT NULL REFERENCES channel,
    customer   uuid        REFERENCES customer,
    language   text        NOT NULL CHECK (language ~ '^[a-z]{2}$'),
    stars      smallint    NOT NULL CHECK (stars BETWEEN 1 AND 5),
    title      text        NOT NULL DEFAULT '',
    text       text        NOT NULL DEFAULT '',
    author     text        NOT NULL DEFAULT '',    -- the name that is shown
    status     text        NOT NULL CHECK (status IN ('waiting', 'approved', 'refused', 'withdrawn')),
    reason     text        NOT NULL DEFAULT '',    -- why it was refused, for the writer
    reply      text,
    replied_at timestamptz,
    helpful    int         NOT NULL DEFAULT 0 CHECK (helpful >= 0),
    reports    int         NOT NULL DEFAULT 0 CHECK (reports >= 0),   -- since somebody decided last
    written_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    version    int         NOT NULL DEFAULT 1,
    UNIQUE (product, order_id)
) WITH (fillfactor = 85);
CREATE INDEX review_shown ON review (product, written_at, id) WHERE status = 'approved';
CREATE INDEX review_helpful ON review (product, helpful, id) WHERE status = 'approved';
CREATE INDEX review_queue ON review (written_at, id) WHERE status = 'waiting';
CREATE INDEX review_reported ON review (reports, id) WHERE reports > 0;
CREATE INDEX review_customer ON review (customer) WHERE customer IS NOT NULL;
CREATE INDEX review_order ON review (order_id);

-- Who found a review helpful: a customer, or a browser by its random id. Once each.
CREATE TABLE review_vote (
    review   uuid        NOT NULL REFERENCES review ON DELETE CASCADE,
    voter    uuid        NOT NULL,
    voted_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (review, voter)
);
CREATE INDEX review_vote_voter ON review_vote (voter);

CREATE TABLE review_report (
    review      uuid        NOT NULL REFERENCES review ON DELETE CASCADE,
    voter       uuid        NOT NULL,
    reason      text        NOT NULL DEFAULT '',
    reported_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (review, voter)
);
CREATE INDEX review_report_voter ON review_report (voter);

-- Approved reviews of a product by stars. Changed in the transaction that changes a review, by what it changed.
CREATE TABLE review_total (
    product uuid PRIMARY KEY REFERENCES product ON DELETE CASCADE,
    ones    int NOT NULL DEFAULT 0 CHECK (ones >= 0),
    twos    int NOT NULL DEFAULT 0 CHECK (twos >= 0),
    threes  int NOT NULL DEFAULT 0 CHECK (threes >= 0),
    fours   int NOT NULL DEFAULT 0 CHECK (fours >= 0),
    fives   int NOT NULL DEFAULT 0 CHECK (fives >= 0)
) WITH (fillfactor = 85);

-- Where totals are not what the reviews add up to: always empty, and `samlad doctor` looks.
CREATE VIEW review_total_difference AS
    WITH truth AS (
        SELECT product, array_agg(n ORDER BY stars) AS counts FROM (
            SELECT p.product, s.stars, count(r.id)::int AS n
            FROM (SELECT product FROM review UNION SELECT product FROM review_total) AS p
            CROSS JOIN generate_series(1, 5) AS s (stars)
            LEFT JOIN review r ON r.product = p.product AND r.stars = s.stars AND r.status = 'approved'
            GROUP BY p.product, s.stars) AS counted
        GROUP BY product
    )
    SELECT truth.product, truth.counts AS truth,
           ARRAY[coalesce(t.ones, 0), coalesce(t.twos, 0), coalesce(t.threes, 0), coalesce(t.fours, 0),
                 coalesce(t.fives, 0)] AS kept
    FROM truth LEFT JOIN review_total t USING (product)
    LEFT JOIN product_search s USING (product)
    WHERE truth.counts <> ARRAY[coalesce(t.ones, 0), coalesce(t.twos, 0), coalesce(t.threes, 0), coalesce(t.fours, 0),
                                coalesce(t.fives, 0)]
       OR (s.product IS NOT NULL AND s.ratings <> (SELECT sum(n) FROM unnest(truth.counts) AS n));
