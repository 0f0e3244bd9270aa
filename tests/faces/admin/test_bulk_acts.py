"""Acts on what is picked in lists: each row by itself, what refuses is told, and one click takes all of it back."""

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from samlad import catalog, customers
from samlad.access import bulk as bulk_jobs
from samlad.access import staff as people
from samlad.access.permissions import Role, permissions
from samlad.access.staff import StaffInput
from samlad.conversations import BeginInput
from samlad.conversations import service as conversations
from samlad.faces.admin import bulk
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id


async def done(api: Any, path: str, data: dict[str, Any]) -> str:
    """The page that is shown after an act."""
    answer = await api.post(path, data=data)
    assert answer.status_code == 303, answer.text
    return (await api.get(answer.headers["location"])).text


async def take_back(api: Any, page: str) -> None:
    found = re.search(r'action="(/admin/undo/[^"]+)"', page)
    assert found, "nothing to take it back by"
    assert (await api.post(found[1])).status_code == 303


async def statuses(shop: Any) -> dict[str, str]:
    rows = await shop.db.rows("SELECT id, status FROM product")
    return {str(row["id"]): row["status"] for row in rows}


async def test_products_are_put_away_together_and_come_back_as_they_were(api, shop) -> None:
    kettle, mug, towel, pot = (str(one) for one in shop.products.values())
    await done(api, "/admin/products/bulk", {"id": [pot], "act": "draft", "next": "/admin/products?q=o"})
    page = await done(api, "/admin/products/bulk", {"id": [kettle, mug, pot, kettle], "act": "archived"})
    assert "Changed: 3." in page
    assert await statuses(shop) == {kettle: "archived", mug: "archived", towel: "active", pot: "archived"}
    await done(
        api, "/admin/products/bulk", {"id": [mug], "act": "draft"}
    )  # somebody decided otherwise meanwhile
    await take_back(api, page)
    assert await statuses(shop) == {kettle: "active", mug: "draft", towel: "active", pot: "draft"}
    page = await done(api, "/admin/products/bulk", {"id": [kettle], "act": "active"})
    assert "Changed: 0." in page
    assert "/admin/undo/" not in page


async def test_one_that_refuses_does_not_keep_the_others(api, shop) -> None:
    kettle = str(shop.products["KTL-150"])
    page = await done(api, "/admin/products/bulk", {"id": [str(new_id()), kettle], "act": "archived"})
    assert "Changed: 1. Refused: 1." in page
    assert (await statuses(shop))[kettle] == "archived"
    await take_back(api, page)
    assert (await statuses(shop))[kettle] == "active"


async def test_promotions_are_paused_together_and_what_has_ended_stays_so(api, shop) -> None:
    made = []
    for name in ("Spring", "Autumn", "Winter"):
        terms = {"effect": {"kind": "percent", "percent": 1_000}}
        data = {"channel": str(shop.trade.web.id), "name": name, "is_automatic": True, "terms": terms}
        answer = await api.post("/api/promotions", json=data)
        assert answer.status_code == 201, answer.text
        made.append(answer.json()["id"])

    async def states() -> list[str]:
        rows = await shop.db.rows("SELECT id, status FROM promotion ORDER BY id")
        return [row["status"] for row in rows]

    ended = await api.patch(f"/api/promotions/{made[2]}", json={"status": "ended"})
    assert ended.status_code == 200, ended.text
    page = await done(api, "/admin/promotions/bulk", {"id": made, "act": "paused"})
    assert "Changed: 2. Refused: 1. Winter: It has ended." in page
    assert await states() == ["paused", "paused", "ended"]
    await take_back(api, page)
    assert await states() == ["active", "active", "ended"]
    assert "Please say" in await done(api, "/admin/promotions/bulk", {"id": made, "act": "ended"})


