-- A variant that another one stands for comes into no cart any more (catalog/0008).
CREATE TRIGGER a_variant_stands_for_itself BEFORE INSERT OR UPDATE OF variant ON cart_line
    FOR EACH ROW EXECUTE FUNCTION variant_stands_for_itself();
