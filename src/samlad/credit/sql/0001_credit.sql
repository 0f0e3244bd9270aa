-- Gift cards, store credit and loyalty points: one book with double entry, and what hangs on it.
-- Order of locking everywhere: gift_card or credit_order, then credit_account by id, then loyalty_lot.
-- Amounts are minor units of a currency, or points. Why double entry: docs/decisions/double-entry.md.

-- An account of somebody (holder: a card, a customer) or of the house (no holder). The house's balances are not kept:
-- every payment with a gift card would change one row of them. They are sums of entries.
CREATE TABLE credit_account (
    id         uuid        PRIMARY KEY DEFAULT gen_random_uuid(),
    pool       uuid        NOT NULL REFERENCES pool,     -- of the resource customers
    kind       text        NOT NULL CHECK (kind IN ('gift_card', 'store_credit', 'points', 'pending', 'sold', 'given',
                                                    'redeemed', 'refunded', 'expired', 'earned', 'rewarded')),
    unit       text        NOT NULL CHECK (unit ~ '^([A-Z]{3}|points)$'),
    holder     uuid,
    balance    bigint      NOT NULL DEFAULT 0,
    held       bigint      NOT NULL DEFAULT 0 CHECK (held >= 0),  -- of the balance, authorised for payments
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE NULLS NOT DISTINCT (pool, kind, unit, holder),
    CHECK ((holder IS NOT NULL) = (kind IN ('gift_card', 'store_credit', 'points', 'pending'))),
    CHECK (holder IS NOT NULL OR (balance = 0 AND held = 0)),
    -- Only points may be below zero: those taken back after they were spent.
    CONSTRAINT credit_never_overspent CHECK (kind = 'points' OR balance >= held)
) WITH (fillfactor = 80);
CREATE INDEX credit_account_holder ON credit_account (holder) WHERE holder IS NOT NULL;

CREATE TABLE credit_transaction (
    id         uuid        PRIMARY KEY,
    kind       text        NOT NULL CHECK (kind IN ('issue', 'top_up', 'grant', 'redeem', 'refund', 'void', 'transfer',
                                                    'expire', 'cancel', 'earn', 'release', 'take_back', 'reward')),
    key        text        NOT NULL UNIQUE,   -- what it is booked for; booked once
    reference  uuid,                          -- the order, payment … behind it
    reason     text        NOT NULL DEFAULT '',
    actor      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX credit_transaction_reference ON credit_transaction (reference) WHERE reference IS NOT NULL;

CREATE TABLE credit_entry (
    seq           bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    id            uuid   NOT NULL DEFAULT gen_random_uuid(),  -- breaks ties in lists
    transaction   uuid   NOT NULL REFERENCES credit_transaction,
    account       uuid   NOT NULL REFERENCES credit_account,
    amount        bigint NOT NULL CHECK (amount <> 0),
    balance_after bigint,                                     -- of accounts with a holder
    PRIMARY KEY (transaction, account)
);
CREATE INDEX credit_entry_account ON credit_entry (account, seq);
COMMENT ON TABLE credit_entry IS 'The book. Append-only; appending a row is the only way to change a balance';

-- An entry changes its account's balance. There is no other way (credit_account_guard).
CREATE FUNCTION credit_entry_applies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE credit_account SET balance = balance + NEW.amount WHERE id = NEW.account AND holder IS NOT NULL
    RETURNING balance INTO NEW.balance_after;
    RETURN NEW;
END $$;
CREATE TRIGGER credit_entry_applies BEFORE INSERT ON credit_entry
    FOR EACH ROW EXECUTE FUNCTION credit_entry_applies();

-- A transaction is written whole, in one statement, and comes to zero in every pool and unit.
CREATE FUNCTION credit_is_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM fresh f JOIN credit_account a ON a.id = f.account
               GROUP BY f.transaction, a.pool, a.unit HAVING sum(f.amount) <> 0) THEN
        RAISE EXCEPTION 'the entries of a transaction must come to zero' USING ERRCODE = 'check_violation';
    END IF;
    IF (SELECT count(*) FROM fresh) <> (SELECT count(*) FROM credit_entry
                                        WHERE transaction IN (SELECT transaction FROM fresh)) THEN
        RAISE EXCEPTION 'a transaction is written once and whole' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER credit_is_balanced AFTER INSERT ON credit_entry REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION credit_is_balanced();

