-- Whether of a variant (of a set: of one of its parts) nothing can be had, in the pool or at one location: an early look that
-- locks nothing. What keeps units back is left to `stock_plan`; a hold that has expired or is nobody's makes room.
CREATE FUNCTION stock_is_gone(of_variant uuid, in_pool uuid, at_location uuid) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM (SELECT b.component AS variant FROM bundle_component b WHERE b.bundle = of_variant
                     UNION ALL
                     SELECT of_variant WHERE NOT EXISTS (SELECT FROM bundle_component b WHERE b.bundle = of_variant)) w
        WHERE NOT EXISTS (
            SELECT FROM level l JOIN location p ON p.id = l.location AND p.pool = in_pool AND p.is_active
            WHERE l.variant = w.variant AND (at_location IS NULL OR l.location = at_location)
              AND (l.on_hand - l.expired - l.expiring - l.blocked
                       + stock_later(l.backorder_limit, l.incoming, l.sells_incoming) > l.held
                   OR EXISTS (SELECT FROM hold h
                              WHERE h.location = l.location AND h.variant = l.variant AND h.expires_at IS NOT NULL
                                AND (h.expires_at <= now()
                                     OR EXISTS (SELECT FROM hold_claim c
                                                WHERE c.owner = h.owner
                                                  AND coalesce(pg_xact_status(c.claimant), 'aborted') = 'aborted')))))
    )
$$;
