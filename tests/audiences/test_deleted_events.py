"""An event that staff delete, or that is kept no longer, is gone from everything that was worked out of it, and stays gone."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx

from audience import Audience
from samlad.kernel.clock import now
from samlad.tracking import checks, housekeeping, retention
from samlad.tracking.model import SourceKind
from tracked import Door, open_door

VIEWED = {"kind": "event", "name": "Product Viewed", "at_least": 1}


class Reported:
    """A program that reports what one person does, and what is known of that person."""

    def __init__(self, audience: Audience, api: httpx.AsyncClient, door: Door, customer: UUID) -> None:
        self.audience, self.api, self.door, self.customer = audience, api, door, customer

    async def sends(self, number: int, name: str | None, **more: Any) -> None:
        kind = {"type": "page", "name": "Home"} if name is None else {"type": "track", "event": name}
        event = {
            "messageId": f"m{number}",
            "userId": "kim",
            "context": {"traits": {"email": "kim@example.org"}},
            **kind,
            **more,
        }
        batch = {"batch": [event], "sentAt": now().isoformat()}
        answer = await self.api.post("/v1/batch", json=batch, headers=self.door.basic)
        assert answer.content == b'{"success":true}'
        await self.audience.follow()

    async def event(self, number: int) -> UUID | None:
        found: UUID | None = await self.audience.db.value(
            "SELECT id FROM tracked_event WHERE message_id = $1", f"m{number}"
        )
        return found

    async def timeline(self) -> list[str]:
        path = f"/api/customers/{self.customer}/timeline?kind=browsing"
        return [each["name"] for each in (await self.api.get(path)).json()["items"]]

    async def traits(self) -> dict[str, Any]:
        found = await self.api.get(f"/api/customers/{self.customer}?parts=traits")
        return dict(found.json()["traits"])


async def reported(audience: Audience, api: httpx.AsyncClient) -> Reported:
    door = await open_door(audience.db, audience.trade.web.id, kind=SourceKind.SERVER)
    customer = await audience.person(email="kim@example.org")
    await audience.follow()
    return Reported(audience, api, door, customer)


async def test_a_deleted_event_is_gone_everywhere_and_stays_gone(
    audience: Audience, api: httpx.AsyncClient
) -> None:
    kim = await reported(audience, api)
    viewers = await audience.segment("Viewers", VIEWED)
    long_ago = (now() - timedelta(days=20)).isoformat()
    await kim.sends(1, "Product Viewed", timestamp=long_ago)
    await kim.sends(2, None)
    assert await audience.members(viewers.id) == {kim.customer}
    assert (await kim.timeline()) == ["Home", "Product Viewed"]
    assert (await kim.traits())["first_seen"][:10] == long_ago[:10]

    assert (await api.delete(f"/api/tracking/events/{await kim.event(1)}")).status_code == 204
    await audience.follow()
    assert await audience.members(viewers.id) == set()
    assert (await kim.timeline()) == ["Home"]
    made = await audience.db.value("SELECT created_at FROM customer WHERE id = $1", kim.customer)
    assert (await kim.traits())["first_seen"][:10] == made.isoformat()[:10], "worked out anew"
    verb = "SELECT count(*) FROM audit_entry WHERE verb = 'tracked_event.deleted'"
    assert await audience.db.value(verb) == 1

    # The client sends it again, at once and long after its message is forgotten.
    await kim.sends(1, "Product Viewed", timestamp=long_ago)
    assert await kim.event(1) is None
    await audience.db.rows(
        "UPDATE tracked_message SET received_at = received_at - interval '3 days' RETURNING 1"
    )
    await housekeeping.sweep(audience.db)
    assert await audience.db.value("SELECT count(*) FROM tracked_message") == 0
    await kim.sends(1, "Product Viewed", timestamp=long_ago)
    assert (await kim.event(1), await audience.members(viewers.id)) == (None, set())
    await kim.sends(3, "Product Viewed")
    assert await audience.members(viewers.id) == {kim.customer}, "another message is another event"


async def test_where_events_landed_that_are_gone_since_long_ago_is_forgotten(
    audience: Audience, api: httpx.AsyncClient
) -> None:
    """Before, events could go without it: a timeline would show nothing, and when somebody was first seen would be wrong."""
    kim = await reported(audience, api)
    (check,) = checks.CHECKS
    assert check.fix is not None
    await kim.sends(1, "Product Viewed")
    assert (await check.look(audience.db)).status == "ok"
    long_ago = now() - timedelta(days=900)
    await audience.db.transaction(
        lambda tx: tx.execute(
            """INSERT INTO tracked_profile (event, received_at, occurred_at, identity)
               SELECT gen_random_uuid(), $1, $1, identity FROM tracked_profile, generate_series(1, 3)""",
            long_ago,
        )
    )
    found = await check.look(audience.db)
    assert (found.status, found.advice) == ("warning", "samlad doctor --fix")
    assert (await kim.traits())["first_seen"][:10] == long_ago.isoformat()[:10]
    assert [await check.fix(audience.db) for _ in range(2)] == [3, 0]
    assert (await check.look(audience.db)).status == "ok"
    assert (await kim.timeline()) == ["Product Viewed"]
    assert (await kim.traits())["first_seen"][:10] != long_ago.isoformat()[:10]


async def test_what_is_kept_no_longer_counts_no_more(audience: Audience, api: httpx.AsyncClient) -> None:
    kim = await reported(audience, api)
    segments = {
        name: (await audience.segment(name, VIEWED | {"name": name})).id
        for name in ("Product Viewed", "Home", "Order Completed")
    }
    long_ago = (now() - timedelta(days=40)).isoformat()
    for number, name in enumerate(("Product Viewed", None, "Order Completed"), 1):
        await kim.sends(number, name, timestamp=long_ago)
    await arrived_before(audience, timedelta(days=40))
    for rule in ({"type": "track", "name": "Product Viewed", "days": 30}, {"type": "page", "days": 20}):
        assert (await api.put("/api/tracking/retention", json=rule)).status_code == 200
    assert await retention.sweep(audience.db) == 2
    await audience.follow()
    assert await kim.timeline() == ["Order Completed"]
    inside = {name: await audience.members(id_) for name, id_ in segments.items()}
    assert inside == {"Product Viewed": set(), "Home": set(), "Order Completed": {kim.customer}}
    await audience.sound()


async def arrived_before(audience: Audience, ago: timedelta) -> None:
    """As if what is stored had come then. The guard of events lets nobody rewrite them, so they are stored once more."""
    for table in ("tracked_event", "tracked_profile"):
        await audience.db.rows(
            f"""WITH gone AS (DELETE FROM {table} RETURNING *)
                INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, to_jsonb(gone)
                    || jsonb_build_object('received_at', received_at - $1::interval))).* FROM gone RETURNING 1""",
            ago,
        )
