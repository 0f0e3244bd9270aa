"""Segments over HTTP: tried, made, asked, listed, exported."""

import csv
import hashlib
import io
from typing import Any
from uuid import UUID, uuid4

import httpx

from audience import Audience

BOUGHT = {"kind": "orders", "at_least": 1}


async def test_a_segment_from_the_first_try_to_its_export(audience: Audience, api: httpx.AsyncClient) -> None:
    web = str(audience.trade.web.id)
    kim = await audience.person(
        name="Kim", email="Kim.Berg+shop@gmail.com", phone="070-123 45 67", country="SE"
    )
    sam = await audience.person(name="Sam")
    await audience.buys(kim)
    tried = await api.post("/api/segments/preview", json={"channel": web, "definition": BOUGHT})
    found = tried.json()
    assert [(each["id"], each["name"]) for each in found.pop("examples")] == [(str(kim), "Kim")]
    assert found == {"size": 1, "people": 2, "looked_at": 2, "is_exact": True, "low": 1, "high": 1}
    wrong = {"kind": "all", "of": [{"kind": "orders", "measure": "sum", "at_least": 5, "at_most": 2}]}
    refused = await api.post("/api/segments", json={"channel": web, "name": "X", "definition": wrong})
    assert refused.status_code == 422
    assert {each["field"] for each in refused.json()["errors"]} == {
        "definition.of.0.at_most",
        "definition.of.0.currency",
    }
    made = (
        await api.post("/api/segments", json={"channel": web, "name": "Bought", "definition": BOUGHT})
    ).json()
    path = f"/api/segments/{made['id']}"
    again = await api.post("/api/segments", json={"channel": web, "name": "bought", "definition": BOUGHT})
    assert again.status_code == 409
    await audience.follow()
    members = (await api.get(f"{path}/members?q=kim")).json()["items"]
    assert [each["name"] for each in members] == ["Kim"]
    assert members[0]["orders"] == 1
    why = (await api.get(f"{path}/members/{sam}")).json()
    assert (why["is_member"], why["why"]["kind"], why["why"]["found"]) == (False, "orders", None)
    assert (await api.get(f"/api/customers/{kim}/segments")).json()[0]["name"] == "Bought"
    assert (await api.get(f"/api/customers/{sam}/segments")).json() == []
    changes = (await api.get(f"{path}/changes?way=in&cause=definition,data")).json()["items"]
    assert [each["person"] for each in changes] == [str(kim)]
    assert (await api.get(f"{path}/sizes")).json()[-1]["size"] == 1
    named = {"kind": "not", "of": {"kind": "segment", "segment": made["id"]}}
    rest = (
        await api.post("/api/segments", json={"channel": web, "name": "Rest", "definition": named})
    ).json()
    await audience.follow()
    parts = await api.get(f"/api/segments/overlap?segment={made['id']},{rest['id']}")
    assert sorted(each["people"] for each in parts.json()) == [1, 1]
    assert (await api.delete(path)).status_code == 409
    stale = await api.patch(path, json={"name": "Other"}, headers={"If-Match": '"99"'})
    assert stale.status_code == 412
    assert (await api.delete(f"/api/segments/{rest['id']}")).status_code == 200
    assert (await api.get(f"/api/segments/{rest['id']}")).status_code == 404
    assert (await api.post(f"/api/segments/{rest['id']}/restore")).status_code == 200
    assert len((await api.get(f"{path}/versions")).json()) == 1

    assert (await api.get(f"{path}/ads/google?purpose=none")).status_code == 422
    said = {"purpose": "ads", "answer": "granted", "event_id": uuid4().hex}
    told = await api.post(f"/api/consent/people/{kim}", json={"answers": [said]})
    assert told.status_code == 201, told.text
    google = list(csv.reader(io.StringIO((await api.get(f"{path}/ads/google?purpose=ads")).text)))
    assert google[0] == ["Email", "Phone", "Country"]
    assert google[1:] == [
        [
            hashlib.sha256(b"kimberg@gmail.com").hexdigest(),
            hashlib.sha256(b"+46701234567").hexdigest(),
            "SE",
        ]
    ]
    meta = list(csv.reader(io.StringIO((await api.get(f"{path}/ads/meta?purpose=ads")).text)))
    assert meta[1][:2] == [
        hashlib.sha256(b"kim.berg+shop@gmail.com").hexdigest(),
        hashlib.sha256(b"46701234567").hexdigest(),
    ]
    assert (await api.get(f"{path}/ads/other")).status_code == 404
    assert "Kim" in (await api.get(f"{path}/members?format=csv&purpose=none")).text
    told = await audience.db.value("SELECT count(*) FROM event WHERE type = 'segment.exported'")
    assert told == 3


async def test_a_list_says_what_did_not_match_row_by_row(audience: Audience, api: httpx.AsyncClient) -> None:
    kim = await audience.person(email="kim@example.org", phone="070-123 45 67", country="SE")
    sam = await audience.person(external_id="17850")
    made = await api.post("/api/segments", json={"channel": str(audience.trade.web.id), "name": "Picked"})
    path = f"/api/segments/{made.json()['id']}/list"
    await audience.follow()
    people = ["KIM@example.org", "+46 70 123 45 67", "17850", "nobody@example.org", str(uuid4()), "  "]
    found = (await api.post(path, json={"people": people})).json()
    assert (found["rows"], found["added"], found["already"], found["unmatched_rows"]) == (6, 2, 0, 3)
    assert [(each["row"], each["reason"]) for each in found["unmatched"]] == [
        (4, "unknown"),
        (5, "unknown"),
        (6, "empty"),
    ]
    await audience.follow()
    segment = made.json()["id"]
    assert await audience.members(segment) == {kim, sam}
    again = (await api.post(path, json={"people": ["070-1234567", str(kim)]})).json()
    assert (again["added"], again["already"]) == (0, 1)
    await api.post(f"{path}/remove", json={"customers": [str(kim)]})
    await audience.follow()
    assert await audience.members(segment) == {sam}
    form = {"file": ("people.csv", b"name;email;phone\nKim;kim@example.org;\nX;;123\n", "text/csv")}
    shown = await api.post(f"/admin/segments/{segment}/list", files=form, data={"people": ""})
    assert shown.status_code == 200
    assert "Row 3" in shown.text
    await audience.follow()
    assert await audience.members(segment) == {kim, sam}
    await audience.sound()


