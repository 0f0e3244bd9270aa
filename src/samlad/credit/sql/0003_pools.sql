-- Holders' accounts go along with their channel into another pool (channels/pooling.py); the house's stay with what was
-- booked on them. A transaction from before therefore comes to zero over its pools, not in each.
CREATE OR REPLACE VIEW credit_unbalanced AS
    SELECT e.transaction AS account, 'transaction' AS kind, a.unit, sum(e.amount) AS kept, 0::numeric AS truth
    FROM credit_entry e JOIN credit_account a ON a.id = e.account
    GROUP BY e.transaction, a.unit HAVING sum(e.amount) <> 0;
