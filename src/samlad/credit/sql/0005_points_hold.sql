-- Points are held for a payment too, until they become the store credit that pays it. An account of points may be below
-- zero: what is held is taken of those that have something.
DROP FUNCTION credit_hold_credit(uuid, uuid, bigint, text);
CREATE FUNCTION credit_hold_credit(of_payment uuid, of_customer uuid, to_hold bigint, of_unit text,
                                   of_kind text DEFAULT 'store_credit')
    RETURNS TABLE (account uuid, pool uuid, available bigint) LANGUAGE plpgsql AS $$
DECLARE
    mine uuid[];
    free bigint;
BEGIN
    SELECT array_agg(locked.id) INTO mine FROM (
        SELECT a.id FROM credit_account a
        WHERE a.holder = ANY (customer_members(ARRAY[of_customer])) AND a.kind = of_kind AND a.unit = of_unit
        ORDER BY a.id FOR UPDATE) AS locked;
    SELECT coalesce(sum(a.balance - a.held), 0) INTO free FROM credit_account a WHERE a.id = ANY (mine);
    IF free < to_hold THEN RETURN; END IF;
    INSERT INTO credit_hold (payment, account, amount)
    SELECT of_payment, id, least(own, to_hold - (upto - own)) FROM (
        SELECT a.id, a.balance - a.held AS own, sum(a.balance - a.held) OVER (ORDER BY a.holder, a.id) AS upto
        FROM credit_account a WHERE a.id = ANY (mine) AND a.balance > a.held) AS each
    WHERE upto - own < to_hold;
    RETURN QUERY SELECT a.id, a.pool, free - to_hold FROM credit_hold h JOIN credit_account a ON a.id = h.account
                 WHERE h.payment = of_payment ORDER BY a.holder, a.id LIMIT 1;
END $$;
