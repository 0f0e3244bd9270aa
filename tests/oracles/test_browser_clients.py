"""Clients of Segment, RudderStack and Jitsu in a real browser, as their makers published them, against our server."""

import contextlib
from collections import Counter

import pytest
from browser import Site
from faulty import BUSY, DROP, LATER, PASS, RETRY_AFTER, SLOW_DOWN, TWICE, UNANSWERED, faulty
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
    "segment": (TWICE, BUSY, UNANSWERED, SLOW_DOWN, DROP, LATER),
    "rudder": (TWICE, BUSY, UNANSWERED, SLOW_DOWN, DROP, LATER),
    "jitsu": (TWICE, UNANSWERED, TWICE, LATER),  # it tries nothing again: what is refused is lost
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
            if name != "jitsu":
                assert min(proxy.waited) >= RETRY_AFTER * 0.95, "a page of another origin reads Retry-After"
            await client.page.close()
        assert await tracked.parked() == []


OTHER_WAYS = {
    "segment-batches": ((UNANSWERED, BUSY, TWICE, DROP), "/v1/b"),
    "rudder-batches": ((UNANSWERED, BUSY, TWICE, DROP), "/v1/batch"),
    "rudder-beacon": ((TWICE, UNANSWERED), "/beacon/v1/batch"),  # nobody hears what a beacon is answered
}


async def test_batches_and_beacons_of_browsers_arrive_once(site: Site, db: Database) -> None:
    tracked = await open_tracked(db)
    doors = {name: await open_door(db, tracked.web.id) for name in OTHER_WAYS}
    for name, (faults, address) in OTHER_WAYS.items():
        async with contextlib.AsyncExitStack() as stack:
            proxy = await stack.enter_async_context(faulty(site.url, *faults))
            client = await open_client(stack, site, name, proxy.url, doors[name])
            count = pages = int(name == "segment-batches")
            for _ in range(
                20
            ):  # until everything has gone wrong: how many requests that takes is the client's
                for _ in range(4):
                    await client.call("track", "Product Viewed", {"n": count})
                    count += 1
                await until(tracked, doors[name], count)
                if sum(fault != PASS for _, fault in proxy.seen) == len(faults):
                    break
            found = await until(tracked, doors[name], count)
            assert Counter(event["type"] for event in found) == +Counter(track=count - pages, page=pages), (
                name
            )
            broken = [(path.partition("?")[0], fault) for path, fault in proxy.seen if fault in faults]
            assert broken == [(address, fault) for fault in faults], name
            await client.page.close()
    assert await tracked.parked() == []


async def test_a_browser_that_sends_too_much_is_slowed_down_and_loses_nothing(
    site: Site, db: Database
) -> None:
    """The refusals are our own server's, to a page of another origin."""
    tracked = await open_tracked(db)
    slow = await open_door(db, tracked.web.id, per_second=1)
    async with contextlib.AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(faulty(site.url))
        client = await open_client(stack, site, "segment", proxy.url, slow)
        for number in range(7):
            await client.call("track", "Product Viewed", {"n": number})
        found = await until(tracked, slow, 8)
        assert Counter(event["type"] for event in found) == Counter(track=7, page=1)
        assert 429 in proxy.answered
        await client.page.close()


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
