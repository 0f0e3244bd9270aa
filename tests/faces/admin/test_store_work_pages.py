"""Store work of phones: what the phone's page is told in the reader's language, and what a manager does with what was refused."""

from typing import Any
from uuid import uuid4

import httpx
from market import Market, hidden, text_of

from samlad.access.permissions import Role, permissions_of
from samlad.kernel.clock import now
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id
from samlad.stock import counts, counts_store

PHONE = "/pos/work/soder/phone"
JSON = {"accept": "application/json"}


def _entry(**fields: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "device": "11111111-1111-4111-8111-111111110042",
        "sequence": 1,
        "happened_at": now().isoformat(),
        "by_name": "Sam Säljare",
        "kind": "count",
        **fields,
    }


async def _send(client: httpx.AsyncClient, *entries: dict[str, Any], language: str = "en") -> list[Any]:
    answer = await client.post(
        f"{PHONE}/send", json={"entries": entries}, headers={**JSON, "accept-language": language}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["verdicts"]


async def test_what_was_refused_is_tried_again_or_dismissed(market: Market, api_as: Any) -> None:
    count = await market.db.transaction(lambda tx: counts.open_count(tx, market.places[0].id))
    first, second, gone = (
        _entry(count=str(count.id), code="SOON", quantity=2),
        _entry(count=str(count.id), code="NEVER", sequence=2),
        _entry(count=str(uuid4()), code="SOON", sequence=3),
    )
    async with api_as(accept="text/html", **{"accept-language": "en"}) as admin:
        assert "Nothing was refused" in (await admin.get("/admin/store-work")).text
        said = await _send(admin, first, second, gone, {"odd": "<b>"}, language="sv")
        assert [each["verdict"] for each in said] == ["refused"] * 4
        assert said[0]["detail"] == "”SOON” är inte känd här"
        assert said[2]["detail"] == "Det här ska inte göras här längre."
        assert "4 entries of phones were refused" in text_of((await admin.get("/admin/overview/hints")).text)
        page = text_of((await admin.get("/admin/store-work")).text)
        for text in (
            "4 entries",
            "“SOON” is not known here",
            "This is not to be done here any more.",
            "Sam Säljare",
        ):
            assert text in page, text

        here = f"/admin/store-work/{first['id']}"
        version = {"version": hidden((await admin.get(here)).text, "version")}
        refused = await admin.post(f"{here}/again", data=version)
        assert refused.status_code == 409
        assert "“SOON” is not known here" in text_of(refused.text)
        await market.product(title="Soon", sku="SOON", stock=(1, 0))
        done = await admin.post(f"{here}/again", data=version)
        assert done.headers["location"] == "/admin/store-work"
        assert (await admin.post(f"{here}/again", data=version)).headers[
            "location"
        ] == here  # somebody was quicker
        assert [line.counted for line in (await counts_store.get(market.db, count.id)).lines] == [2]

        other = f"/admin/store-work/{second['id']}"
        version = {"version": hidden((await admin.get(other)).text, "version")}
        assert (await admin.post(f"{other}/dismiss", data={**version, "reason": " "})).status_code == 422
        await admin.post(f"{other}/dismiss", data={**version, "reason": "Counted by hand"})
        (told,) = await _send(admin, second)
        assert (told["verdict"], told["detail"]) == ("dismissed", "Counted by hand")
        everything = text_of((await admin.get("/admin/store-work?sort=-received_at")).text)
        for text in ("Booked", "Counted by hand", "Dismissed"):
            assert text in everything, text
        listed = (await admin.get("/api/store-work?state=refused", headers=JSON)).json()["items"]
        assert len(listed) == 2


async def test_who_works_elsewhere_is_told_and_nothing_is_taken(market: Market, api_as: Any) -> None:
    def clerk(place: int) -> Actor:
        rights, places = permissions_of(Role.STORE), frozenset({market.places[place].id})
        return Actor(kind="staff", id=new_id(), name="Sam", permissions=rights, locations=places)

    async with api_as(clerk(1), accept="text/html") as elsewhere:
        for address in (PHONE, f"{PHONE}/here", f"{PHONE}/tasks"):
            assert (await elsewhere.get(address)).status_code == 403, address
        answer = await elsewhere.post(f"{PHONE}/send", json={"entries": [_entry()]}, headers=JSON)
        assert answer.status_code == 403
        assert (await elsewhere.get("/admin/store-work")).status_code == 403
    async with api_as(clerk(0), accept="text/html") as here:
        assert (await here.get(PHONE)).status_code == 200
        assert (await here.get(f"{PHONE}/here")).json()["who"]["name"] == "Sam"
        broken = await here.post(f"{PHONE}/send", content=b'{"entries": [', headers=JSON)
        assert broken.status_code == 400
        many = await here.post(f"{PHONE}/send", json={"entries": [{}] * 101}, headers=JSON)
        assert many.status_code == 400
    assert not await market.db.value("SELECT count(*) FROM store_work")
