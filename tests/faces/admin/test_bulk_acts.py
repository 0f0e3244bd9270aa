"""Acts on what is picked in lists: each row by itself, what refuses is told, and one click takes all of it back."""

import re
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from samlad import customers
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