@pytest.mark.parametrize(
    "path", ["/admin/products/bulk", "/admin/customers/bulk", "/admin/conversations/bulk"]
)
async def test_what_cannot_be_meant_is_told(api, shop, path: str) -> None:
    act = {"act": "draft" if "products" in path else "closed", "tag": "vip"}
    for data in ({**act}, {**act, "id": ["x"]}, {**act, "id": [str(uuid4()) for _ in range(bulk.MOST + 1)]}):
        assert "Pick" in await done(api, path, data)
    assert "Changed: 0." not in await done(api, path, {"id": [str(uuid4())], "act": "explode", "tag": " "})
    for where in ("//evil", "https://evil.example"):
        answer = await api.post(path, data={**act, "next": where})
        assert answer.headers["location"].startswith("/admin/")


async def test_customers_get_a_tag_and_only_those_lose_it_who_got_it(api, shop) -> None:
    pool = shop.trade.web.pools["customers"]
    people = [
        (await shop.db.transaction(lambda tx, n=name: customers.find_or_create(
            tx, pool, msgspec.convert({"name": n, "email": f"{n}@people.example"}, customers.PersonInput)
        ))).id for name in ("ada", "bo", "cy")
    ]  # fmt: skip
    await done(api, "/admin/customers/bulk", {"id": [str(people[0])], "tag": "VIP"})
    page = await done(api, "/admin/customers/bulk", {"id": [str(one) for one in people], "tag": " Vip "})
    assert "Changed: 2." in page
    assert [await customers.tags_of(shop.db, one) for one in people] == [["vip"]] * 3
    await take_back(api, page)
    assert [await customers.tags_of(shop.db, one) for one in people] == [["vip"], [], []]


async def test_conversations_are_done_together_and_wait_again(api, api_as, shop) -> None:
    async def begin(tx: Any, number: int) -> Any:
        given = {"id": new_id(), "channel": shop.trade.web.id, "name": f"N{number}", "email": f"n{number}@w.example",
                 "subject": f"S{number}", "body": "Is it open?", "topic": "other"}  # fmt: skip
        return await conversations.begin(tx, msgspec.convert(given, BeginInput))

    made = [str((await shop.db.transaction(lambda tx, n=n: begin(tx, n))).id) for n in range(3)]

    async def states() -> list[tuple[str, bool]]:
        rows = await shop.db.rows("SELECT state, assignee FROM conversation ORDER BY subject")
        return [(row["state"], row["assignee"] is not None) for row in rows]

    page = await done(
        api,
        "/admin/conversations/bulk",
        {"id": made[:2], "act": "closed", "next": "/admin/conversations?sort=-last_at"},
    )
    assert "Changed: 2." in page
    assert [state for state, _ in await states()] == ["closed", "closed", "open"]
    await take_back(api, page)
    assert await states() == [("open", False)] * 3
    given = StaffInput(email="sam@staff.example", name="Sam", roles=[Role.OWNER])
    sam = await shop.db.transaction(lambda tx: people.add(tx, given, "active"))
    actor = Actor(kind="staff", id=sam.id, name="Sam", permissions=frozenset(permissions()))
    async with api_as(actor) as client:
        mine = {"id": made, "act": "mine", "next": "/admin/conversations?sort=-last_at"}
        page = await done(client, "/admin/conversations/bulk", mine)
        assert await states() == [("open", True)] * 3
        await take_back(client, page)
        assert await states() == [("open", False)] * 3


async def begun(api: Any, path: str, data: dict[str, Any]) -> str:
    """The address of the page that tells how far an act on all that fits is."""
    answer = await api.post(path, data={**data, "everything": "1"})
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith("/admin/bulk/"), answer.headers["location"]
    return str(answer.headers["location"])


async def _went(shop: Any, here: str) -> None:
    await asyncio.gather(*(bulk_jobs.run(shop.db, UUID(here.rpartition("/")[2])) for _ in range(2)))


