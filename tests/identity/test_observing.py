"""What is seen becomes people: in any order, twice, at once, at shared devices."""

import asyncio
import random
from typing import Any

import pytest
from meeting import Meeting

from samlad import identity
from samlad.identity.model import AuthLevel, DeviceClass
from samlad.kernel.database import Tx


async def test_a_visitor_becomes_known_and_keeps_what_was_theirs(met: Meeting) -> None:
    visit = await met.see("anonymous:x", auth=AuthLevel.CLAIMED)
    assert await met.db.value("SELECT count(*) FROM customer") == 0, "a visitor is no customer"
    signed_in = await met.see("anonymous:x", "external_id:A", "email:Kim@Example.org")
    now = await identity.current(met.db, [visit, signed_in])
    assert now[visit] == now[signed_in]
    row = await met.db.row("SELECT id, external_id, email FROM customer")
    assert row is not None
    assert (row["id"], row["external_id"], row["email"]) == (now[visit], "A", "kim@example.org")
    merged = await met.told("identity.merged")
    assert [m["losers"] for m in merged] == [[str(visit)]]
    assert set(await identity.ids_of(met.db, visit)) >= {visit, signed_in, row["id"]}


async def test_what_is_known_takes_three_statements_and_writes_nothing(met: Meeting) -> None:
    seen = [met.sighting(f"anonymous:{n}", f"external_id:{n}") for n in range(200)]
    first = await met.observe(*seen)
    before = await met.db.value("SELECT pg_current_xact_id()::text::bigint")

    async def again(tx: Tx) -> tuple[list[Any], int]:
        return await identity.observe(tx, seen), tx.statements

    found, statements = await met.db.transaction(again)
    assert found == first
    assert statements == 3
    assert (
        await met.db.value("SELECT count(*) FROM identity_sighting WHERE xmin::text::bigint >= $1", before)
        == 0
    )


async def test_who_comes_back_after_erasure_is_somebody_new(met: Meeting) -> None:
    """The same identifiers from the same source: what is kept of the person who was erased is not found by them."""
    told = ("anonymous:x", "external_id:A")
    erased = await met.see(*told)
    for _ in range(2):
        await met.db.transaction(
            lambda tx: tx.execute(
                "UPDATE identity_node SET value = 'erased-' || id WHERE kind <> 'customer' AND value IN ('x', 'A')"
            )
        )
        anew = await met.see(*told)
        now = await identity.current(met.db, [erased, anew])
        assert now[erased] != now[anew]
        assert await met.see(*told) == anew, "and is known the next time"
        erased = anew
    assert await met.db.value("SELECT count(*) FROM identity_sighting WHERE source = 'test'") == 3


async def test_new_people_take_few_statements_however_many(met: Meeting) -> None:
    async def count(sightings: list[Any]) -> int:
        async def work(tx: Tx) -> int:
            await identity.observe(tx, sightings)
            return tx.statements

        return await met.db.transaction(work)

    one = await count([met.sighting("anonymous:a", "external_id:a")])
    many = await count([met.sighting(f"anonymous:{n}", f"external_id:{n}") for n in range(300)])
    assert many <= one + 2


@pytest.mark.parametrize("value", ["null", "anonymous", "[object Object]", "0000", "undefined", "  ", "NaN"])
async def test_what_programs_send_for_nothing_links_nobody(met: Meeting, value: str) -> None:
    nothing = await met.observe(met.sighting(f"external_id:{value}"), met.sighting(f"anonymous:{value}"))
    assert nothing == [None, None]
    await met.see("external_id:A", f"anonymous:{value}")
    await met.see("external_id:B", f"anonymous:{value}")
    assert await met.people() == {frozenset({"external_id:A"}), frozenset({"external_id:B"})}


@pytest.mark.parametrize("device_class", [DeviceClass.SHARED, DeviceClass.STAFF])
async def test_a_till_or_a_login_of_staff_never_links(met: Meeting, device_class: DeviceClass) -> None:
    for who in "AB":
        await met.see(
            f"loyalty:{who}",
            "terminal:till-1",
            "staff:sam",
            "device:d",
            "anonymous:t",
            device_class=device_class,
        )
    assert await met.people() >= {frozenset({"loyalty:A"}), frozenset({"loyalty:B"})}
    assert await met.profile("loyalty:A") != await met.profile("loyalty:B")


