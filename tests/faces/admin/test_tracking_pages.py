"""Pages of sources and events: made, sent with, seen live, parked and tried again."""

import asyncio
from typing import Any

import httpx
import pytest
from browser import Site
from market import text_of
from playwright.async_api import expect

import horizon
from samlad.access import clients
from samlad.access.clients import ClientInput
from samlad.access.permissions import Role
from samlad.customers import tombstones
from samlad.kernel import followers
from samlad.kernel.database import Database
from samlad.tracking import known, planning, sources
from samlad.tracking.model import Policy, SchemaInput, SourceChange
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
    late = await api.post(path, data={"name": "Mine", "per_second": "60", "version": "1"})
    assert late.status_code == 412
    assert 'value="Mine"' in late.text
    audit = await db.value("SELECT count(*) FROM audit_entry WHERE subject_type = 'tracking_source'")
    assert audit >= 5


async def test_a_parked_event_is_tried_again(api: httpx.AsyncClient, db: Database) -> None:
    tracked = await open_tracked(db)
    plan = SchemaInput(event="Clicked", schema={"required": ["where"]}, policy=Policy.PARK)
    line = await db.transaction(lambda tx: planning.set_schema(tx, plan))
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
    await db.transaction(lambda tx: planning.remove_schema(tx, line.id))
    tried = await api.post(f"/api/tracking/parked/{rows[0]['id']}/retry")
    assert tried.json() == {"is_taken": True, "reason": None, "detail": None}
    assert (await api.post(f"/api/tracking/parked/{rows[0]['id']}/retry")).status_code == 404
    (event,) = await tracked.events("message_id", "received_at", "occurred_at")
    assert (event["received_at"] - event["occurred_at"]).total_seconds() == 1, "the time of when it came"
    assert [reason for reason, _ in await tracked.parked()] != ["plan"]


async def test_a_plan_is_learned_saved_and_removed(api: httpx.AsyncClient, db: Database) -> None:
    tracked = await open_tracked(db)
    events = [track(n, properties={"where": "top", "price": n}) for n in range(6)]
    assert (
        await api.post("/v1/batch", json={"batch": events}, headers=tracked.browser.basic)
    ).status_code == 200
    assert "Clicked" in (await api.get("/admin/tracking/plan")).text, "came lately and is not in the plan"
    learned = await api.post(
        "/admin/tracking/plan/new", data={"event": "Clicked", "learn": "1", "source": ""}
    )
    assert learned.status_code == 200
    assert "Learned from 6 events" in learned.text
    assert "&#34;where&#34;" in learned.text
    form = {"event": "Clicked", "policy": "drop", "source": str(tracked.browser.source.id)}
    wrong = await api.post("/admin/tracking/plan/new", data=form | {"schema": "{"})
    assert wrong.status_code == 422
    saved = await api.post(
        "/admin/tracking/plan/new", data=form | {"schema": '{"properties": {"price": {"type": "string"}}}'}
    )
    assert saved.status_code == 303, saved.text
    path = saved.headers["location"]
    assert "Version 1" in (await api.get(path)).text
    sent = await api.post("/v1/track", json=track(9, properties={"price": 1}), headers=tracked.browser.basic)
    assert sent.status_code == 200
    faults = (await api.get("/admin/tracking/plan/violations?event=Clicked")).text
    assert "/price" in faults
    assert "Dropped" in faults
    assert (await api.post(f"{path}/remove")).status_code == 303
    assert (await api.get(path)).status_code == 404