async def test_scores_are_fifths_in_which_equals_are_equal(
    audience: Audience, api: httpx.AsyncClient
) -> None:
    people = [await audience.person() for _ in range(5)]
    for number, person in enumerate(people):
        await audience.buys(person, days_ago=10 * (5 - number))
    await audience.buys(people[4])
    web = audience.trade.web.id
    segment = (await audience.segment("Champions", {"kind": "rfm", "groups": ["champions"]})).id
    await audience.follow()
    assert await audience.members(segment) == set()
    grid = (await api.post(f"/api/rfm/{web}")).json()
    assert grid["people"] == 5
    cells = {(each["recency"], each["frequency"]): each["people"] for each in grid["cells"] if each["people"]}
    assert cells == {(1, 1): 1, (2, 1): 1, (3, 1): 1, (4, 1): 1, (5, 5): 1}
    await audience.follow()
    assert await audience.members(segment) == {people[4]}
    # Somebody who belongs to another pool since then, as when channels join, is scored there.
    await audience.db.transaction(
        lambda tx: tx.execute(
            "UPDATE rfm_score r SET pool = (SELECT id FROM pool p WHERE p.id <> r.pool LIMIT 1)"
        )
    )
    again = (await api.post(f"/api/rfm/{web}")).json()
    assert again == {**grid, "computed_at": again["computed_at"]}
    shown = await api.get("/admin/rfm")
    assert "heat-5" in shown.text
    cell = await api.get("/admin/rfm/people?recency=5&frequency=5")
    assert cell.text.count("/admin/customers/") >= 1
    await audience.sound()


async def test_only_who_agreed_leaves_the_house(audience: Audience, api: httpx.AsyncClient) -> None:
    """Granted and denied are conditions that answers keep up; an export for a purpose leaves out the rest, and says so."""
    web = str(audience.trade.web.id)
    kim, sam, lou = [await audience.person(name=name) for name in ("Kim", "Sam", "Lou")]
    await audience.follow()

    async def answers(person: UUID, answer: str, **more: Any) -> None:
        said = {"purpose": "ads", "answer": answer, "event_id": uuid4().hex, **more}
        told = await api.post(f"/api/consent/people/{person}", json={"answers": [said]})
        assert told.status_code == 201, told.text
        await audience.follow()

    def has(answer: str, **more: Any) -> dict[str, Any]:
        return {"kind": "consent", "purpose": "ads", "answer": answer, **more}

    granted = (await audience.segment("Granted", has("granted"))).id
    here = (await audience.segment("Granted here", has("granted", channel=web))).id
    denied = (await audience.segment("Denied", has("denied"))).id
    everybody = (await audience.segment("Everybody", {"kind": "customer_since", "within": {"days": 9}})).id
    await audience.follow()
    assert await audience.members(granted) == await audience.members(denied) == set(), "missing is neither"
    await answers(kim, "granted")
    await answers(sam, "denied")
    await answers(lou, "granted", scope=web)
    assert await audience.members(granted) == {kim}
    assert await audience.members(here) == {kim, lou}
    assert await audience.members(denied) == {sam}
    path = f"/api/segments/{everybody}"
    refused = await api.get(f"{path}/members?format=csv")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "purpose")
    assert (await api.get(f"{path}/ads/google")).status_code == 422
    for wrong in ("adz", "necessary"):  # nobody is asked for what is necessary: it would be everybody
        for file in (f"{path}/ads/google?", f"{path}/members?format=csv&"):
            refused = await api.get(f"{file}purpose={wrong}")
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "purpose"), file
    out = await api.get(f"{path}/members?format=csv&purpose=ads")
    assert (out.headers["left-out"], out.text.count("example.org")) == ("2", 1)
    out = await api.get(f"{path}/ads/google?purpose=ads&channel={web}")
    assert (out.headers["left-out"], len(out.text.splitlines())) == ("1", 3)
    nobody = await api.get(f"/api/segments/{denied}/members?format=csv&purpose=ads")
    assert (nobody.headers["left-out"], "Sam" in nobody.text) == ("1", False), "nobody is not everybody"
    page = await api.get(f"/admin/segments/{everybody}/export?purpose=ads", headers={"accept": "text/html"})
    assert "2 have not agreed" in page.text
    assert 'value="necessary"' not in page.text
    told = await audience.db.value(
        "SELECT payload FROM event WHERE type = 'segment.exported' ORDER BY seq LIMIT 1"
    )
    assert (told["purpose"], told["left_out"]) == ("ads", 2)
    await answers(kim, "denied")
    assert await audience.members(granted) == set()
    assert await audience.members(denied) == {kim, sam}
    await audience.merge(sam, lou)
    await audience.follow()
    assert await audience.members(here) == set(), "the no of one outweighs an unproved yes of the other"
    changed = await api.patch("/api/consent/purposes/ads", json={"least": 2}, headers={"If-Match": "*"})
    assert changed.status_code == 200, changed.text
    await audience.follow()
    await audience.sound()
