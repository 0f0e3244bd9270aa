"""What ``samlad doctor`` looks at in stock, and how it mends it."""

from asyncpg import Record

from samlad.kernel import log
from samlad.kernel.checks import Check, Finding
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.rows import into
from samlad.stock import store
from samlad.stock.events import LotNamed, LotsMended, MovedLine, StockLost, StockMoved, released_lines
from samlad.stock.holds import sweep
from samlad.stock.model import Cause, Hold, HoldKind
from samlad.stock.store import MoveLine

SHOWN = 5
"""Rows that a finding names."""

LATE_SECONDS = 60
"""An expired hold that is older than this was forgotten by the sweeper."""

_JOINED = "JOIN location p ON p.id = d.location JOIN variant v ON v.id = d.variant"
_NAMED = f"{_JOINED} ORDER BY p.code, v.sku"


async def _ledger(database: Database) -> Finding:
    rows = await database.rows(
        f"""SELECT p.code, v.sku, d.on_hand AS level, d.moved AS truth
            FROM stock_ledger_difference d {_JOINED} WHERE d.on_hand <> d.moved ORDER BY p.code, v.sku"""
    )
    return _finding(rows, "on hand {level}, but its movements add up to {truth}")


async def _holds(database: Database) -> Finding:
    rows = await database.rows(
        f"SELECT p.code, v.sku, d.held AS level, d.holds AS truth FROM stock_hold_difference d {_NAMED}"
    )
    return _finding(rows, "held {level}, but its holds add up to {truth}")


async def _values(database: Database) -> Finding:
    rows = await database.rows(
        f"""SELECT p.code, v.sku, d.value_e4 AS level, d.moved_e4 AS truth FROM stock_ledger_difference d
            {_JOINED} WHERE d.value_e4 <> d.moved_e4 ORDER BY p.code, v.sku"""
    )
    return _finding(
        rows, "worth {level}, but its movements add up to {truth} (ten-thousandths of a minor unit)"
    )


async def _incoming(database: Database) -> Finding:
    rows = await database.rows(
        f"""SELECT p.code, v.sku, d.incoming AS level, d.ordered AS truth FROM stock_incoming_difference d {_NAMED}"""
    )
    return _finding(rows, "{level} expected, but purchase orders and transfers add up to {truth}")


async def _bounds(database: Database) -> Finding:
    rows = await database.rows(
        f"""SELECT p.code, v.sku, d.held AS level,
                   d.on_hand - d.expired - d.blocked + stock_later(d.backorder_limit, d.incoming, d.sells_incoming) AS truth
            FROM (SELECT * FROM level WHERE on_hand < 0 OR held < 0 OR incoming < 0
                  OR held > on_hand - expired - blocked + stock_later(backorder_limit, incoming, sells_incoming)) d {_NAMED}"""
    )
    return _finding(rows, "held {level} of {truth} that may be", can_fix=False)


async def _lots(database: Database) -> Finding:
    ledger = await database.rows(
        f"""SELECT p.code, v.sku, t.code AS lot, d.on_hand AS level, d.moved AS truth
            FROM stock_lot_ledger_difference d JOIN lot t ON t.id = d.lot {_NAMED}, t.code"""
    )
    if ledger:
        return _finding(ledger, "lot “{lot}” has {level}, but its movements add up to {truth}")
    rows = await database.rows(
        f"""SELECT p.code, v.sku, d.on_hand AS level, d.units AS truth, d.unsold, d.lots_unsold
            FROM stock_lot_difference d {_NAMED}"""
    )
    return _finding(
        rows, "on hand {level}, of them {unsold} not for sale, but its lots have {truth} and {lots_unsold}"
    )


async def _expired(database: Database) -> Finding:
    count = await database.value(
        "SELECT count(*) FROM hold WHERE expires_at < now() - make_interval(secs => $1)", LATE_SECONDS
    )
    if count:
        return Finding(
            "warning",
            f"{count:,} expired more than {LATE_SECONDS} s ago",
            "Is a worker running? Or: samlad doctor --fix",
        )
    return Finding("ok", "none waits")


