-- Every table of the floors below with rows in pools, guarded (channels/sql/0002). Tables that come later call
-- guard_pool themselves; tests/pools/test_declared.py finds those that do not.
SELECT guard_pool(t) FROM unnest(ARRAY[
    'location', 'customer', 'credit_account', 'gift_card', 'loyalty_member', 'loyalty_programme', 'promotion',
    'promotion_code', 'cart_handover', 'return_reason', 'return_window', 'legal_entity', 'category', 'attribute',
    'product', 'variant', 'collection', 'size_chart', 'price_list', 'identity_node', 'identity_sighting',
    'identity_pin', 'identity_rules', 'identity_conflict', 'tax_country_rate'
]) AS t;
SELECT guard_pool('cart', 'carts'), guard_pool('orders', 'orders'), guard_pool('subscription', 'orders');
