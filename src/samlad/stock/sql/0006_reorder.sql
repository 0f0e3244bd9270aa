-- When and how much to buy again.

ALTER TABLE level
    ADD COLUMN reorder_point    int CHECK (reorder_point >= 0),    -- with so many left, expected ones counted, buy again
    ADD COLUMN reorder_quantity int CHECK (reorder_quantity > 0);  -- at least so many
CREATE INDEX level_reorder ON level (location, variant) WHERE reorder_point IS NOT NULL;
CREATE INDEX purchase_order_line_variant ON purchase_order_line (variant);

-- What is to be bought again, and what is on drafts already.
CREATE VIEW stock_reorder AS
    SELECT l.location, l.variant, l.id, l.on_hand, l.held, l.incoming, l.reorder_point, n.projected,
           least(greatest(coalesce(l.reorder_quantity, 1), l.reorder_point + 1 - n.projected), 1000000000)::int AS wanted,
           coalesce((SELECT sum(d.quantity) FROM purchase_order_line d JOIN purchase_order o ON o.id = d.purchase
                     WHERE d.variant = l.variant AND o.location = l.location AND o.status = 'draft'), 0)::bigint AS drafted
    FROM level l
    CROSS JOIN LATERAL (SELECT l.on_hand::bigint - l.held + l.incoming AS projected) n
    WHERE l.reorder_point IS NOT NULL AND n.projected <= l.reorder_point;