CREATE FUNCTION credit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the book is append-only: append what takes it back' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER credit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION credit_is_append_only();
CREATE TRIGGER credit_transaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION credit_is_append_only();

CREATE FUNCTION credit_account_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (TG_OP = 'UPDATE' AND pg_trigger_depth() < 2)
       OR (TG_OP = 'INSERT' AND (NEW.balance, NEW.held) <> (0, 0)) THEN
        RAISE EXCEPTION 'balances change only by entries and holds' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credit_account_guard BEFORE INSERT OR UPDATE OR DELETE ON credit_account
    FOR EACH ROW EXECUTE FUNCTION credit_account_guard();

-- What is authorised or taken for a payment, from one account. The payment is the key: it is taken once.
CREATE TABLE credit_hold (
    payment    uuid        PRIMARY KEY,
    account    uuid        NOT NULL REFERENCES credit_account,
    amount     bigint      NOT NULL CHECK (amount > 0),
    captured   bigint      NOT NULL DEFAULT 0 CHECK (captured BETWEEN 0 AND amount),
    refunded   bigint      NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND captured),
    status     text        NOT NULL DEFAULT 'held' CHECK (status IN ('held', 'captured', 'voided')),
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX credit_hold_account ON credit_hold (account);

CREATE FUNCTION credit_hold_applies() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change bigint := CASE WHEN NEW.status = 'held' THEN NEW.amount ELSE 0 END;
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.status = 'held' THEN change := change - OLD.amount; END IF;
    IF change <> 0 THEN
        UPDATE credit_account SET held = held + change WHERE id = NEW.account;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER credit_hold_applies AFTER INSERT OR UPDATE ON credit_hold
    FOR EACH ROW EXECUTE FUNCTION credit_hold_applies();

