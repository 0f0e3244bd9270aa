"""The customer's page: everything about a person, notes and tags with undo, the timeline live in any script."""

import re

import pytest
from browser import Site
from market import text_of
from playwright.async_api import expect

from samlad import customers, identity
from samlad.access.permissions import Role, permissions_of
from samlad.channels import Resource
from samlad.customers import NoteInput, PersonInput
from samlad.faces.admin import customer_blocks
from samlad.identity import MergeInput
from samlad.kernel.context import Actor
from samlad.kernel.ids import new_id

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def test_notes_tags_and_household_with_undo(api, api_as, shop) -> None:
    await shop.buy("MUG-032")
    await shop.trade.follow()
    kim = await shop.db.value("SELECT id FROM customer WHERE email = 'kim@example.org'")
    pool = shop.trade.web.pools[Resource.CUSTOMERS]
    sam = await shop.db.transaction(
        lambda tx: customers.find_or_create(tx, pool, PersonInput(email="sam@example.org", name="Sam"))
    )
    here = f"/admin/customers/{kim}"

    async def send(path: str = "", to: str = here, **fields: str) -> str:
        answer = await api.post(f"{to}{path}", data=fields, headers=PEOPLE)
        assert answer.status_code == 303, answer.text
        return (await api.get(answer.headers["location"], headers=PEOPLE)).text

    async def undone(page: str) -> str:
        path = re.search(r'action="(/admin/undo/[^"]+)"', page)
        assert path, "the page offers to take it back"
        return await send(to=path[1])

    page = text_of((await api.get(here, headers=PEOPLE)).text)
    for teaches in ("No tags.", "No notes.", "Nobody that we know of.", "Timeline", "Placed"):
        assert teaches in page
    page = await send("/notes", text="Likes <b>blue</b>", for_clerks="1")
    assert "Likes &lt;b&gt;blue" in page
    note = (await customers.notes_of(shop.db, Actor(kind="system"), kim))[0]
    page = await send(f"/notes/{note.id}", text="Likes green", version=str(note.version))
    assert "Likes green" in page
    assert "Likes &lt;b&gt;blue" in await undone(page)
    page = await send(f"/notes/{note.id}", text="x", delete="1")
    assert "Likes" not in text_of(page)
    assert "Likes" in text_of(await undone(page))
    page = await send("/tags", tags="VIP, press")
    assert "Take off vip" in page
    page = await send("/tags", remove="vip")
    assert "Take off vip" not in page
    assert "Take off vip" in await undone(page)
    listed = text_of((await api.get("/admin/customers?tag=vip", headers=PEOPLE)).text)
    assert "kim@example.org" in listed
    assert "sam@example.org" not in listed
    page = await send("/household", other="sam@example.org")
    assert f"/admin/customers/{sam.id}" in page
    assert f"/admin/customers/{sam.id}" not in await undone(page)
    assert "No other customer has this" in await send("/household", other="nobody@example.org")
    narrow = text_of((await api.get(f"{here}?kind=customer", headers=PEOPLE)).text)
    assert "A note was brought back" in narrow
    assert "Placed" not in narrow.split("Timeline")[1]

    async def version() -> str:
        return str(await shop.db.value("SELECT version FROM customer WHERE id = $1", kim))

    changed = await send(name="Kim Ek", phone="+46701112233", version=await version())
    assert "Kim Ek" in changed
    assert "Kim Berg" in await undone(changed)
    assert "changed" in text_of(await undone(changed)), "it was taken back already"
    changed = await send(name="Kim Ek", version=await version())
    await send(name="Kim Al", version=await version())
    assert "changed" in text_of(await undone(changed)), "somebody else has changed it since"
    assert await shop.db.value("SELECT name FROM customer WHERE id = $1", kim) == "Kim Al"

    secret = NoteInput(text="Has complained")
    await shop.db.transaction(lambda tx: customers.add_note(tx, kim, secret))
    clerk = Actor(kind="staff", id=new_id(), permissions=permissions_of(Role.STORE))
    async with api_as(clerk) as till:
        seen = text_of((await till.get(here, headers=PEOPLE)).text)
    assert "Likes" in seen
    assert "Has complained" not in seen
    assert "Known by" not in seen
    assert {each.template for each in customer_blocks._BLOCKS.values()} >= {"admin/customer_timeline.html"}


