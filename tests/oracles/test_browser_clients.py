"""Clients of Segment, RudderStack and Jitsu in a real browser, as their makers published them, against our server."""

import contextlib
from collections import Counter

import pytest
from browser import Site
from faulty import BUSY, DROP, SLOW_DOWN, TWICE, UNANSWERED, faulty
from in_browsers import open_client, until

import horizon
from samlad import identity
from samlad.kernel import followers
from samlad.kernel.database import Database
from samlad.tracking.model import DeviceClass
from samlad.tracking.resolving import FOLLOWERS
from tracked import open_door, open_tracked

pytestmark = [pytest.mark.browser, pytest.mark.slow]

FAULTS = {
    "segment": (TWICE, BUSY, UNANSWERED, SLOW_DOWN, DROP),
    "rudder": (TWICE, BUSY, UNANSWERED, SLOW_DOWN, DROP),
    "jitsu": (TWICE, UNANSWERED, TWICE),  # it tries nothing again: what is refused is lost
}
ADDRESSES = {
    "segment": {"/v1/p", "/v1/t", "/v1/i", "/v1/g", "/v1/a"},
    "rudder": {"/v1/page", "/v1/track", "/v1/identify", "/v1/group", "/v1/alias"},
    "jitsu": {"/api/s/page", "/api/s/track", "/api/s/identify", "/api/s/group"},
}


async def test_what_browsers_send_arrives_once(site: Site, db: Database) -> None:
    tracked = await open_tracked(db)
    # All before the first request: a process knows new keys after two seconds, and Jitsu's client tries nothing again.
    doors = {name: await open_door(db, tracked.web.id) for name in FAULTS}
    for name, faults in FAULTS.items():
        door = doors[name]
        async with contextlib.AsyncExitStack() as stack:
            proxy = await stack.enter_async_context(faulty(site.url, *faults))
            client = await open_client(stack, site, name, proxy.url, door)
            if name == "rudder":
                await client.call("page", "Front")
            await client.call("track", "Product Viewed", {"product_id": "kettle"})
            await client.call("identify", "kim", {"email": "kim@example.org"})
            await client.call("track", "Product Added", {"product_id": "kettle"})
            await client.call("group", "acme", {"size": 3})
            if name != "jitsu":
                await client.call("alias", "kim-2")
            expected = Counter(page=1, track=2, identify=1, group=1, alias=int(name != "jitsu"))
            found = await until(tracked, door, expected.total())
            assert +Counter(event["type"] for event in found) == +expected, name
            assert len({event["anonymous_id"] for event in found if event["anonymous_id"]}) == 1, name
            identified = next(event for event in found if event["type"] == "identify")
            assert (identified["user_id"], identified["traits"]["email"]) == ("kim", "kim@example.org")
            assert {fault for _, fault in proxy.seen} >= set(faults), name
            assert {path.partition("?")[0] for path, _ in proxy.seen} >= ADDRESSES[name]
            await client.page.close()
        assert await tracked.parked() == []


async def test_three_people_at_a_tablet_stay_three(site: Site, db: Database) -> None:
    """A, B without a reset, then a reset and C. RudderStack's client keeps one anonymousId for all of them, Jitsu's for A and B."""
    tracked = await open_tracked(db)
    anonymous: dict[str, list[str | None]] = {}
    doors = {n: await open_door(db, tracked.web.id, device_class=DeviceClass.SHARED) for n in FAULTS}
    for name, door in doors.items():
        async with contextlib.AsyncExitStack() as stack:
            client = await open_client(stack, site, name, site.url, door)
            count = int(name != "rudder")  # the others told of the page
            await until(tracked, door, count)
            for person in "abc":
                if person == "c":
                    await client.call("reset")
                await client.call("identify", f"{name}-{person}", {"email": f"{person}-{name}@example.org"})
                await client.call("track", "Product Viewed", {"product_id": "kettle"})
                count += 2
                await until(tracked, door, count)
            found = await until(tracked, door, count)
            anonymous[name] = [event["anonymous_id"] for event in found if event["type"] == "identify"]
            await client.page.close()
    assert [len(set(anonymous[name])) for name in FAULTS] == [3, 1, 2], "as was measured"

    await horizon.passed(db)
    await followers.register(db, FOLLOWERS)
    while await followers.step(db, FOLLOWERS[0]):
        pass
    rows = await db.rows(
        """SELECT e.user_id, p.identity, p.failure FROM tracked_event e JOIN tracked_profile p
           ON p.received_at = e.received_at AND p.event = e.id WHERE e.user_id IS NOT NULL"""
    )
    assert {row["failure"] for row in rows} == {None}
    current = await identity.current(db, [row["identity"] for row in rows])
    people: dict[str, set[object]] = {}
    for row in rows:
        people.setdefault(row["user_id"], set()).add(current[row["identity"]])
    assert {user: len(found) for user, found in people.items()} == {
        f"{n}-{p}": 1 for n in FAULTS for p in "abc"
    }
    assert len(set().union(*people.values())) == 9, "nine people, and each is somebody else"
