"""Appointments are booked, moved, cancelled and kept; never twice for one time, however many ask at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from account_people import Post
from samlad import appointments, channels
from samlad.access.permissions import Role, permissions_of
from samlad.appointments import (
    BookInput,
    Service,
    ServiceInput,
    SlotTaken,
    State,
    checks,
    links,
    mails,
    sweepers,
)
from samlad.channels import ChannelChange
from samlad.channels.model import Interval, OpeningHours
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, NotFound, TooMany
from samlad.kernel.settings import Settings
from trade import Trade, build

ALWAYS = OpeningHours(weekly=[[Interval("09:00", "17:00")]] * 7)
OWNER = Context(actor=Actor(kind="staff", id=uuid4(), name="Bo", permissions=permissions_of(Role.OWNER)))
GUEST = Context(actor=Actor(kind="guest"), remote="192.0.2.9")


async def offer(trade: Trade, **fields: Any) -> Service:
    change = ChannelChange(opening_hours=ALWAYS)
    await trade.db.transaction(lambda tx: channels.change(tx, trade.malmo.id, change))
    plain = {
        "location": trade.at_malmo.id,
        "code": f"s-{uuid4()}",
        "name": "Fitting",
        "minutes": 30,
        **fields,
    }
    data = msgspec.convert(plain, ServiceInput)
    return await trade.db.transaction(lambda tx: appointments.set_service(tx, data), OWNER)


async def times(trade: Trade, service: Service, after: int = 2) -> list[datetime]:
    day = local_day(now(), trade.at_malmo.time_zone) + timedelta(days=after)
    return [slot.starts_at for slot in (await appointments.slots(trade.db, service.id, day, 1)).slots]


async def book(
    trade: Trade, service: Service, at: datetime, who: Context = GUEST, **fields: Any
) -> appointments.Appointment:
    plain = {"email": f"{uuid4()}@example.org", "name": "Kim", **fields}
    data = BookInput(service=service.id, starts_at=at, **plain)
    return await trade.db.transaction(lambda tx: appointments.book(tx, data), who)


async def sound(db: Database) -> None:
    for check in checks.CHECKS:
        found = await check.look(db)
        assert found.status == "ok", found.message


async def test_no_time_is_booked_twice_however_many_ask(db: Database) -> None:
    trade = await build(db)
    sam, robin = {"id": uuid4(), "name": "Sam"}, {"id": uuid4(), "name": "Robin"}
    fitting = await offer(trade, capacity=3, minutes=60, staff=[sam, robin])
    advice = await offer(trade, minutes=60, staff=[sam])
    at = (await times(trade, fitting))[0]
    crowd = [book(trade, fitting, at + timedelta(minutes=30 * (n % 2)), OWNER) for n in range(8)]
    crowd += [book(trade, advice, at, OWNER) for _ in range(4)]
    results = await asyncio.gather(*crowd, return_exceptions=True)
    booked = [each for each in results if not isinstance(each, BaseException)]
    assert {type(each) for each in results if isinstance(each, BaseException)} <= {SlotTaken}
    assert len(booked) == 2, "two people can do it, whatever it is"
    assert {each.staff_name for each in booked} == {"Sam", "Robin"}
    assert at not in await times(trade, fitting)
    # Without anybody in particular it is the seats that count.
    cabins = await offer(trade, capacity=3)
    at = (await times(trade, cabins))[3]
    results = await asyncio.gather(
        *(book(trade, cabins, at, OWNER) for _ in range(9)), return_exceptions=True
    )
    assert sum(not isinstance(each, BaseException) for each in results) == 3
    first, second, *_ = [each for each in results if not isinstance(each, BaseException)]
    # Two change places with each other, and one goes where there is nothing: nobody loses what they had.
    other = (await times(trade, cabins))[0]
    moved = await asyncio.gather(
        *(db.transaction(lambda tx, o=o: appointments.move(tx, o.id, other), OWNER) for o in (first, second))
    )
    assert [each.starts_at for each in moved] == [other, other]
    with pytest.raises(SlotTaken):
        await db.transaction(lambda tx: appointments.move(tx, first.id, at + timedelta(minutes=7)), OWNER)
    assert (await appointments.read(db, OWNER.actor, first.id)).starts_at == other
    await sound(db)


async def test_a_guest_books_by_mail_and_changes_it_by_its_link(db: Database, settings: Settings) -> None:
    trade = await build(db)
    db.settings = msgspec.structs.replace(settings, mail_to_log=True, public_url="https://shop.example.org")
    service = await offer(trade, names={"sv": "Provning"})
    at, later = (await times(trade, service, 3))[:2]
    key = uuid4()
    both = await asyncio.gather(
        *(book(trade, service, at, id=key, email="Kim@Example.org", language="sv") for _ in range(3))
    )
    assert {each.id for each in both} == {key}
    with pytest.raises(Conflict):
        await book(trade, service, later, id=key, email="kim@example.org")
    link = links.path(db.settings, key).rsplit("/", 1)[1]
    with pytest.raises(NotFound):
        await db.transaction(lambda tx: appointments.move(tx, key, later), GUEST)
    with pytest.raises(NotFound):
        await db.transaction(lambda tx: appointments.cancel(tx, key, link=link[:-2] + "xx"), GUEST)
    assert await sweepers.remind(db) == 0, "it is three days until then"
    await trade.follow()
    await db.transaction(lambda tx: appointments.move(tx, key, later, link=link), GUEST)
    await trade.follow()
    # A day before: at any hour this runs it is in twenty hours.
    await db.rows(
        "UPDATE appointment_claim SET during = tstzrange(now() + interval '20 hours', now() + interval '20 hours' + (upper(during) - lower(during))) RETURNING 1"
    )
    await db.rows(
        "UPDATE appointment SET booked_at = booked_at - interval '9 days', starts_at = now() + interval '20 hours', ends_at = now() + interval '20 hours' + (ends_at - starts_at) RETURNING 1"
    )
    reminded = await asyncio.gather(*(sweepers.remind(db) for _ in range(3)))
    assert sum(reminded) == 1
    await trade.follow()
    for _ in range(2):
        await db.transaction(lambda tx: appointments.cancel(tx, key, link=link), GUEST)
    await trade.follow()
    told = await Post(db, db.settings, trade.web).mails()
    assert [each.subject.split(":")[0] for each in told] == [
        "Din tid", "Din tid är flyttad", "Vi ses snart", "Din tid är avbokad",
    ]  # fmt: skip
    assert {each.to for each in told} == {"kim@example.org"}
    assert "Provning" in told[0].subject
    then = msgspec.structs.replace(both[0], starts_at=datetime(2026, 12, 3, 13, 30, tzinfo=UTC))
    assert mails.when(then, "en", "SE") == "Thursday, 3 December 2026, 14:30"
    assert mails.when(then, "en", "US") == "Thursday, December 3, 2026, 2:30\u202fPM"
    assert {links.read(db.settings, each.text.rsplit("/", 1)[1]) for each in told[:3]} == {key}
    assert told[3].text.endswith("https://shop.example.org/appointments")
    files = [each.attachments[0] for each in told]
    assert [file.parameters["method"] for file in files] == ["PUBLISH", "PUBLISH", "PUBLISH", "CANCEL"]
    assert [f"SEQUENCE:{n}\r\n" in file.text for n, file in zip((0, 1, 1, 2), files, strict=True)] == [
        True
    ] * 4
    assert len({line for file in files for line in file.text.split("\r\n") if line.startswith("UID")}) == 1
    with pytest.raises(Conflict):
        await db.transaction(lambda tx: appointments.say(tx, key, State.DONE), OWNER)
    await sound(db)


async def test_who_may_what(db: Database, api_as: Any) -> None:
    trade = await build(db)
    service = await offer(trade)
    at = await times(trade, service)
    here = Actor(
        kind="staff", id=uuid4(), name="Sam", permissions=permissions_of(Role.STORE),
        locations=frozenset({trade.at_malmo.id}),
    )  # fmt: skip
    there = msgspec.structs.replace(here, locations=frozenset({trade.at_lund.id}))
    made = await book(
        trade, service, at[0], Context(actor=here), email=None, phone="040 12 34 56", source="phone"
    )
    assert made.customer is None
    with pytest.raises(Forbidden):
        await book(trade, service, at[1], Context(actor=there))
    with pytest.raises(Forbidden):
        await book(trade, service, at[1], source="till")
    with pytest.raises(InvalidInput):
        await book(trade, service, at[1], email=None, phone="040 12 34 56")
    with pytest.raises(SlotTaken):
        await book(trade, service, at[0])
    with pytest.raises(SlotTaken):
        await book(trade, service, at[1] + timedelta(minutes=1))
    tries = [book(trade, service, at[2 + n], email="one@example.org") for n in range(8)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(each, TooMany) for each in answers) == 2
    mine = next(each for each in answers if not isinstance(each, BaseException))
    customer = Actor(kind="customer", id=mine.customer)
    async with (
        api_as(here) as api,
        api_as(there) as other,
        api_as(customer) as kim,
        api_as(Actor(kind="guest")) as guest,
    ):
        assert len((await api.get("/api/appointments?state=booked")).json()["items"]) == 7
        assert (await other.get("/api/appointments")).json()["items"] == []
        assert "040 12 34 56" in (await api.get("/api/appointments?format=csv")).text
        one = await kim.get(f"/api/appointments/{mine.id}")
        assert one.json()["email"] == "one@example.org"
        assert (await kim.get(f"/api/appointments/{made.id}")).status_code == 404
        assert (await guest.get(f"/api/appointments/{mine.id}")).status_code == 404
        stale = await kim.post(
            f"/api/appointments/{mine.id}/move",
            json={"starts_at": at[-1].isoformat()},
            headers={"If-Match": '"9"'},
        )
        assert stale.status_code == 412
        moved = await kim.post(f"/api/appointments/{mine.id}/move", json={"starts_at": at[-1].isoformat()})
        assert datetime.fromisoformat(moved.json()["starts_at"]) == at[-1]
        early = await api.post(f"/api/appointments/{mine.id}/outcome", json={"state": "no_show"})
        assert early.status_code == 409
        assert (
            await kim.post(f"/api/appointments/{mine.id}/outcome", json={"state": "done"})
        ).status_code == 403
        assert (await api.post(f"/api/appointments/{mine.id}/outcome", json={"state": "done"})).json()[
            "state"
        ] == "done"
        assert (await kim.post(f"/api/appointments/{mine.id}/cancel")).status_code == 409
        free = await guest.get(
            f"/api/appointment-services/{service.id}/slots?from={local_day(at[0], 'UTC')}&days=1"
        )
        assert free.json()["time_zone"] == "Europe/Stockholm"
        far = await guest.get(f"/api/appointment-services/{service.id}/slots?from=9999-12-31&days=31")
        assert far.json()["slots"] == []
        taken = await guest.post(
            "/api/appointments",
            json={
                "service": str(service.id),
                "starts_at": at[0].isoformat(),
                "name": "Al",
                "email": "al@example.org",
            },
        )
        assert (taken.status_code, taken.json()["type"].rsplit("/", 1)[1]) == (409, "slot-taken")
    timeline = await db.rows(
        "SELECT type FROM event WHERE profile = $1 AND type LIKE 'appointment.%'", mine.customer
    )
    assert {row["type"] for row in timeline} >= {
        "appointment.booked",
        "appointment.moved",
        "appointment.kept",
    }
    assert isinstance(made.id, UUID)
    await sound(db)
