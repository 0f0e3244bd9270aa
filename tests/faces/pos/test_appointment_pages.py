"""Appointments from setting them up to who came: the admin, the shop without an account, the store on a phone."""

import re
from datetime import timedelta
from typing import Any

import httpx
from market import Market, hidden, text_of

from samlad import channels
from samlad.access.permissions import Role, permissions_of
from samlad.channels import ChannelChange
from samlad.channels.model import Interval, OpeningHours
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id

ALWAYS = OpeningHours(weekly=[[Interval("09:00", "17:00")]] * 7)
SERVICE = {
    "name": "Fitting", "name-sv": "Provning", "code": "fitting", "minutes": "30", "step_minutes": "60",
    "capacity": "1", "notice_minutes": "60", "ahead_days": "30", "is_active": "1",
}  # fmt: skip


async def test_an_appointment_from_the_setting_to_the_visit(
    clerk: httpx.AsyncClient, market: Market, api_as: Any
) -> None:
    change = ChannelChange(opening_hours=ALWAYS)
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, change))
    boss = Actor(kind="staff", id=new_id(), name="Bo", permissions=permissions_of(Role.MANAGER))
    plain = {"accept": "text/html", "accept-language": "en"}
    async with api_as(boss, **plain) as admin, api_as(Actor(kind="guest"), **plain) as kim:
        assert "Nothing can be booked yet" in text_of((await admin.get("/admin/appointments")).text)
        here = {"location": str(market.places[0].id)}
        wrong = await admin.post("/admin/appointments/new", data={**SERVICE, **here, "minutes": "1"})
        assert wrong.status_code == 422
        assert (await admin.post("/admin/appointments/new", data={**SERVICE, **here})).status_code == 303
        service = await market.db.value("SELECT id FROM appointment_service")
        form = (await admin.get(f"/admin/appointments/{service}")).text
        assert hidden(form, "version") == "1"
        stale = {**SERVICE, **here, "version": "0"}
        assert (await admin.post(f"/admin/appointments/{service}", data=stale)).status_code == 412

        assert "Fitting" in text_of((await kim.get("/appointments")).text)
        day = local_day(now(), "Europe/Stockholm") + timedelta(days=3)
        page = (await kim.get(f"/appointments/{service}?day={day}")).text
        times = re.findall(r'name="starts_at" value="([^"]+)"', page)
        assert len(times) == 8, "each hour from nine to four"
        assert "9:00" in text_of(page), "on the clock of the store"
        sent = {
            "id": hidden(page, "id"),
            "starts_at": times[0],
            "name": "نور Berg",
            "email": "kim@example.org",
        }
        nobody = await kim.post(f"/appointments/{service}", data={**sent, "email": ""})
        assert nobody.status_code == 422
        booked = [await kim.post(f"/appointments/{service}", data=sent) for _ in range(2)]
        assert {each.status_code for each in booked} == {303}
        link = booked[0].headers["location"]
        assert await market.db.value("SELECT count(*) FROM appointment") == 1
        late = await kim.post(f"/appointments/{service}", data={**sent, "id": str(new_id())})
        assert late.status_code == 409
        assert "Somebody was faster" in text_of(late.text)
        mine = await kim.get(link)
        assert "<bdi>نور Berg</bdi>" in mine.text
        file = await kim.get(f"{link}/calendar.ics")
        assert file.headers["content-type"].startswith("text/calendar")
        assert "BEGIN:VEVENT" in file.text
        moved = await kim.post(f"{link}/change", data={"starts_at": times[2]})
        assert moved.headers["location"] == link
        assert (await kim.get(f"{link[:-3]}abc")).status_code == 404

        list_ = await clerk.get(f"/pos/soder/appointments?day={day}")
        assert "نور Berg" in list_.text
        assert "11:00" in text_of(list_.text)
        form = (await clerk.get(f"/pos/soder/appointments/new/{service}?day={day}")).text
        assert times[2] not in form
        phoned = {
            "id": hidden(form, "id"),
            "starts_at": times[3],
            "name": "Al",
            "phone": "040 1",
            "by_phone": "1",
        }
        assert (await clerk.post(f"/pos/soder/appointments/new/{service}", data=phoned)).status_code == 303
        source = await market.db.row("SELECT id, source FROM appointment WHERE name = 'Al'")
        assert source is not None
        assert source["source"] == "phone"
        for act, state in (("done", "done"), ("booked", "booked"), ("cancel", "cancelled")):
            assert (await clerk.post(f"/pos/soder/appointments/{source['id']}/{act}")).status_code == 303
            assert await market.db.value("SELECT state FROM appointment WHERE name = 'Al'") == state
        assert (await clerk.get("/pos/haga/appointments")).status_code == 403
        assert "نور Berg" in (await admin.get("/admin/appointments?q=نور")).text
        assert (await kim.post(f"{link}/cancel")).status_code == 303
        assert "Cancelled" in text_of((await kim.get(link)).text)
