"""Tills and kiosks in the admin: what each has not sent, a warning on the overview, names, and putting away."""

import json
from typing import Any
from uuid import uuid4

import httpx
from market import Market, hidden, text_of


async def _speak(client: httpx.AsyncClient, till: str, unsent: int) -> None:
    said = json.dumps({"till": till, "unsent": unsent})
    answer = await client.get("/pos/soder/offline/here", headers={"x-till": said})
    assert answer.status_code == 200


async def test_a_silent_till_is_warned_of_until_it_is_put_away(market: Market, api_as: Any) -> None:
    till = "11111111-1111-4111-8111-111111110042"
    async with api_as(accept="text/html", **{"accept-language": "en"}) as admin:
        assert "No till was heard of yet" in (await admin.get("/admin/till-devices")).text
        await _speak(admin, till, 2)
        assert "have not sent" not in (await admin.get("/admin/overview/hints")).text
        await market.db.rows(
            """UPDATE till_device SET seen_at = seen_at - interval '1 hour', unsent_since = seen_at - interval '2 hours'
               RETURNING 1"""
        )
        hints = (await admin.get("/admin/overview/hints")).text
        assert "Tills and kiosks with sales that they have not sent" in hints
        assert 'href="/admin/till-devices?state=silent,stuck"' in hints
        listed = text_of((await admin.get("/admin/till-devices?state=silent,stuck")).text)
        for said in ("Till 0042", "2 entries", "Silent, with unsent sales", "1 device"):
            assert said in listed, said
        address = f"/admin/till-devices/{till}"
        assert "It fell silent with something that is not sent" in (await admin.get(address)).text
        seen = hidden((await admin.get(address)).text, "version")
        for name, status in (("By the door", 303), ("By the window", 412)):  # the second from what was before
            form = {"_once": str(uuid4()), "version": seen, "name": name}
            assert (await admin.post(f"{address}/name", data=form)).status_code == status, name
        assert "By the door" in text_of((await admin.get(address)).text)
        long = await admin.post(f"{address}/name", data={"_once": str(uuid4()), "name": "x" * 41})
        assert long.status_code == 422
        refused = await admin.post(f"{address}/put-away", data={"_once": str(uuid4()), "reason": " "})
        assert refused.status_code == 422
        assert "Say why" in refused.text
        await admin.post(f"{address}/put-away", data={"_once": str(uuid4()), "reason": "Fell into the sea"})
        page = (await admin.get(address)).text
        for said in ("Put away", "Fell into the sea", "/admin/undo/"):
            assert said in page, said
        assert "have not sent" not in (await admin.get("/admin/overview/hints")).text
        undo = page[page.index("/admin/undo/") :].partition('"')[0]
        assert (await admin.post(undo, data={"_once": str(uuid4())})).headers["location"] == address
        assert "It fell silent" in (await admin.get(address)).text
        await admin.post(f"{address}/put-away", data={"_once": str(uuid4()), "reason": "Fell into the sea"})
        await admin.post(f"{address}/bring-back", data={"_once": str(uuid4())})
        await _speak(admin, till, 2)
        page = (await admin.get(address)).text
        assert "It is heard of, but what it has rung up does not come" in page
        assert (await admin.get(f"/admin/till-devices/{uuid4()}")).status_code == 404