async def test_parked_events_by_their_pages(api: httpx.AsyncClient, db: Database) -> None:
    tracked = await open_tracked(db)
    plan = SchemaInput(event="Clicked", schema={"required": ["where"]}, policy=Policy.PARK)
    line = await db.transaction(lambda tx: planning.set_schema(tx, plan))
    batch = {"batch": [track(n) for n in range(3)] + [{"type": "track"}]}
    assert (await api.post("/v1/batch", json=batch, headers=tracked.browser.basic)).status_code == 200
    shown = (await api.get("/admin/tracking/parked?reason=plan&span=week")).text
    assert "plan (3)" in shown
    assert "parked by reason: plan 3, nobody 1" in shown
    live = (await api.get("/admin/tracking/events")).text
    assert live.count("/admin/tracking/parked/") == 4, "parked is a verdict, too"
    assert "/admin/tracking/parked/" not in (await api.get("/admin/tracking/events?violating=no")).text
    one = (await api.get("/api/tracking/parked?reason=plan")).json()["items"][0]["id"]
    page = (await api.get(f"/admin/tracking/parked/{one}")).text
    assert f"/admin/tracking/plan/{line.id}" in page
    tried = await api.post("/admin/tracking/parked/retry", data={"reason": "plan"})
    assert tried.headers["location"] == "/admin/tracking/parked?reason=plan"
    assert len(await tracked.parked()) == 4
    await db.transaction(lambda tx: planning.remove_schema(tx, line.id))
    assert (await api.post("/admin/tracking/parked/retry", data={"reason": "plan"})).status_code == 303
    assert await tracked.parked() == [("nobody", None)]
    last = await db.value("SELECT id FROM tracking_parked")
    assert (await api.post(f"/admin/tracking/parked/{last}/discard")).status_code == 303
    assert await tracked.parked() == []
    form = {"name": "Webshop", "per_second": "60", "blocks": "Clicked\n\n page \nClicked"}
    assert (await api.post(f"/admin/tracking/{tracked.browser.source.id}", data=form)).status_code == 303
    source = (await api.get(f"/api/tracking/sources/{tracked.browser.source.id}")).json()
    assert source["blocks"] == ["Clicked", "page"]
    assert "Clicked\npage</textarea>" in (await api.get(f"/admin/tracking/{source['id']}?span=month")).text


async def test_events_that_lost_their_person_say_why(api: httpx.AsyncClient, db: Database) -> None:
    """Taken and yet nobody's: whoever debugs a page would look for the fault in what it sends."""
    tracked = await open_tracked(db)
    needs = SourceChange(needs=["performance", "targeting"])
    await db.transaction(lambda tx: sources.change(tx, tracked.browser.source.id, needs))
    half = {"consent": {"categoryPreferences": {"performance": True, "targeting": False}}}
    batch = {"batch": [track(1, context=half), track(2, event="Seen")]}
    assert (await api.post("/v1/batch", json=batch, headers=tracked.browser.basic)).status_code == 200
    server = {"batch": [track(3, event="Told", context={"consent": {"verdict": "mine", "odd": 1}})]}
    assert (await api.post("/v1/batch", json=server, headers=tracked.server.basic)).status_code == 200
    shown = text_of((await api.get("/admin/tracking/events", headers={"accept-language": "en"})).text)
    assert "Without the person No consent to: Advertising" in shown
    assert "Without the person No consent to: Statistics, Advertising" in shown
    assert shown.count("Without the person") == 2
    await db.transaction(lambda tx: tombstones.bury(tx, ["kim"]))
    known.forget()
    again = {"batch": [track(4, userId="kim", event="Back")]}
    assert (await api.post("/v1/batch", json=again, headers=tracked.server.basic)).status_code == 200
    assert "They were erased" in (await api.get("/admin/tracking/events")).text


async def test_a_plan_is_taken_over_by_its_page(api: httpx.AsyncClient, db: Database) -> None:
    path, text = "/admin/tracking/plan/import", '{"$defs": {"Clicked": {"required": ["where"]}}}'
    assert (await api.get(path)).status_code == 200
    looked = await api.post(path, data={"document": text, "look": "1"})
    assert "What it would change" in looked.text
    assert await db.value("SELECT count(*) FROM tracking_schema") == 0
    wrong = await api.post(path, data={"document": '{"$defs": {"Clicked": {"type": 7}}}'})
    assert wrong.status_code == 422
    assert "$defs/Clicked/schema: no JSON Schema" in wrong.text
    assert (await api.post(path, data={"document": text})).status_code == 303
    assert "Clicked" in (await api.get("/admin/tracking/plan")).text