CLIENTS = {"analytics-next": "123", "rudder-js": "111", "jitsu": "112"}


@pytest.mark.parametrize("client", CLIENTS)
async def test_the_tablet_in_the_store(met: Meeting, client: str) -> None:
    await met.observe(
        *(met.sighting(f"external_id:{who}", f"email:{who}@example.org", minute=0) for who in "ABC")
    )
    moments = []
    for number, (who, anonymous) in enumerate(zip("ABC", CLIENTS[client], strict=True)):
        device = f"anonymous:tablet{anonymous}"
        moments += [
            met.tablet(f"external_id:{who}", device, minute=10 * number + 1),
            met.tablet(device, minute=10 * number + 2, event_id=f"page-{who}"),
            met.tablet(f"external_id:{who}", device, minute=10 * number + 3),
        ]
    random.Random(client).shuffle(moments)  # clients deliver out of order
    found = []
    for moment in moments:
        found += await met.observe(moment)
    now = await identity.current(met.db, [each for each in found if each])
    for who in "ABC":
        mine = await met.profile(f"external_id:{who}")
        assert await met.profile(f"email:{who.lower()}@example.org") == mine
        page = next(i for i, moment in enumerate(moments) if moment.event_id == f"page-{who}")
        assert now[found[page]] == mine, "what was seen between belongs to who was named"
    assert len({await met.profile(f"external_id:{who}") for who in "ABC"}) == 3
    assert await met.people() == await met.from_scratch()
    assert await met.observe(*moments) == found


async def test_a_value_on_too_many_is_quarantined_and_gives_its_links_back(met: Meeting) -> None:
    for n in "ABCDE":
        await met.see("phone:+46701234567", f"external_id:{n}", auth=AuthLevel.VERIFIED)
    assert await met.profile("phone:+46701234567") == await met.profile("external_id:A")
    await met.see("phone:+46701234567", "external_id:F", auth=AuthLevel.VERIFIED)
    assert await met.profile("phone:+46701234567") != await met.profile("external_id:A")
    assert [told["fan_out"] for told in await met.told("identity.quarantined")] == [6]
    assert len(await met.told("profile.split")) == 1
    await met.see("phone:+46701234567", "external_id:G", auth=AuthLevel.VERIFIED)
    assert await met.people() == await met.from_scratch()


async def test_two_numbers_never_merge_and_somebody_is_asked(met: Meeting) -> None:
    await met.see("external_id:A", "anonymous:x", auth=AuthLevel.CLAIMED)
    await met.see("external_id:B", "anonymous:x", auth=AuthLevel.CLAIMED)
    assert await met.profile("external_id:A") != await met.profile("external_id:B")
    assert len(await met.told("identity.conflict")) == 1
    row = await met.db.row("SELECT reason, status FROM identity_conflict")
    assert row is not None
    assert (row["reason"], row["status"]) == ("limit", "open")


async def test_processes_that_see_the_same_person_at_once_agree(met: Meeting) -> None:
    def kims() -> list[Any]:
        some = [
            met.sighting("external_id:A", "anonymous:x"),
            met.sighting("external_id:A", "email:kim@example.org", auth=AuthLevel.VERIFIED),
            met.sighting("email:kim@example.org", "loyalty:L"),
            met.sighting("loyalty:L", "device:d"),
        ]
        random.shuffle(some)
        return some

    for _ in range(5):
        await asyncio.gather(*(met.observe(each) for _ in range(3) for each in kims()))
    assert await met.people() == {
        frozenset({"external_id:A", "anonymous:x", "email:kim@example.org", "loyalty:L", "device:d"})
    }
    assert await met.db.value("SELECT count(*) FROM customer WHERE survivor IS NULL") == 1
    assert await met.people() == await met.from_scratch()


async def test_what_is_kept_goes_where_its_identifier_goes(met: Meeting) -> None:
    device = await met.see("anonymous:x", auth=AuthLevel.CLAIMED)
    kim = await met.see("external_id:A", "anonymous:x", auth=AuthLevel.CLAIMED, minute=60)
    lo = await met.see("external_id:B", "anonymous:x", auth=AuthLevel.CLAIMED, minute=50)
    now = await identity.current(met.db, [device, kim, lo])
    assert now[device] == now[lo] != now[kim], "the earlier name holds, though it was told later"
    assert await met.people() == await met.from_scratch()