async def _sets(database: Database) -> Finding:
    rows = await database.rows(
        """SELECT v.sku, p.code, l.on_hand, l.held, l.incoming FROM level l
           JOIN variant v ON v.id = l.variant JOIN location p ON p.id = l.location
           WHERE (l.on_hand > 0 OR l.held > 0 OR l.incoming > 0)
             AND EXISTS (SELECT FROM bundle_component b WHERE b.bundle = l.variant)
           ORDER BY v.sku, p.code LIMIT 20"""
    )
    if not rows:
        return Finding("ok", "none has any")
    told = "; ".join(
        f"{row['sku']} at {row['code']}: {row['on_hand']} on hand, {row['held']} held, {row['incoming']} to come"
        for row in rows
    )
    return Finding(
        "warning",
        f"a set is sold from the stock of its parts, and these have stock that nobody sees: {told}",
        "Count its parts, and book its own units out by a correction (docs/concepts/sets.md)",
    )


async def _supplier_returns(database: Database) -> Finding:
    rows = await database.rows(
        """
        WITH moved AS (
            SELECT reference, -sum(quantity)::bigint AS units, -sum(value_e4)::bigint AS value FROM movement
            WHERE cause = 'supplier_return' GROUP BY 1
        )
        SELECT r.number, coalesce(l.units, 0) AS units, coalesce(m.units, 0) AS moved, coalesce(l.value, 0) AS value,
               coalesce(m.value, 0) AS moved_value, r.credited, coalesce(c.amount, 0) AS came
        FROM supplier_return r
        LEFT JOIN LATERAL (SELECT sum(quantity)::bigint AS units, sum(value_e4)::bigint AS value
                           FROM supplier_return_line WHERE supplier_return = r.id) l ON true
        LEFT JOIN LATERAL (SELECT sum(amount)::bigint AS amount FROM supplier_credit WHERE supplier_return = r.id) c ON true
        FULL JOIN moved m ON m.reference = r.id
        WHERE (coalesce(l.units, 0), coalesce(l.value, 0), coalesce(r.credited, 0))
              <> (coalesce(m.units, 0), coalesce(m.value, 0), coalesce(c.amount, 0))
        ORDER BY r.number LIMIT 20
        """
    )
    if not rows:
        return Finding("ok", "every return")
    told = [
        f"return {row['number']}: {row['units']} units worth {row['value']}, {row['moved']} worth {row['moved_value']} "
        f"left; credited {row['credited']}, its credit notes add up to {row['came']}"
        for row in rows[:SHOWN]
    ]
    return Finding("failed", "; ".join(told), "Nothing mends this by itself: look at its movements")


async def _transfers(database: Database) -> Finding:
    """By transfer, because lines change their names when catalogues are joined."""
    rows = await database.rows(
        """
        WITH line AS (
            SELECT transfer, sum(quantity)::bigint AS sent, sum(received)::bigint AS received, sum(lost)::bigint AS lost,
                   sum(value_e4)::bigint AS sent_e4, sum(received_e4)::bigint AS received_e4, sum(lost_e4)::bigint AS lost_e4
            FROM stock_transfer_line GROUP BY transfer
        ), moved AS (
            SELECT t.id, m.cause = 'loss' AS is_loss, m.location = t.origin AS is_origin,
                   sum(m.quantity)::bigint AS units, sum(m.value_e4)::bigint AS value
            FROM stock_transfer t JOIN movement m ON m.reference = t.id
            WHERE m.cause IN ('transfer_out', 'transfer_in', 'loss') GROUP BY 1, 2, 3
        ), truth AS (
            SELECT t.id, t.created_at, t.status, l.*,
                   coalesce(away.units, 0) AS away, coalesce(away.value, 0) AS away_e4, coalesce(came.units, 0) AS came,
                   coalesce(came.value, 0) AS came_e4, coalesce(gone.units, 0) AS gone, coalesce(gone.value, 0) AS gone_e4,
                   CASE WHEN t.status = 'cancelled' THEN l.received + l.lost ELSE l.sent END AS left_for_good,
                   CASE WHEN t.status = 'cancelled' THEN l.received_e4 + l.lost_e4 ELSE l.sent_e4 END AS left_e4
            FROM stock_transfer t JOIN line l ON l.transfer = t.id
            LEFT JOIN moved away ON away.id = t.id AND away.is_origin AND NOT away.is_loss
            LEFT JOIN moved came ON came.id = t.id AND NOT came.is_origin AND NOT came.is_loss
            LEFT JOIN moved gone ON gone.id = t.id AND gone.is_loss
        )
        SELECT id, left_for_good, -away AS away, received, lost, came, -gone AS gone FROM truth
        WHERE (left_for_good, left_e4, received + lost, received_e4 + lost_e4, lost, lost_e4)
              <> (-away, -away_e4, came, came_e4, -gone, -gone_e4)
           OR status <> 'cancelled' AND (status = 'in_transit') <> (received + lost < sent)
        ORDER BY created_at, id LIMIT 20
        """
    )
    if not rows:
        return Finding("ok", "every transfer")
    told = [
        f"transfer {row['id']}: {row['left_for_good']} units, {row['received']} arrived and {row['lost']} lost; by its "
        f"movements {row['away']}, {row['came'] - row['gone']} and {row['gone']}"
        for row in rows[:SHOWN]
    ]
    return Finding("failed", "; ".join(told), "Nothing mends this by itself: look at its movements")


