"""Pages of segments: from a template, by rows and by JSON, without scripts and with."""

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


async def test_a_segment_by_form_alone(api: httpx.AsyncClient, market: Market) -> None:
    await people(market, "SE", "SE", "NL")
    assert "No segments yet" in (await api.get("/admin/segments")).text
    assert "Lapsing regulars" in (await api.get("/admin/segments/new?template=lapsing")).text
    one = {"kind": "trait", "fits": "yes", "glue": "and", "field": "country", "op": "is", "values": "SE, DE"}
    two = {"kind": "orders", "fits": "no", "glue": "and", "measure": "sum", "at_least": "12,50", "days": "30"}
    three = {"kind": "event", "fits": "yes", "glue": "or", "name": "Signed Up", "at_least": "1",
             "property": "plan", "property_op": "is", "property_value": "pro"}  # fmt: skip
    more = await api.post("/admin/segments/shape", data=rows(one, do="add"))
    assert more.text.count('aria-label="Condition') == 2
    size = await api.post("/admin/segments/size", data=rows(one))
    assert "2 people now" in size.text
    bad = await api.post("/admin/segments/new", data=rows({**two, "at_least": "x"}))
    assert bad.status_code == 422
    bad = await api.post("/admin/segments/new", data=rows({**two, "at_least": ""}))
    assert bad.status_code == 422
    assert "at_least" in bad.text
    made = await api.post("/admin/segments/new", data=rows(one, two, three))
    assert made.status_code == 303, made.text
    path = made.headers["location"]
    document = await market.db.value("SELECT definition FROM segment")
    assert [each["kind"] for each in document["of"]] == ["trait", "any"]
    assert document["of"][1]["of"][0]["of"]["at_least"] == 1250
    edit = (await api.get(f"{path}/edit")).text
    for text in ("SE, DE", "12.50", "Signed Up", "pro"):
        assert text in edit
    deep = {"kind": "any", "of": [{"kind": "all", "of": [{"kind": "points", "at_least": 3}]}]}
    kept = await api.post(
        f"{path}/edit",
        data=rows(**{"as": "json", "json": msgspec.json.encode(deep).decode(), "version": "1"}),
    )
    assert kept.status_code == 303
    assert "more than rows can show" in (await api.get(f"{path}/edit")).text
    broken = await api.post(f"{path}/edit", data=rows(**{"as": "json", "json": "{", "version": "2"}))
    assert broken.status_code == 422
    stale = await api.post(f"{path}/edit", data=rows(one, version="1"))
    assert stale.status_code == 412
    back = await api.post(f"{path}/edit", data=rows(one, version="2"))
    assert back.status_code == 303
    await follow(market.db)
    shown = await api.get(path)
    assert "Person 0" in shown.text
    assert "Person 2" not in shown.text
    assert "Came" in (await api.get(f"{path}/changes")).text
    person = shown.text.partition(f"{path}/people/")[2][:36]
    assert "found: SE" in (await api.get(f"{path}/people/{person}")).text
    other = await api.post("/admin/segments/new", data=rows(one, name="Second"))
    ids = [each["location"].rpartition("/")[2] for each in (made.headers, other.headers)]
    await follow(market.db)
    both = await api.get("/admin/segments/overlap", params={"segment": ids})
    assert "Mine + Second" in both.text
    gone = await api.post(f"{path}/delete", data={})
    assert gone.status_code == 303
    assert (await api.get(path)).status_code == 404


@pytest.mark.browser
async def test_the_builder_shows_the_size_while_rows_come_and_go(site: Site, market: Market) -> None:
    await people(market, "SE", "SE", "NL")
    page = await site.staff(width=390)
    await page.goto("/admin/segments")
    await site.fine(page)
    await site.picture(page, "segments-empty")
    await page.get_by_role("link", name="Begin with this: New customers").click()
    await page.get_by_label("What it is about").select_option("trait")
    await page.get_by_label("These texts").fill("SE")
    await expect(page.locator("#size")).to_contain_text("2 people now")
    await page.get_by_role("button", name="Add a condition").click()
    await page.get_by_label("Together with the one before").select_option("or")
    await page.get_by_label("What it is about").nth(1).select_option("customer_since")
    await expect(page.get_by_label("What counts")).to_have_count(0)
    await page.get_by_label("In the last … days").fill("7")
    await expect(page.locator("#size")).to_contain_text("3 people now")
    await site.fine(page)
    await site.picture(page, "segment-builder")
    await page.get_by_role("button", name="Remove condition 2").click()
    await expect(page.locator("#size")).to_contain_text("2 people now")
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
    for path in ("/admin/rfm", "/admin/segments/overlap", "/admin/segments"):
        await page.goto(path)
        await site.fine(page)
        await site.picture(page, path.rpartition("/")[2] + "-page")
