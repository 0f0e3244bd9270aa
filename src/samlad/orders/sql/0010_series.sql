-- A channel has its series of order numbers from its first moment. Made at the first order, under a lock that lasted to
-- the commit, it locked out those who had the goods and waited for the number while others had the number and waited for
-- the goods.
CREATE FUNCTION order_series_open(channel uuid) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE SEQUENCE IF NOT EXISTS %I START 1001', order_series(channel));
END $$;

CREATE FUNCTION channel_has_series() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM order_series_open(NEW.id);
    RETURN NULL;
END $$;

CREATE TRIGGER channel_has_series AFTER INSERT ON channel FOR EACH ROW EXECUTE FUNCTION channel_has_series();

SELECT order_series_open(id) FROM channel;

CREATE OR REPLACE FUNCTION order_number(channel uuid) RETURNS bigint LANGUAGE sql AS $$
    SELECT nextval(order_series(channel)::regclass)
$$;
