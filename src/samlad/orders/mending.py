"""How ``samlad doctor --fix`` brings what is held for orders in line with what their fulfilments are to give.

Too much goes back on sale. What is missing is looked for again, as when a count finds less than was held: the order goes on from
another place, or its buyer is asked.
"""

from functools import partial
from uuid import UUID

from samlad import stock
from samlad.kernel.database import Database, Tx
from samlad.orders.fulfilment_short import make_up
from samlad.stock import HoldLine

DIFFERENCES = """
    WITH given AS (
        SELECT f.order_id, f.location, n.variant, sum(n.quantity)::int AS units
        FROM fulfilment f JOIN fulfilment_line n ON n.fulfilment = f.id
        WHERE f.location IS NOT NULL AND f.state IN ('open', 'picking', 'picked', 'packed', 'ready', 'needs_customer')
        GROUP BY 1, 2, 3
    ), held AS (
        SELECT owner AS order_id, location, variant, sum(quantity)::int AS units
        FROM hold WHERE kind = 'order' GROUP BY 1, 2, 3
    )
    SELECT order_id, location, variant, coalesce(g.units, 0) AS given, coalesce(h.units, 0) AS held
    FROM given g FULL JOIN held h USING (order_id, location, variant)
    WHERE coalesce(g.units, 0) <> coalesce(h.units, 0)"""
"""Levels of orders at which more or fewer units are held than a place is to give."""


async def mend_holds(database: Database) -> int:
    """Mend every order of which too much or too little is held, a transaction each; how many."""
    rows = await database.rows(f"SELECT DISTINCT order_id FROM ({DIFFERENCES}) AS d ORDER BY 1")
    for row in rows:
        await database.transaction(partial(_mend, order=row["order_id"]))
    return len(rows)


async def _mend(tx: Tx, order: UUID) -> None:
    await tx.execute("SELECT FROM orders WHERE id = $1 FOR UPDATE", order)
    rows = await tx.rows(f"SELECT * FROM ({DIFFERENCES}) AS d WHERE order_id = $1", order)
    surplus = [
        HoldLine(row["variant"], row["held"] - row["given"], row["location"])
        for row in rows
        if row["held"] > row["given"]
    ]
    if surplus:
        await stock.release(tx, order, lines=surplus)
    short = {(row["location"], row["variant"]) for row in rows if row["held"] < row["given"]}
    if short:
        await make_up(tx, order, short)
