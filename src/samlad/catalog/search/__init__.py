"""Search: an index that is kept in the same transaction as the product, and the query over it."""
