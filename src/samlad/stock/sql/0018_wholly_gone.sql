-- As `stock_is_gone`, whatever becomes of what is under way: a hold that was taken together with others and that its
-- transaction has not made its own yet counts for nothing, and where `but_leases` says so what tills have leased neither. So
-- somebody who is told may not at the same moment be one who gets it, by the same request sent twice for one.
CREATE FUNCTION stock_is_wholly_gone(of_variant uuid, in_pool uuid, at_location uuid, but_leases boolean) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT stock_is_gone(of_variant, in_pool, at_location) AND NOT EXISTS (
        SELECT FROM level l JOIN location p ON p.id = l.location AND p.pool = in_pool AND p.is_active
        JOIN hold h ON h.location = l.location AND h.variant = l.variant AND h.expires_at IS NOT NULL
        WHERE (l.variant = of_variant OR l.variant IN (SELECT b.component FROM bundle_component b WHERE b.bundle = of_variant))
          AND (at_location IS NULL OR l.location = at_location)
          AND ((but_leases AND h.kind = 'lease') OR EXISTS (SELECT FROM hold_claim c WHERE c.owner = h.owner)))
$$;