def _finding(rows: list[Record], text: str, *, can_fix: bool = True) -> Finding:
    if not rows:
        return Finding("ok", "every level")
    told = [f"{row['sku']} at {row['code']}: {text.format(**dict(row))}" for row in rows[:SHOWN]]
    more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    advice = "samlad doctor --fix" if can_fix else "Book a correction: these numbers cannot be"
    return Finding("failed", "; ".join(told) + more, advice)


async def _fix_ledger(database: Database) -> int:
    async def work(tx: Tx) -> int:
        event = new_id()
        rows = await tx.rows(
            "SELECT location, variant, quantity, on_hand_after FROM stock_repair_ledger($1, $2)",
            tx.actor.label,
            event,
        )
        lines = [MovedLine(*row.values()) for row in rows]
        if lines:
            log.append(tx, StockMoved(cause=Cause.CORRECTION, reference=None, lines=lines), event_id=event)
        return len(lines)

    return await database.transaction(work)


async def _fix_lots(database: Database) -> int:
    async def work(tx: Tx) -> int:
        event = new_id()
        rows = await tx.rows("SELECT * FROM stock_repair_lots($1, $2)", tx.actor.label, event)
        named = [row for row in rows if row["outcome"] == "named"]
        dropped = [
            Hold(r["id"], r["location"], r["variant"], r["quantity"], HoldKind(r["kind"]), r["owner"])
            for r in rows
            if r["outcome"] == "dropped"
        ]
        if named:
            lines = [LotNamed(r["location"], r["variant"], r["lot"], r["quantity"]) for r in named]
            log.append(tx, LotsMended(lines=lines), event_id=event)
        if dropped:
            log.append(tx, StockLost(lines=released_lines(dropped)))
        return len({(row["location"], row["variant"]) for row in rows})

    return await database.transaction(work)


async def _fix_incoming(database: Database) -> int:
    async def work(tx: Tx) -> int:
        # Nobody orders, receives or cancels meanwhile: they would write to these tables first.
        await tx.execute(
            """LOCK TABLE purchase_order, purchase_order_line, stock_transfer, stock_transfer_line
               IN SHARE ROW EXCLUSIVE MODE"""
        )
        rows = await tx.rows(
            "SELECT location, variant, ordered - incoming AS units FROM stock_incoming_difference"
        )
        lines = [MoveLine(row["location"], row["variant"], row["units"]) for row in rows]
        dropped = await store.expect(tx, lines)
        if dropped:
            log.append(tx, StockLost(lines=released_lines(dropped)))
        return len(lines)

    return await database.transaction(work)


async def _fix_holds(database: Database) -> int:
    async def work(tx: Tx) -> int:
        count: int = await tx.value("SELECT count(*) FROM stock_hold_difference")
        rows = await tx.rows("SELECT id, location, variant, quantity, kind, owner FROM stock_repair_holds()")
        if rows:
            log.append(tx, StockLost(lines=released_lines(into(Hold, rows))))
        return count

    return await database.transaction(work)


CHECKS = [
    Check("stock-ledger", "What is on hand is the sum of its movements", _ledger, _fix_ledger),
    Check("stock-value", "What stock is worth is the sum of its movements", _values, _fix_ledger),
    Check(
        "stock-lots",
        "The lots of a level add up to it, and each is the sum of its movements",
        _lots,
        _fix_lots,
    ),
    Check("stock-holds", "What is held is the sum of its holds", _holds, _fix_holds),
    Check(
        "stock-incoming",
        "What is expected is what purchase orders and transfers say",
        _incoming,
        _fix_incoming,
    ),
    Check(
        "stock-supplier-returns",
        "What went back to suppliers left stock, and what they credited adds up",
        _supplier_returns,
    ),
    Check("stock-transfers", "What left with transfers has arrived, is lost or is under way", _transfers),
    Check("stock-sets", "No set has stock of its own", _sets),
    Check("stock-bounds", "No level is negative or oversold", _bounds),
    Check("stock-expired", "No expired hold is forgotten", _expired, sweep),
]
"""The checks of stock."""
