"""Pages of sources and events: made, sent with, seen live, parked and tried again."""

import asyncio
from typing import Any

import httpx
import pytest
from browser import Site
from playwright.async_api import expect

import horizon
from samlad.kernel import followers
from samlad.kernel.database import Database
from samlad.tracking import sources
from samlad.tracking.model import Policy, SchemaInput
from samlad.tracking.resolving import FOLLOWERS
from tracked import open_tracked


def track(number: int, **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Clicked", "anonymousId": "a", "messageId": f"m{number}", **fields}


async def test_a_source_from_the_form_to_its_first_event(api: httpx.AsyncClient, db: Database) -> None:
    tracked = await open_tracked(db)
    form = {
        "name": "Mobile app",
        "channel": str(tracked.web.id),
        "kind": "server",
        "device_class": "personal",
    }
    wrong = await api.post("/admin/tracking/new", data=form | {"per_second": "0"})
    assert wrong.status_code == 422
    made = await api.post("/admin/tracking/new", data=form | {"per_second": "50"})
    assert made.status_code == 303, made.text
    path = made.headers["location"]
    shown = await api.post(f"{path}/keys", data={"others_end_in_hours": ""})
    assert shown.status_code == 201
    secret = next(part for part in shown.text.split('"') if part.startswith("ws_") and len(part) == 46)
    assert secret not in (await api.get(path)).text, "shown this once"
    again = await api.post(f"{path}/keys", data={"others_end_in_hours": "0"})
    assert again.status_code == 201, "rotated"
    refused = await api.post("/v1/track", json=track(1), headers={"X-Write-Key": secret})
    assert refused.status_code == 401
    assert (await api.post(f"{path}/switch", data={})).status_code == 303
    assert "Off" in (await api.get("/admin/tracking?q=mobile")).text
    changed = await api.post(path, data={"name": "App", "per_second": "60"})
    assert changed.status_code == 303
    audit = await db.value("SELECT count(*) FROM audit_entry WHERE subject_type = 'tracking_source'")
    assert audit >= 5


async def test_a_parked_event_is_tried_again(api: httpx.AsyncClient, db: Database) -> None:
    tracked = await open_tracked(db)
    plan = SchemaInput(event="Clicked", schema={"required": ["where"]}, policy=Policy.PARK)
    line = await db.transaction(lambda tx: sources.set_schema(tx, plan))
    batch = {
        "batch": [track(1, timestamp="2026-11-01T10:00:00Z"), {"type": "track"}],
        "sentAt": "2026-11-01T10:00:01Z",
    }
    assert (await api.post("/v1/batch", json=batch, headers=tracked.browser.basic)).status_code == 200
    page = await api.get("/admin/tracking/parked")
    assert "is a required property" in page.text
    rows = (await api.get("/api/tracking/parked?reason=plan")).json()["items"]
    again = await api.post(f"/admin/tracking/parked/{rows[0]['id']}/retry")
    assert again.status_code == 303
    assert (
        await tracked.parked() == [("plan", "Clicked"), ("nobody", None)] or len(await tracked.parked()) == 2
    )
    await db.transaction(lambda tx: sources.remove_schema(tx, line.id))
    tried = await api.post(f"/api/tracking/parked/{rows[0]['id']}/retry")
    assert tried.json() == {"is_taken": True, "reason": None, "detail": None}
    assert (await api.post(f"/api/tracking/parked/{rows[0]['id']}/retry")).status_code == 404
    (event,) = await tracked.events("message_id", "received_at", "occurred_at")
    assert (event["received_at"] - event["occurred_at"]).total_seconds() == 1, "the time of when it came"
    assert [reason for reason, _ in await tracked.parked()] != ["plan"]


@pytest.mark.browser
async def test_events_are_seen_as_they_arrive(site: Site, db: Database) -> None:
    tracked = await open_tracked(db)
    page = await site.staff(width=1440)
    await page.goto("/admin/tracking/events")
    await expect(page.get_by_text("No events yet")).to_be_visible()
    await site.fine(page)
    async with httpx.AsyncClient(base_url=site.url) as client:
        plan = SchemaInput(event="Viewed", schema={"required": ["product_id"]})
        await db.transaction(lambda tx: sources.set_schema(tx, plan))
        batch = {"batch": [track(1), track(2, event="Viewed", properties={"a": 1}), {"type": "track"}]}
        sent = await client.post("/v1/batch", json=batch, headers=tracked.browser.basic)
        assert sent.content == b'{"success":true}'
        await expect(page.locator("#stream tbody tr")).to_have_count(2)
        await expect(page.locator("#stream")).to_contain_text("in a moment")
        await horizon.passed(db)
        await followers.register(db, FOLLOWERS)
        while await followers.step(db, FOLLOWERS[0]):
            pass
        await expect(page.locator("#stream")).not_to_contain_text("in a moment")
        await site.fine(page)
        await site.picture(page, "tracking-events")
        await page.set_viewport_size({"width": 1440, "height": 900})
        async with asyncio.timeout(30):  # a stream that never pauses is shown, too
            number, row = 100, page.locator("#stream tbody tr").filter(has_text="Streamed")
            while not await row.count():
                number += 1
                await client.post(
                    "/v1/track", json=track(number, event="Streamed"), headers=tracked.browser.basic
                )
        streamed = await tracked.db.value("SELECT count(*) FROM tracked_event WHERE name = 'Streamed'")
        await page.get_by_role("link", name="Pause").click()
        await expect(page.get_by_role("link", name="Go on")).to_be_visible()
        await client.post("/v1/track", json=track(3), headers=tracked.browser.basic)
        await page.get_by_role("link", name="Go on").click()
        await expect(page.locator("#stream tbody tr")).to_have_count(min(50, 3 + streamed))
    for path, name in (
        ("/admin/tracking", "tracking"),
        (f"/admin/tracking/{tracked.browser.source.id}", "tracking-source"),
        ("/admin/tracking/parked", "tracking-parked"),
        ("/admin/tracking/new", "tracking-new"),
    ):
        for width in (390, 1440):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.goto(path)
            await site.fine(page)
        await site.picture(page, name)
