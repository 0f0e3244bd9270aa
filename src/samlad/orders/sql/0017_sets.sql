-- A set is ordered as its parts; each says of which set it is a part: group (a number within the order), variant, sku, title,
-- options and quantity of the set.
ALTER TABLE order_line ADD COLUMN set_of jsonb;

-- A variant that somebody still waits for becomes no set: its order is of the thing itself (the guards of stock have the rest).
CREATE FUNCTION order_set_begins() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    waits text;
BEGIN
    SELECT min(o.number) INTO waits FROM order_line l JOIN orders o ON o.id = l.order_id
    WHERE l.sku = (SELECT v.sku FROM variant v WHERE v.id = NEW.bundle) AND l.variant = NEW.bundle AND l.kind = 'item' AND l.quantity > l.fulfilled + l.cancelled AND o.kind = 'sale'
      AND o.imported IS NULL AND o.status IN ('placed', 'paid', 'partially_fulfilled');
    IF waits IS NOT NULL THEN
        RAISE EXCEPTION '“%” is in open orders (%); it can be a set when they have left',
            (SELECT sku FROM variant WHERE id = NEW.bundle), waits USING ERRCODE = 'SSETS';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER bundle_component_not_awaited BEFORE INSERT ON bundle_component
    FOR EACH ROW EXECUTE FUNCTION order_set_begins();