async def test_who_was_merged_while_the_form_was_open_is_not_written_over(api, shop) -> None:
    """The form showed the one; what is shown now is the other, whose details Undo would have put into the first."""
    pool = shop.trade.web.pools[Resource.CUSTOMERS]
    kim, work = [
        await shop.db.transaction(lambda tx, each=each: customers.find_or_create(tx, pool, each))
        for each in (
            PersonInput(email="kim@example.org", name="Kim", phone="+46701112233"),
            PersonInput(email="work@example.org", name="K. Berg"),
        )
    ]
    same = MergeInput(profiles=[kim.id, work.id], reason="The same")
    await shop.db.transaction(lambda tx: identity.merge(tx, same))
    typed = {"name": "Kim Berg", "email": "work@example.org", "version": "1"}
    answer = await api.post(f"/admin/customers/{work.id}", data=typed, headers=PEOPLE)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/admin/customers/{kim.id}")
    page = text_of((await api.get(answer.headers["location"], headers=PEOPLE)).text)
    assert "Nothing was saved" in page
    rows = await shop.db.rows("SELECT name, phone FROM customer ORDER BY id")
    assert [tuple(row) for row in rows] == [("Kim", "+46701112233"), ("K. Berg", None)]


@pytest.mark.browser
async def test_the_page_of_a_person_lives(site: Site, shop) -> None:
    await shop.buy("MUG-032")
    await shop.trade.follow()
    kim = await shop.db.value(
        "UPDATE customer SET name = 'مريم الخطيب' WHERE email = 'kim@example.org' RETURNING id"
    )
    await shop.db.rows(
        """INSERT INTO event (id, type, occurred_at, profile, subject, actor, request, payload)
           SELECT gen_random_uuid(), 'cart.line_changed', now() - make_interval(mins => 17 * n), $1, $1, 'test',
                  gen_random_uuid(), '{}'
           FROM generate_series(1, 5000) AS n RETURNING 1""",
        kim,
    )
    page = await site.staff(width=390)
    await page.goto(f"/admin/customers/{kim}")
    timeline = page.locator("#timeline")
    await expect(timeline).to_contain_text("Changed what is in the cart")
    await shop.db.transaction(lambda tx: customers.add_note(tx, kim, NoteInput(text="رسالة")))
    await expect(timeline).to_contain_text("A note was written")
    await page.get_by_label("Everything").select_option("orders")
    await expect(timeline).to_contain_text("Placed")
    await expect(timeline).not_to_contain_text("Changed what is in the cart")
    await site.picture(page, "customer")
    await site.fine(page)


async def test_a_customer_is_written_down_before_they_buy(api, shop) -> None:
    listed = (await api.get("/admin/customers", headers=PEOPLE)).text
    assert 'href="/admin/customers/new"' in listed
    form = (await api.get("/admin/customers/new", headers=PEOPLE)).text
    channel = re.search(r'name="channel" value="([^"]+)"', form)
    assert channel, "one pool of customers: there is nothing to choose"
    typed = {"channel": channel[1], "name": "נועה כהן", "phone": "070-765 43 21"}
    alone = await api.post("/admin/customers/new", data={**typed, "phone": ""}, headers=PEOPLE)
    assert alone.status_code == 422
    assert "a name with a telephone number" in text_of(alone.text)
    assert "נועה כהן" in alone.text
    made = await api.post("/admin/customers/new", data=typed, headers=PEOPLE)
    assert made.status_code == 303
    page = (await api.get(made.headers["location"], headers=PEOPLE)).text
    assert "נועה כהן" in page
    assert "070-765 43 21" in text_of((await api.get("/admin/customers?q=0707654321", headers=PEOPLE)).text)
    again = await api.post("/admin/customers/new", data={**typed, "phone": "+46707654321"}, headers=PEOPLE)
    assert again.status_code == 409
    assert made.headers["location"] in again.text
