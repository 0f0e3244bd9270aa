-- Customers that are one person pay with what all of them have. Nothing is moved between their accounts: a payment
-- holds a part of each, so that who comes apart has their own again. Parts are taken and given back in the order of
-- their holders, accounts are locked in key order.
DROP VIEW credit_payment_difference;  -- it relies on the key
ALTER TABLE credit_hold DROP CONSTRAINT credit_hold_pkey, ADD PRIMARY KEY (payment, account);

-- Hold an amount of a person's store credit; no row if there is less.
CREATE FUNCTION credit_hold_credit(of_payment uuid, of_customer uuid, to_hold bigint, of_unit text)
    RETURNS TABLE (account uuid, pool uuid, available bigint) LANGUAGE plpgsql AS $$
DECLARE
    mine uuid[];
    free bigint;
BEGIN
    SELECT array_agg(locked.id) INTO mine FROM (
        SELECT a.id FROM credit_account a
        WHERE a.holder = ANY (customer_members(ARRAY[of_customer])) AND a.kind = 'store_credit' AND a.unit = of_unit
        ORDER BY a.id FOR UPDATE) AS locked;
    SELECT coalesce(sum(a.balance - a.held), 0) INTO free FROM credit_account a WHERE a.id = ANY (mine);
    IF free < to_hold THEN RETURN; END IF;
    INSERT INTO credit_hold (payment, account, amount)
    SELECT of_payment, id, least(own, to_hold - (upto - own)) FROM (
        SELECT a.id, a.balance - a.held AS own, sum(a.balance - a.held) OVER (ORDER BY a.holder, a.id) AS upto
        FROM credit_account a WHERE a.id = ANY (mine)) AS each
    WHERE own > 0 AND upto - own < to_hold;
    RETURN QUERY SELECT a.id, a.pool, free - to_hold FROM credit_hold h JOIN credit_account a ON a.id = h.account
                 WHERE h.payment = of_payment ORDER BY a.holder, a.id LIMIT 1;
END $$;

-- What is held or was taken for a payment, locked with its accounts.
CREATE FUNCTION credit_lock_payment(of_payment uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM credit_hold WHERE payment = of_payment ORDER BY account FOR UPDATE;
    PERFORM 1 FROM credit_account WHERE id IN (SELECT account FROM credit_hold WHERE payment = of_payment)
    ORDER BY id FOR UPDATE;
END $$;

CREATE OR REPLACE FUNCTION credit_capture(new_ids uuid[], of_payment uuid, to_take bigint, by_actor text,
                                          lives_days int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    part     record;
    accounts uuid[] := '{}';
    amounts  bigint[] := '{}';
    house    uuid;
    taking   bigint;
    to_come  bigint := to_take;
    is_less  boolean;
BEGIN
    PERFORM credit_lock_payment(of_payment);
    SELECT sum(amount) > to_take INTO is_less FROM credit_hold WHERE payment = of_payment AND status = 'held'
    HAVING sum(amount) >= to_take;
    IF NOT FOUND THEN RETURN false; END IF;
    FOR part IN SELECT h.account, h.amount, a.pool, a.unit FROM credit_hold h JOIN credit_account a ON a.id = h.account
                WHERE h.payment = of_payment AND h.status = 'held' ORDER BY a.holder, a.id LOOP
        taking := least(part.amount, to_come);
        to_come := to_come - taking;
        UPDATE credit_hold SET status = CASE WHEN taking = 0 THEN 'voided' ELSE 'captured' END, captured = taking
        WHERE payment = of_payment AND account = part.account;
        house := credit_account_of(part.pool, 'redeemed', part.unit);
        IF taking > 0 THEN accounts := accounts || part.account; amounts := amounts || -taking; END IF;
    END LOOP;
    PERFORM credit_post(new_ids[1], 'redeem', 'redeem:' || of_payment, of_payment, '', by_actor,
                        accounts || house, amounts || to_take);
    IF is_less AND cardinality(accounts) = 1 THEN  -- of a card that was replaced meanwhile the rest goes to the new one
        PERFORM credit_set_free(new_ids[2], of_payment, accounts[1], by_actor, lives_days);
    END IF;
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION credit_release(new_id uuid, of_payment uuid, by_actor text, lives_days int)
    RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    let_go uuid[];
BEGIN
    PERFORM credit_lock_payment(of_payment);
    WITH parts AS (UPDATE credit_hold SET status = 'voided' WHERE payment = of_payment AND status = 'held'
                   RETURNING account)
    SELECT array_agg(account) INTO let_go FROM parts;
    IF let_go IS NULL THEN RETURN false; END IF;
    IF cardinality(let_go) = 1 THEN  -- only store credit has parts, and nothing ever replaces that
        PERFORM credit_set_free(new_id, of_payment, let_go[1], by_actor, lives_days);
    END IF;
    RETURN true;
END $$;

CREATE OR REPLACE FUNCTION credit_refund(new_id uuid, of_payment uuid, of_refund uuid, to_give bigint, by_actor text,
                                         lives_days int, as_kind text DEFAULT 'refund') RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    part     record;
    accounts uuid[] := '{}';
    amounts  bigint[] := '{}';
    house    uuid;
    giving   bigint;
    to_come  bigint := to_give;
BEGIN
    PERFORM 1 FROM credit_hold WHERE payment = of_payment ORDER BY account FOR UPDATE;  -- the same at once waits here
    IF EXISTS (SELECT FROM credit_transaction WHERE key = as_kind || ':' || of_refund) THEN RETURN false; END IF;
    IF (SELECT coalesce(sum(captured - refunded), 0) FROM credit_hold
        WHERE payment = of_payment AND status = 'captured') < to_give THEN RETURN NULL; END IF;
    FOR part IN SELECT h.account, h.captured - h.refunded AS taken, a.pool, a.unit
                FROM credit_hold h JOIN credit_account a ON a.id = h.account
                WHERE h.payment = of_payment AND h.status = 'captured' ORDER BY a.holder, a.id LOOP
        giving := least(part.taken, to_come);
        CONTINUE WHEN giving = 0;
        to_come := to_come - giving;
        UPDATE credit_hold SET refunded = refunded + giving WHERE payment = of_payment AND account = part.account;
        house := credit_account_of(part.pool, 'redeemed', part.unit);
        accounts := accounts || credit_target(part.account, lives_days);
        amounts := amounts || giving;
    END LOOP;
    RETURN credit_post(new_id, as_kind, as_kind || ':' || of_refund, of_payment, '', by_actor,
                       accounts || house, amounts || -to_give);
END $$;

CREATE VIEW credit_payment_difference AS
    SELECT h.account, 'payment' AS kind, '' AS unit, h.kept,
           coalesce(sum(e.amount) FILTER (WHERE a.kind = 'redeemed'), 0) AS truth
    FROM (SELECT payment, (array_agg(account ORDER BY account))[1] AS account,
                 sum(captured - refunded)::bigint AS kept
          FROM credit_hold GROUP BY payment) AS h
         LEFT JOIN credit_transaction t ON t.reference = h.payment AND t.kind IN ('redeem', 'refund', 'void')
         LEFT JOIN credit_entry e ON e.transaction = t.id LEFT JOIN credit_account a ON a.id = e.account
    GROUP BY h.payment, h.account, h.kept
    HAVING h.kept <> coalesce(sum(e.amount) FILTER (WHERE a.kind = 'redeemed'), 0);
