"""Events are kept as long as the rule says that names most, and single ones can be deleted."""

from datetime import timedelta
from typing import Any

import httpx

from samlad.kernel.clock import now
from samlad.kernel.ids import new_id
from samlad.tracking import intake, known, retention
from samlad.tracking.bodies import Envelope
from tracked import Tracked


async def test_events_are_forgotten_by_rule_and_by_hand(api: httpx.AsyncClient, tracked: Tracked) -> None:
    async def take(days: int, body: bytes) -> None:
        here = await known.known(tracked.db)
        found = intake.sort_out(
            here, tracked.server.source, Envelope(events=[body]), received_at=now() - timedelta(days=days)
        )
        await tracked.db.companion(intake.Intake).take(tracked.server.source, found)

    async def left() -> list[tuple[str, Any]]:
        rows = await tracked.db.rows("SELECT type, name FROM tracked_event ORDER BY received_at, id")
        return [(row["type"], row["name"]) for row in rows]

    view = b'{"type": "track", "event": "Viewed", "userId": "u"}'
    order = b'{"type": "track", "event": "Order Completed", "userId": "u"}'
    page = b'{"type": "page", "name": "Home", "userId": "u"}'
    for body in (view, order, page):
        await take(40, body)
    await take(5, view)
    assert await retention.sweep(tracked.db) == 0
    rules = [
        {"days": 365},
        {"type": "track", "days": 30},
        {"type": "track", "name": "Order Completed", "days": 300},
    ]
    for rule in (*rules, rules[1]):
        set_to = await api.put("/api/tracking/retention", json=rule)
        assert (set_to.status_code, set_to.json()["version"]) == (200, 1), set_to.text
    assert (await api.put("/api/tracking/retention", json={"name": "X", "days": 3})).status_code == 422
    assert await retention.sweep(tracked.db) == 1
    assert await left() == [("track", "Order Completed"), ("page", "Home"), ("track", "Viewed")]
    assert await tracked.db.value("SELECT count(*) FROM event WHERE type = 'tracking.forgotten'") == 1
    forgotten = "SELECT after ->> 'events' FROM audit_entry WHERE verb = 'tracking_retention.forgotten'"
    assert await tracked.db.value(forgotten) == "1"
    found = (await api.get("/api/tracking/retention")).json()["rules"]
    assert [rule["days"] for rule in found] == [365, 30, 300]
    path = f"/api/tracking/retention/{found[2]['id']}"
    assert [(await api.delete(path)).status_code for _ in range(2)] == [204, 404]
    assert await retention.sweep(tracked.db) == 1  # now the rule of its type holds

    event = await tracked.db.value("SELECT id FROM tracked_event WHERE type = 'page'")
    assert (await api.delete(f"/api/tracking/events/{event}")).status_code == 204
    assert (await api.delete(f"/api/tracking/events/{event}")).status_code == 404
    assert (await api.delete(f"/api/tracking/events/{new_id()}")).status_code == 404
    assert await left() == [("track", "Viewed")]
