"""Pages of segments: from a template, by rows and by JSON, without scripts and with."""

import html
from typing import Any

import httpx
import msgspec
import pytest
from browser import Site
from market import Market
from playwright.async_api import expect

import horizon
from samlad import customers
from samlad.audiences.live import FOLLOWERS
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.faces.admin import segment_names
from samlad.kernel import followers
from samlad.kernel.database import Database


async def follow(db: Database) -> None:
    """Let segments catch up."""
    await followers.register(db, FOLLOWERS)
    for _ in range(2):
        for follower in FOLLOWERS:
            await horizon.passed(db)
            while await followers.step(db, follower):
                await horizon.passed(db)


async def people(market: Market, *countries: str) -> None:
    pool = market.web.pools[Resource.CUSTOMERS]
    for number, country in enumerate(countries):
        person = PersonInput(email=f"p{number}@example.org", name=f"Person {number}", country=country)
        await market.db.transaction(lambda tx, one=person: customers.find_or_create(tx, pool, one))


def rows(*each: dict[str, str], **fields: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": "Mine", "note": "", **fields}
    for number, row in enumerate(each):
        found |= {f"r/{number}/{name}": value for name, value in row.items()}
    return found


def groups(kind: str, *each: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A form with one group of conditions, as a browser sends it."""
    top = {"kind": kind, "fits": "yes", "depth": "0"}
    return rows(top, *({"fits": "yes", "depth": "1", **one} for one in each), **fields)


async def test_a_segment_by_form_alone(api: httpx.AsyncClient, market: Market) -> None:
    await people(market, "SE", "SE", "NL")
    assert "No segments yet" in (await api.get("/admin/segments")).text
    assert "Lapsing regulars" in (await api.get("/admin/segments/new?template=lapsing")).text
    one = {"kind": "trait", "field": "country", "op": "is", "values": ["SE", "DE"]}
    two = {
        "kind": "orders",
        "fits": "no",
        "measure": "sum",
        "at_least": "12,50",
        "window": "days",
        "days": "30",
    }
    three = {"kind": "event", "depth": "2", "name": "Signed Up", "at_least": "1", "p/0/name": "plan", "p/0/op": "is",
             "p/0/type": "text", "p/0/value": "pro"}  # fmt: skip
    inner = {"kind": "any", "depth": "1"}
    more = await api.post("/admin/segments/shape", data=groups("all", one, do="add-0"))
    assert more.text.count('aria-label="Condition') == 2
    undone = await api.post("/admin/segments/shape", data=groups("all", one, one, do="remove-1"))
    assert undone.text.count('aria-label="Condition') == 1
    assert "Undo the last step" in undone.text
    size = await api.post("/admin/segments/size", data=groups("all", one))
    assert "2 people now" in size.text
    assert "Country is one of “Sweden” or “Germany”" in size.text
    assert "Person 0" in size.text  # one of those for whom it holds
    bad = await api.post("/admin/segments/new", data=groups("all", {**two, "at_least": "x"}))
    assert bad.status_code == 422
    bad = await api.post("/admin/segments/new", data=groups("all", {**two, "at_least": ""}))
    assert bad.status_code == 422
    assert 'id="f-r/1/at_least-error"' in bad.text
    bad = await api.post("/admin/segments/new", data=groups("all", {**two, "days": ""}))
    assert 'id="f-r/1/days-error"' in bad.text
    made = await api.post(
        "/admin/segments/new", data=groups("all", one, inner, {**two, "depth": "2"}, three, name="Mine")
    )
    assert made.status_code == 303, made.text
    path = made.headers["location"]
    document = await market.db.value("SELECT definition FROM segment")
    assert [each["kind"] for each in document["of"]] == ["trait", "any"]
    assert document["of"][1]["of"][0]["of"]["at_least"] == 1250
    edit = (await api.get(f"{path}/edit")).text
    for text in ("Sweden", "12.50", "Signed Up", "pro"):
        assert text in edit
    assert "Copy of Mine" in (await api.get("/admin/segments/new", params={"of": path[-36:]})).text
    deep = {"kind": "any", "of": [{"kind": "all", "of": [{"kind": "points", "at_least": 3}]}]}
    kept = await api.post(
        f"{path}/edit",
        data=rows(**{"as": "json", "json": msgspec.json.encode(deep).decode(), "version": "1"}),
    )
    assert kept.status_code == 303
    assert "more than rows can show" not in (await api.get(f"{path}/edit")).text
    for number, text in enumerate(("{", "[]", "7", '{"kind": "weather"}', '{"kind":"not","of":' * 5_000)):
        broken = await api.post(f"{path}/edit", data=rows(**{"as": "json", "json": text, "version": "2"}))
        assert (broken.status_code, 'id="f-json-error"' in broken.text) == (422, True), number
    stale = await api.post(f"{path}/edit", data=groups("all", one, version="1"))
    assert stale.status_code == 412
    other_name = await api.post(f"{path}/edit", data=groups("all", one, version="2", name="Renamed"))
    assert other_name.status_code == 303
    undo = (await api.get(path)).text.partition('action="/admin/undo/')[2].partition('"')[0]
    assert (await api.post(f"/admin/undo/{undo}", data={})).headers["location"] == path
    taken_back = await market.db.row("SELECT name, definition FROM segment")
    assert taken_back is not None
    assert taken_back["name"] == "Mine"
    assert taken_back["definition"]["kind"] == "any"
    back = await api.post(f"{path}/edit", data=groups("all", one, version="4"))
    assert back.status_code == 303
    await follow(market.db)
    shown = await api.get(path)
    assert "Person 0" in shown.text
    assert "Person 2" not in shown.text
    assert "Came" in (await api.get(f"{path}/changes")).text
    person = shown.text.partition(f"{path}/people/")[2][:36]
    assert "found: SE" in (await api.get(f"{path}/people/{person}")).text
    other = await api.post("/admin/segments/new", data=groups("all", one, name="Second"))
    ids = [each["location"].rpartition("/")[2] for each in (made.headers, other.headers)]
    await follow(market.db)
    both = await api.get("/admin/segments/overlap", params={"segment": ids})
    assert "Mine + Second" in both.text
    gone = await api.post(f"{path}/delete", data={})
    assert gone.status_code == 303
    assert (await api.get(path)).status_code == 404


async def test_pickers_find_what_there_is_by_typing(api: httpx.AsyncClient, market: Market) -> None:
    """Every sort of thing that conditions can name, by what it is called; what is ticked stays."""
    await market.product(title="Kettle & co", sku="KET-1", price=100)
    product = await market.db.row("SELECT id, title FROM product LIMIT 1")
    assert product is not None
    sku = await market.db.value("SELECT sku FROM variant LIMIT 1")
    category = "Kök"
    await people(market, "SE")
    asked = {
        ("orders", "products"): (product["title"], product["title"]),
        ("orders", "categories"): (category, category),
        ("orders", "skus"): (sku, sku),
        ("orders", "channels"): (market.web.name, market.web.name),
        ("trait", "values"): ("swed", "Sweden"),
        ("tagged", "tags"): ("new one", "as typed"),
        ("promotion", "promotions"): ("x%_\\", "Nothing fits"),
        ("tier", "tiers"): ("g", "as typed"),
        ("subscription", "plans"): ("zzz", "Nothing fits"),
    }
    for (kind, name), (typed, expected) in asked.items():
        data = groups("all", {"kind": kind, "field": "country", f"{name}/typed": typed})
        answer = await api.post("/admin/segments/choices", params={"field": f"r/1/{name}"}, data=data)
        assert answer.status_code == 200
        assert html.escape(expected) in answer.text, (kind, answer.text)
    ticked = groups(
        "all", {"kind": "orders", "products": [str(product["id"])], "products/typed": "nothing at all"}
    )
    kept = (await api.post("/admin/segments/choices?field=r/1/products", data=ticked)).text
    assert html.escape(product["title"]) in kept
    assert "checked" in kept
    assert (await api.post("/admin/segments/choices?field=r/1/none", data=ticked)).status_code == 404
    closed = await api.post(
        "/admin/segments/new", data=groups("all", {"kind": "orders", "products/typed": "ket"})
    )
    assert 'id="f-r/1/products-error"' in closed.text


async def test_a_segment_is_sent_by_form_alone(api: httpx.AsyncClient, market: Market) -> None:
    made = await api.post("/admin/segments/new", data=groups("all", {"kind": "points", "at_least": "1"}))
    segment = made.headers["location"].rpartition("/")[2]
    assert "Nothing is sent yet" in (await api.get("/admin/destinations")).text
    assert "Google Customer Match" in (await api.get("/admin/destinations/new")).text
    data = {
        "strategy": "webhook",
        "segment": segment,
        "name": "Agency",
        "purpose": "ads",
        "config.secret": "x",
    }
    bad = await api.post("/admin/destinations/new", data={**data, "config.url": "http://a.example"})
    assert bad.status_code == 422
    assert 'id="f-config.url-error"' in bad.text
    assert 'id="f-config.secret-error"' in bad.text
    secret = "whsec_" + "a2tr" * 8
    good = {**data, "config.url": "https://a.example/in", "config.secret": secret}
    here = (await api.post("/admin/destinations/new", data=good)).headers["location"]
    shown = (await api.get(f"{here}?try=1")).text
    assert "Dry run: nothing was sent" in shown
    assert secret not in shown
    for act, state in (
        ("paused", "Paused"),
        ("active", "Active"),
        ("sync", "Active"),
        ("end", "Being taken out"),
    ):
        assert (await api.post(here, data={"do": act})).status_code == 303
        assert state in (await api.get(here)).text
    assert "Agency" in (await api.get("/admin/destinations")).text


@pytest.mark.browser
async def test_the_builder_shows_the_size_while_rows_come_and_go(site: Site, market: Market) -> None:
    await people(market, "SE", "SE", "NL")
    page = await site.staff(width=390)
    await page.goto("/admin/segments")
    await site.fine(page)
    await site.picture(page, "segments-empty")
    await page.get_by_role("link", name="Begin with this: New customers").click()
    await expect(page.locator("#size")).to_contain_text("0 people now")
    # From here on by keyboard alone.
    await page.get_by_label("What it is about").focus()
    await page.keyboard.type("Details")
    await expect(page.get_by_label("Field", exact=True)).to_be_visible()
    await expect(page.get_by_label("What it is about")).to_be_focused()
    await page.get_by_label("Search: These texts").focus()
    await page.keyboard.type("swed")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("checkbox", name="Sweden")).to_be_checked()
    await expect(page.locator("#size")).to_contain_text("2 people now")
    await page.get_by_role("button", name="Add a group").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator('[id="f-r/2/kind"]')).to_be_focused()
    await page.get_by_label("What it is about").nth(1).focus()
    await page.keyboard.type("Customer since")
    await expect(page.get_by_label("What counts")).to_have_count(0)
    await page.get_by_label("When").focus()
    await page.keyboard.type("In the last days")
    await page.get_by_label("Days").focus()
    await page.keyboard.type("7")
    await expect(page.locator("#size")).to_contain_text("have become known in the last 7 days")
    await expect(page.locator("#size")).to_contain_text("2 people now")
    await page.get_by_role("button", name="Remove group 1.2").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Remove group 1.2")).to_have_count(0)
    await page.get_by_role("button", name="Undo the last step").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Days")).to_have_value("7")
    await site.fine(page)
    await site.picture(page, "segment-builder")
    await page.get_by_role("button", name="Create segment").click()
    await follow(market.db)
    await page.reload()
    await expect(page.get_by_role("link", name="Person 0", exact=True)).to_be_visible()
    await site.picture(page, "segment")
    await site.fine(page)
    await page.get_by_role("button", name="Delete").click()
    await page.locator("#delete").get_by_role("button", name="Delete").click()
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("link", name="Person 1", exact=True)).to_be_visible()
    for path in (
        "/admin/rfm",
        "/admin/segments/overlap",
        "/admin/segments",
        "/admin/destinations/new?strategy=google",
    ):
        await page.goto(path)
        await site.fine(page)
        await site.picture(page, path.rpartition("/")[2].partition("?")[0] + "-page")


@pytest.mark.browser
async def test_every_segment_to_begin_with_is_made_by_one_click(site: Site, market: Market) -> None:
    """A browser sends no form in which something is to be chosen; “Ever” is a choice."""
    page = await site.staff()
    for key, *_ in segment_names.TEMPLATES:
        await page.goto(f"/admin/segments/new?template={key}")
        name = await page.get_by_label("Name", exact=True).input_value()
        await page.get_by_role("button", name="Create segment").click()
        await expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()
        await expect(page.get_by_role("button", name="Delete").first).to_be_visible()