async def test_an_oauth_client_by_its_pages(api: httpx.AsyncClient, db: Database) -> None:
    form = {"name": "Warehouse", "token_seconds": "900"}
    assert (await api.post("/admin/keys/clients/new", data=form)).status_code == 422
    made = await api.post("/admin/keys/clients/new", data=form | {"scopes": "stock.read"})
    assert made.status_code == 201
    assert "cs_live_" in made.text
    row = (await api.get("/api/oauth-clients")).json()["items"][0]
    path = f"/admin/keys/clients/{row['id']}"
    page = await api.get(path)
    assert (page.status_code, page.headers.get("cache-control") is not None) == (200, True)
    changed = await api.post(
        path, data={"name": "Depot", "token_seconds": "600", "version": "1", "scopes": "stock.read"}
    )
    assert changed.status_code == 303, changed.text
    again = await api.post(f"{path}/secrets", data={"others_end_in_hours": "1"})
    assert again.status_code == 201
    secrets = (await api.get(f"/api/oauth-clients/{row['id']}")).json()["secrets"]
    assert (await api.post(f"{path}/secrets/{secrets[1]['id']}/end")).status_code == 303
    assert (await api.post(f"{path}/revoke")).status_code == 303
    assert "Revoked" in (await api.get("/admin/keys/clients")).text


@pytest.mark.browser
async def test_an_event_is_deleted_on_the_page(site: Site, db: Database) -> None:
    tracked = await open_tracked(db)
    page = await site.staff(width=390)
    async with httpx.AsyncClient(base_url=site.url) as client:
        batch = {"batch": [track(1, event="Viewed"), track(2, event="Kept")]}
        await client.post("/v1/batch", json=batch, headers=tracked.browser.basic)
        await page.goto("/admin/tracking/events?source=" + str(tracked.browser.source.id))
        await page.get_by_role("button", name="Delete Viewed").focus()
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Delete this event?")
        await expect(dialog).to_contain_text("Viewed")
        await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
        await site.fine(page)
        await site.picture(page, "tracking-event-delete")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("The event is gone.")).to_be_visible()
        assert str(tracked.browser.source.id) in page.url, "the list is as it was"
        await expect(page.locator("#stream tbody tr")).to_have_count(1)
        await expect(page.locator("#stream")).to_contain_text("Kept")
        await client.post("/v1/batch", json=batch, headers=tracked.browser.basic)
    assert await tracked.events("name") == [{"name": "Kept"}]
    reader = await site.staff(Role.DEVELOPER, name="Dan Developer")
    await reader.goto("/admin/tracking/events")
    await expect(reader.locator("#stream")).to_contain_text("Kept")
    await expect(reader.get_by_role("button", name="Delete Kept")).to_have_count(0)


@pytest.mark.browser
async def test_events_are_seen_as_they_arrive(site: Site, db: Database) -> None:
    tracked = await open_tracked(db)
    given = ClientInput(name="Warehouse", scopes=["stock.read"])
    machine = await db.transaction(lambda tx: clients.create(tx, given))
    page = await site.staff(width=1440)
    await page.goto("/admin/tracking/events")
    await expect(page.get_by_text("No events yet")).to_be_visible()
    await site.fine(page)
    async with httpx.AsyncClient(base_url=site.url) as client:
        plan = SchemaInput(event="Viewed", schema={"required": ["product_id"]})
        await db.transaction(lambda tx: planning.set_schema(tx, plan))
        batch = {"batch": [track(1), track(2, event="Viewed", properties={"a": 1}), {"type": "track"}]}
        sent = await client.post("/v1/batch", json=batch, headers=tracked.browser.basic)
        assert sent.content == b'{"success":true}'
        await expect(page.locator("#stream tbody tr")).to_have_count(3)  # what was parked, too
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
        await expect(page.locator("#stream tbody tr")).to_have_count(min(50, 3 + streamed) + 1)
    for path, name in (
        ("/admin/tracking", "tracking"),
        (f"/admin/tracking/{tracked.browser.source.id}", "tracking-source"),
        ("/admin/tracking/parked", "tracking-parked"),
        ("/admin/tracking/new", "tracking-new"),
        ("/admin/tracking/plan", "tracking-plan"),
        ("/admin/tracking/plan/violations", "tracking-violations"),
        ("/admin/tracking/plan/new?event=Viewed", "tracking-schema"),
        ("/admin/keys/clients", "oauth-clients"),
        (f"/admin/keys/clients/{machine.client.id}", "oauth-client"),
    ):
        for width in (390, 1440):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.goto(path)
            await site.fine(page)
        await site.picture(page, name)