async def test_all_products_that_fit_are_put_away_and_come_back(api, shop) -> None:
    kettle, mug, towel, pot = (str(one) for one in shop.products.values())
    await done(api, "/admin/products/bulk", {"id": [pot], "act": "archived"})
    here = await begun(api, "/admin/products/bulk", {"act": "archived", "selection": "status=active"})
    assert "0 / 3" in (await api.get(here)).text
    assert "There is nothing to take back." in (await api.post(f"{here}/back")).text  # while it is under way
    await _went(shop, here)
    page = (await api.get(here)).text
    assert "Changed: 3." in page
    assert set((await statuses(shop)).values()) == {"archived"}
    await done(api, "/admin/products/bulk", {"id": [mug], "act": "draft"})  # somebody decided otherwise
    back = (await api.post(f"{here}/back")).headers["location"]
    await _went(shop, back)
    assert await statuses(shop) == {kettle: "active", mug: "draft", towel: "active", pot: "archived"}
    assert "Take back: Archive" in (await api.get(back)).text
    assert f"{back}/back" not in (await api.get(back)).text
    none = {"act": "archived", "selection": "q=nothing-is-called-so", "everything": "1"}
    assert "None of these is there" in await done(api, "/admin/products/bulk", none)


async def test_all_customers_that_fit_are_tagged_and_one_that_refuses_is_named(api, api_as, shop) -> None:
    pool = shop.trade.web.pools["customers"]
    await shop.db.rows(
        f"""INSERT INTO customer (id, pool, name, email) SELECT gen_random_uuid(), '{pool}', 'Ada ' || n, 'ada' || n || '@x.example'
            FROM generate_series(1, 60) AS n"""
    )
    full = await shop.db.value("SELECT id FROM customer WHERE name = 'Ada 7'")
    await shop.db.rows(
        f"INSERT INTO customer_tag (customer, tag) SELECT '{full}', 'tag-' || n FROM generate_series(1, 50) AS n"
    )
    await done(
        api,
        "/admin/customers/bulk",
        {"id": [str(await shop.db.value("SELECT id FROM customer WHERE name = 'Ada 1'"))], "tag": "vip"},
    )
    listed = (await api.get("/admin/customers?q=ada")).text
    assert "All 60 that fit" in listed
    assert 'name="selection" value="q=ada"' in listed
    here = await begun(api, "/admin/customers/bulk", {"tag": " VIP ", "selection": "q=ada&cursor=x"})
    await _went(shop, here)
    tagged = "SELECT count(*) FROM customer_tag WHERE tag = 'vip'"
    assert await shop.db.value(tagged) == 59
    page = (await api.get(here)).text
    assert "Ada 7" in page
    assert "at most 50" in page
    await _went(shop, (await api.post(f"{here}/back")).headers["location"])
    assert await shop.db.value(tagged) == 1, "who had it before keeps it"
    stopped = await begun(api, "/admin/customers/bulk", {"tag": "late", "selection": ""})
    await api.post(f"{stopped}/stop")
    await _went(shop, stopped)
    assert await shop.db.value("SELECT count(*) FROM customer_tag WHERE tag = 'late'") == 0
    nobody = Actor(kind="staff", id=new_id(), name="Sam", permissions=frozenset({"catalog.change"}))
    async with api_as(nobody) as client:
        assert (await client.get(here)).status_code == 403
        assert (await client.post(f"{here}/back")).status_code == 403
        data = {"tag": "x", "everything": "1"}
        assert (await client.post("/admin/customers/bulk", data=data)).status_code == 403


async def test_an_act_on_all_that_dies_goes_on(api, shop, monkeypatch) -> None:
    real, seen = catalog.change, []

    async def dies(tx: Any, *args: Any) -> Any:
        changed = await real(tx, *args)
        seen.append(args)
        if len(seen) == 2:
            raise RuntimeError("the power is gone")  # after the act, before its outcome is noted
        return changed

    here = await begun(api, "/admin/products/bulk", {"act": "draft", "selection": ""})
    monkeypatch.setattr(catalog, "change", dies)
    with pytest.raises(RuntimeError):
        await bulk_jobs.run(shop.db, UUID(here.rpartition("/")[2]))
    assert sorted((await statuses(shop)).values()) == ["active", "active", "active", "draft"]
    await _went(shop, here)
    assert set((await statuses(shop)).values()) == {"draft"}
    assert "Changed: 4." in (await api.get(here)).text
