"""The doctor counts days and slots anew."""

from datetime import date

from samlad.delivery.checks import CHECKS
from samlad.kernel import checks
from samlad.kernel.ids import new_id
from trade import Trade

DAY = date(2026, 11, 27)


async def test_what_days_and_slots_count_is_found_and_mended(trade: Trade) -> None:
    here, lund, order = trade.warehouse.id, trade.at_lund.id, new_id()
    method = new_id()
    await trade.db.rows(
        """INSERT INTO delivery_method (id, channel, code, kind, name, currency, zones, rate, calendar, pick_minutes, pack_minutes)
           VALUES ($1, $2, 'bike', 'same_day', 'Bike', 'SEK', '[]', '{}', '{}', 1, 1) RETURNING 1""",
        method,
        trade.web.id,
    )
    for damage in (
        ("INSERT INTO delivery_load (location, day, orders, units) VALUES ($1, $2, 3, 5)", here, DAY),
        ("INSERT INTO delivery_share (owner, location, day, units) VALUES ($1, $2, $3, 4)", order, lund, DAY),
        ("INSERT INTO delivery_slot (method, day, location, start, orders) VALUES ($1, $2, $3, '17:00', 2)", method, DAY, here),
        ("INSERT INTO delivery_slot_share (owner, method, day, location, start) VALUES ($1, $2, $3, $4, '17:00')", order, method, DAY, here),
    ):  # fmt: skip
        await trade.db.rows(f"{damage[0]} RETURNING 1", *damage[1:])
    days, slots = await checks.run(trade.db, CHECKS)
    assert (days.status, slots.status) == ("failed", "failed")
    assert f"{here} {DAY}: orders 3, really 0, units 5, really 0" in days.message
    assert f"{lund} {DAY}: orders 0, really 1, units 0, really 4" in days.message
    assert slots.message == f"{here} {method} {DAY} 17:00: orders 2, really 1"
    days, slots = await checks.run(trade.db, CHECKS, fix=True)
    assert (days.status, days.fixed, slots.status, slots.fixed) == ("ok", 2, "ok", 1)
    kept = await trade.db.rows("SELECT location, orders, units FROM delivery_load ORDER BY units")
    assert [tuple(row.values()) for row in kept] == [(here, 0, 0), (lund, 1, 4)]
