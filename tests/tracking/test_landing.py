"""Events land on people: browsers are believed little, servers more, tablets in stores nothing beyond a turn."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

import horizon
from samlad import identity
from samlad.kernel import followers, log
from samlad.kernel.clock import now
from samlad.kernel.log import BEGINNING
from samlad.tracking import intake, known
from samlad.tracking.bodies import Envelope
from samlad.tracking.model import Source
from samlad.tracking.resolving import FOLLOWERS
from tracked import Tracked

(FOLLOWER,) = FOLLOWERS


async def take(tracked: Tracked, source: Source, *events: dict[str, Any]) -> None:
    start = now() - timedelta(hours=1)
    raw = [
        msgspec.json.encode({"messageId": str(uuid4()), "timestamp": start + timedelta(minutes=n), **event})
        for n, event in enumerate(events)
    ]
    here = await known.known(tracked.db)
    found = intake.sort_out(here, source, Envelope(events=raw), received_at=now())
    await tracked.db.companion(intake.Intake).take(source, found)


async def settle(tracked: Tracked) -> None:
    await horizon.passed(tracked.db)
    await followers.register(tracked.db, FOLLOWERS)
    while await followers.step(tracked.db, FOLLOWER):
        pass


async def landed(tracked: Tracked) -> list[Any]:
    """The profile of each event, as they happened; None where nobody knows."""
    rows = await tracked.db.rows(
        """SELECT p.identity, p.failure FROM tracked_event e LEFT JOIN tracked_profile p
           ON p.received_at = e.received_at AND p.event = e.id ORDER BY e.occurred_at, e.id"""
    )
    assert [row["failure"] for row in rows] == [None] * len(rows)
    current = await identity.current(tracked.db, [row["identity"] for row in rows if row["identity"]])
    return [row["identity"] and current[row["identity"]] for row in rows]


def track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Clicked", **fields}


def identify(user: str, anonymous: str | None = None, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "anonymousId": anonymous, "traits": traits}


async def test_a_visitor_becomes_somebody(tracked: Tracked) -> None:
    await take(
        tracked,
        tracked.browser.source,
        track(anonymousId="a"),
        identify("kim", "a"),
        track(userId="kim", anonymousId="a"),
        track(anonymousId="other"),
    )
    await settle(tracked)
    first, second, third, other = await landed(tracked)
    assert first == second == third is not None
    assert other not in (first, None)


async def test_a_browser_cannot_claim_to_be_somebody_else(tracked: Tracked) -> None:
    """A server says who Kim is; a browser that says the same e-mail address is not believed so much."""
    await take(tracked, tracked.server.source, identify("kim", email="kim@example.org"))
    await take(tracked, tracked.browser.source, identify("mallory", "m", email="kim@example.org"))
    await settle(tracked)
    kim, mallory = await landed(tracked)
    assert kim != mallory


async def test_three_people_at_one_tablet(tracked: Tracked) -> None:
    """One anonymousId for all three, as the browser's RudderStack sends: they stay three."""
    await take(
        tracked,
        tracked.tablet.source,
        *(step for user in ("a", "b", "c") for step in (identify(user, "t"), track(userId=user, anonymousId="t"),
          track(event="Signed Out", userId=user, anonymousId="t"))),
    )  # fmt: skip
    await settle(tracked)
    profiles = await landed(tracked)
    assert len(set(profiles)) == 3
    for person in range(3):
        assert len(set(profiles[person * 3 : person * 3 + 3])) == 1


async def test_twice_and_again_from_the_beginning(tracked: Tracked) -> None:
    await take(
        tracked, tracked.browser.source, identify("kim", "a"), track(anonymousId="a"), {"type": "nonsense"}
    )
    await settle(tracked)
    before = await landed(tracked)
    counts = "SELECT accepted, duplicates, parked, violating FROM tracking_volume"
    assert [tuple(row) for row in await tracked.db.rows(counts)] == [(2, 0, 1, 0)]
    sightings = await tracked.db.value("SELECT count(*) FROM identity_sighting")
    await followers.replay(tracked.db, FOLLOWER.name, BEGINNING)
    await settle(tracked)
    assert await landed(tracked) == before
    assert [tuple(row) for row in await tracked.db.rows(counts)] == [(2, 0, 1, 0)], "nothing is counted twice"
    assert await tracked.db.value("SELECT count(*) FROM identity_sighting") == sightings


async def test_two_workers_at_once(tracked: Tracked) -> None:
    for turn in range(4):
        users = range(turn * 20, turn * 20 + 20)
        await take(tracked, tracked.browser.source, *(identify(f"u{n}", f"a{n}") for n in users))
    await horizon.passed(tracked.db)
    await followers.register(tracked.db, FOLLOWERS)
    await asyncio.gather(*(followers.step(tracked.db, FOLLOWER) for _ in range(6)))
    await settle(tracked)
    assert len(set(await landed(tracked))) == 80
    assert await tracked.db.value("SELECT sum(accepted) FROM tracking_volume") == 80


async def test_an_event_that_identity_cannot_take_holds_up_no_other(
    tracked: Tracked, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = identity.observe

    async def observe(tx: Any, sightings: Any) -> Any:
        if any(each.value == "bad" for one in sightings for each in one.identifiers):
            await tx.execute("SELECT 1 / 0")
        return await real(tx, sightings)

    with monkeypatch.context() as broken:
        broken.setattr(identity, "observe", observe)
        await take(tracked, tracked.browser.source, *(track(anonymousId=name) for name in ("a", "bad", "b")))
        await settle(tracked)
    told = await tracked.db.rows("SELECT identity, failure FROM tracked_profile ORDER BY occurred_at")
    assert [row["identity"] is None for row in told] == [False, True, False]
    assert "division by zero" in told[1]["failure"]
    await followers.replay(tracked.db, FOLLOWER.name, BEGINNING)
    await settle(tracked)
    assert None not in await landed(tracked)


async def test_a_group_is_told_on_the_log_once(tracked: Tracked) -> None:
    await take(tracked, tracked.browser.source, *(track(anonymousId=f"a{n}") for n in range(50)))
    await horizon.passed(tracked.db)
    events, _ = await log.read(tracked.db, BEGINNING, types=["tracking.received"])
    assert [(event.subject, event.payload["accepted"]) for event in events] == [
        (tracked.browser.source.id, 50)
    ]
    assert events[0].channel == tracked.web.id