-- The account of this kind, made if there is none yet.
CREATE FUNCTION credit_account_of(in_pool uuid, of_kind text, in_unit text, of_holder uuid DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql AS $$
DECLARE
    found_id uuid;
BEGIN
    LOOP
        SELECT id INTO found_id FROM credit_account
        WHERE pool = in_pool AND kind = of_kind AND unit = in_unit AND holder IS NOT DISTINCT FROM of_holder;
        IF FOUND THEN RETURN found_id; END IF;
        INSERT INTO credit_account (pool, kind, unit, holder) VALUES (in_pool, of_kind, in_unit, of_holder)
        ON CONFLICT DO NOTHING RETURNING id INTO found_id;
        IF FOUND THEN RETURN found_id; END IF;
    END LOOP;
END $$;

-- Book a transaction; false if it was booked before. Accounts of holders are locked in key order.
CREATE FUNCTION credit_post(new_id uuid, of_kind text, with_key text, about uuid, why text, by_actor text,
                            accounts uuid[], amounts bigint[]) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO credit_transaction (id, kind, key, reference, reason, actor)
    VALUES (new_id, of_kind, with_key, about, why, by_actor) ON CONFLICT (key) DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM 1 FROM credit_account WHERE id = ANY (accounts) AND holder IS NOT NULL ORDER BY id FOR UPDATE;
    INSERT INTO credit_entry (transaction, account, amount)
    SELECT new_id, a, m FROM unnest(accounts, amounts) AS t (a, m) ORDER BY a;
    RETURN true;
END $$;

-- Gift cards. The code is nowhere but in the hands of its holder: here is its hash, and its end to tell cards apart.
CREATE TABLE gift_card (
    id          uuid        PRIMARY KEY,
    pool        uuid        NOT NULL REFERENCES pool,
    account     uuid        NOT NULL UNIQUE REFERENCES credit_account,
    code_hash   bytea       NOT NULL UNIQUE,
    last_four   text        NOT NULL CHECK (length(last_four) = 4),
    currency    text        NOT NULL,
    status      text        NOT NULL CHECK (status IN ('waiting', 'active', 'blocked', 'replaced', 'cancelled')),
    origin      text        NOT NULL CHECK (origin IN ('sold', 'given', 'reward', 'replacement')),
    channel     uuid        NOT NULL REFERENCES channel,   -- the issuer, whose country's rules hold
    customer    uuid        REFERENCES customer,           -- whose it is, if that is known
    replaces    uuid        UNIQUE REFERENCES gift_card,
    expires_on  date,                                      -- the last day on which it pays, where it was issued
    expires_at  timestamptz,                               -- the end of that day; both null: never
    note        text        NOT NULL DEFAULT '',
    version     int         NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((expires_on IS NULL) = (expires_at IS NULL))
);
CREATE INDEX gift_card_created ON gift_card (created_at, id);
CREATE INDEX gift_card_expiring ON gift_card (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX gift_card_customer ON gift_card (customer) WHERE customer IS NOT NULL;

-- Value that comes onto a card: given at once, or sold with an order and booked when that is paid.
CREATE TABLE gift_card_charge (
    id       uuid   PRIMARY KEY,
    card     uuid   NOT NULL REFERENCES gift_card,
    amount   bigint NOT NULL CHECK (amount > 0),
    kind     text   NOT NULL CHECK (kind IN ('issue', 'top_up')),
    source   text   NOT NULL CHECK (source IN ('sold', 'given')),
    order_id uuid,
    status   text   NOT NULL CHECK (status IN ('waiting', 'booked', 'cancelled'))
);
CREATE INDEX gift_card_charge_order ON gift_card_charge (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX gift_card_charge_card ON gift_card_charge (card);

-- The card that stands for an account now: of a replaced card its successor. A card that has expired lives on for the
-- given days when money comes back to it, or that would be lost. Other accounts stand for themselves.
CREATE FUNCTION credit_target(of_account uuid, lives_days int) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    target uuid;
BEGIN
    WITH RECURSIVE line AS (
        SELECT id, account, 0 AS step FROM gift_card WHERE account = of_account
        UNION ALL
        SELECT g.id, g.account, line.step + 1 FROM line JOIN gift_card g ON g.replaces = line.id
    )
    SELECT account INTO target FROM line ORDER BY step DESC LIMIT 1;
    UPDATE gift_card SET expires_at = date_trunc('day', now()) + make_interval(days => lives_days + 1),
           expires_on = (date_trunc('day', now()) + make_interval(days => lives_days))::date, version = version + 1
    WHERE account = target AND expires_at <= now();
    RETURN coalesce(target, of_account);
END $$;

-- What is no longer held for a payment can be spent again, by the card that stands for its account now.
CREATE FUNCTION credit_set_free(new_id uuid, of_payment uuid, of_account uuid, by_actor text, lives_days int)
    RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    target uuid := credit_target(of_account, lives_days);
    free   bigint;
BEGIN
    IF target = of_account THEN RETURN; END IF;
    SELECT balance - held INTO free FROM credit_account WHERE id = of_account FOR UPDATE;
    IF free > 0 THEN
        PERFORM credit_post(new_id, 'transfer', 'set-free:' || of_payment, of_payment, '', by_actor,
                            ARRAY[of_account, target], ARRAY[-free, free]);
    END IF;
END $$;

-- Take what is held for a payment, or a part of it (the rest is free again). False if nothing is held (any more).
CREATE FUNCTION credit_capture(new_ids uuid[], of_payment uuid, to_take bigint, by_actor text, lives_days int)
    RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    taken credit_hold;
    house uuid;
BEGIN
    UPDATE credit_hold SET status = 'captured', captured = to_take
    WHERE payment = of_payment AND status = 'held' AND amount >= to_take RETURNING * INTO taken;
    IF NOT FOUND THEN RETURN false; END IF;
    SELECT credit_account_of(pool, 'redeemed', unit) INTO house FROM credit_account WHERE id = taken.account;
    PERFORM credit_post(new_ids[1], 'redeem', 'redeem:' || of_payment, of_payment, '', by_actor,
                        ARRAY[taken.account, house], ARRAY[-to_take, to_take]);
    IF to_take < taken.amount THEN
        PERFORM credit_set_free(new_ids[2], of_payment, taken.account, by_actor, lives_days);
    END IF;
    RETURN true;
END $$;

-- Let go of what is held for a payment. False if nothing is held (any more).
CREATE FUNCTION credit_release(new_id uuid, of_payment uuid, by_actor text, lives_days int) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    let_go credit_hold;
BEGIN
    UPDATE credit_hold SET status = 'voided' WHERE payment = of_payment AND status = 'held' RETURNING * INTO let_go;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM credit_set_free(new_id, of_payment, let_go.account, by_actor, lives_days);
    RETURN true;
END $$;

-- Give back a part of a payment to where it came from; false if this refund was booked before, null if not so much
-- was taken.
CREATE FUNCTION credit_refund(new_id uuid, of_payment uuid, of_refund uuid, to_give bigint, by_actor text,
                              lives_days int, as_kind text DEFAULT 'refund') RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    taken credit_hold;
    house uuid;
BEGIN
    PERFORM 1 FROM credit_hold WHERE payment = of_payment FOR UPDATE;  -- the same refund at once waits here
    IF EXISTS (SELECT FROM credit_transaction WHERE key = as_kind || ':' || of_refund) THEN RETURN false; END IF;
    UPDATE credit_hold SET refunded = refunded + to_give
    WHERE payment = of_payment AND status = 'captured' AND refunded + to_give <= captured RETURNING * INTO taken;
    IF NOT FOUND THEN RETURN NULL; END IF;
    SELECT credit_account_of(pool, 'redeemed', unit) INTO house FROM credit_account WHERE id = taken.account;
    RETURN credit_post(new_id, as_kind, as_kind || ':' || of_refund, of_payment, '', by_actor,
                       ARRAY[credit_target(taken.account, lives_days), house], ARRAY[to_give, -to_give]);
END $$;

-- Loyalty: one programme for a pool of customers; what it grants is data, checked by samlad.credit.
CREATE TABLE loyalty_programme (
    id            uuid        PRIMARY KEY,
    pool          uuid        NOT NULL UNIQUE REFERENCES pool,
    name          text        NOT NULL,
    is_active     boolean     NOT NULL,
    is_automatic  boolean     NOT NULL,                    -- whoever buys is a member
    rates         jsonb       NOT NULL,
    tiers         jsonb       NOT NULL,
    rewards       jsonb       NOT NULL,
    period_months int         NOT NULL CHECK (period_months BETWEEN 1 AND 120),
    pending_days  int         NOT NULL CHECK (pending_days BETWEEN 0 AND 366),
    expire_months int         CHECK (expire_months BETWEEN 1 AND 120),
    version       int         NOT NULL DEFAULT 1,
    updated_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE loyalty_member (
    customer  uuid        PRIMARY KEY REFERENCES customer,
    pool      uuid        NOT NULL REFERENCES pool,
    code      text        NOT NULL UNIQUE,                 -- on the card or phone, for a scanner
    joined_at timestamptz NOT NULL DEFAULT now()
);

-- Points of one earning. `open` of all lots that are not pending is the balance, if that is not below zero:
-- the first earned is the first spent and the first to expire.
CREATE TABLE loyalty_lot (
    id         uuid        PRIMARY KEY,
    customer   uuid        NOT NULL REFERENCES loyalty_member,
    order_id   uuid,
    points     bigint      NOT NULL CHECK (points > 0),
    open       bigint      NOT NULL CHECK (open BETWEEN 0 AND points),
    release_at timestamptz,                                -- until then pending; null: not pending (any more)
    earned_at  timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX loyalty_lot_customer ON loyalty_lot (customer, earned_at) WHERE open > 0;
CREATE INDEX loyalty_lot_order ON loyalty_lot (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX loyalty_lot_expiring ON loyalty_lot (expires_at) WHERE open > 0 AND release_at IS NULL;
CREATE INDEX loyalty_lot_pending ON loyalty_lot (release_at) WHERE release_at IS NOT NULL;

-- Use up open lots, those of one order first, then the oldest. The caller has locked the account of points.
CREATE FUNCTION loyalty_use(of_customer uuid, to_use bigint, first_order uuid) RETURNS void LANGUAGE sql AS $$
    WITH ranked AS (
        SELECT id, open, sum(open) OVER (ORDER BY coalesce(order_id = first_order, false) DESC, earned_at, id) AS upto
        FROM loyalty_lot WHERE customer = of_customer AND release_at IS NULL AND open > 0
    )
    UPDATE loyalty_lot l SET open = l.open - least(l.open, to_use - (r.upto - r.open))
    FROM ranked r WHERE l.id = r.id AND r.upto - r.open < to_use
$$;

-- What the book knows of orders, from the log: it stands below them.
CREATE TABLE credit_order (
    id           uuid        PRIMARY KEY,
    customer     uuid,
    currency     text,
    goods        bigint,                                   -- what the goods came to; null: not told yet
    is_paid      boolean     NOT NULL DEFAULT false,
    is_cancelled boolean     NOT NULL DEFAULT false,
    base         bigint,                                   -- points before the tier's multiplier, when first earned
    points       bigint,                                   -- points for the whole order; null: nothing earned yet
    kept         bigint      NOT NULL DEFAULT 0,           -- of these, what is booked now
    earned_at    timestamptz
);
CREATE INDEX credit_order_customer ON credit_order (customer, earned_at) WHERE points IS NOT NULL;
CREATE TABLE credit_order_return (
    id       uuid   PRIMARY KEY,                           -- the order of kind return
    order_id uuid   NOT NULL,
    goods    bigint NOT NULL
);
CREATE INDEX credit_order_return_order ON credit_order_return (order_id);

-- What must be empty.
CREATE VIEW credit_balance_difference AS
    SELECT a.id AS account, a.kind, a.unit, a.balance AS kept, coalesce(e.sum, 0) AS truth
    FROM credit_account a LEFT JOIN (SELECT account, sum(amount) FROM credit_entry GROUP BY 1) e ON e.account = a.id
    WHERE a.holder IS NOT NULL AND a.balance <> coalesce(e.sum, 0);
CREATE VIEW credit_held_difference AS
    SELECT a.id AS account, a.kind, a.unit, a.held AS kept, coalesce(h.sum, 0) AS truth
    FROM credit_account a LEFT JOIN (SELECT account, sum(amount) FROM credit_hold WHERE status = 'held' GROUP BY 1) h
         ON h.account = a.id
    WHERE a.held <> coalesce(h.sum, 0);
CREATE VIEW credit_unbalanced AS
    SELECT e.transaction AS account, 'transaction' AS kind, a.unit, sum(e.amount) AS kept, 0::numeric AS truth
    FROM credit_entry e JOIN credit_account a ON a.id = e.account
    GROUP BY e.transaction, a.pool, a.unit HAVING sum(e.amount) <> 0;
CREATE VIEW loyalty_lot_difference AS
    SELECT a.id AS account, a.kind, a.unit, greatest(a.balance, 0) AS kept, coalesce(l.open, 0) AS truth
    FROM credit_account a LEFT JOIN LATERAL (
        SELECT sum(open) AS open FROM loyalty_lot
        WHERE customer = a.holder AND (release_at IS NOT NULL) = (a.kind = 'pending')) l ON true
    WHERE a.kind IN ('points', 'pending') AND greatest(a.balance, 0) <> coalesce(l.open, 0);
CREATE VIEW credit_payment_difference AS
    SELECT h.account, 'payment' AS kind, '' AS unit, h.captured - h.refunded AS kept,
           coalesce(sum(e.amount) FILTER (WHERE a.kind = 'redeemed'), 0) AS truth
    FROM credit_hold h
         LEFT JOIN credit_transaction t ON t.reference = h.payment AND t.kind IN ('redeem', 'refund', 'void')
         LEFT JOIN credit_entry e ON e.transaction = t.id LEFT JOIN credit_account a ON a.id = e.account
    GROUP BY h.payment
    HAVING h.captured - h.refunded <> coalesce(sum(e.amount) FILTER (WHERE a.kind = 'redeemed'), 0);
