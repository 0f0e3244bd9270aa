"""The desk of identity: conflicts are decided, values are released, rules are tried before anything follows them."""

import json
import re

import pytest
from browser import Site
from market import text_of
from playwright.async_api import expect

from samlad import customers, identity
from samlad.channels import Resource
from samlad.customers import PersonInput
from samlad.identity.model import AuthLevel, Identifier, Kind, Sighting
from samlad.kernel.clock import now

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def see(shop, *sets: str) -> None:
    """Identifiers that a server of the shop saw together, such as ``external_id:1 email:a@x.org``."""
    pool = shop.trade.web.pools[Resource.CUSTOMERS]
    told = [
        Sighting(
            pool=pool, source="test", event_id=f"{number} {text}", observed_at=now(), received_at=now(),
            auth=AuthLevel.AUTHENTICATED,
            identifiers=[Identifier(Kind(kind), value) for kind, _, value in (one.partition(":") for one in text.split())],
        )
        for number, text in enumerate(sets)
    ]  # fmt: skip
    await shop.db.transaction(lambda tx: identity.observe(tx, told))


async def go_on(api, path: str, **sent: str) -> str:
    answer = await api.post(path, data=sent, headers=PEOPLE)
    assert answer.status_code == 303, answer.text
    return text_of((await api.get(answer.headers["location"], headers=PEOPLE)).text)


async def test_two_numbers_that_want_to_meet(api, shop) -> None:
    pool = shop.trade.web.pools[Resource.CUSTOMERS]
    for number in ("A1", "A2", "B1", "B2"):
        person = PersonInput(external_id=number)
        await shop.db.transaction(lambda tx, one=person: customers.find_or_create(tx, pool, one))
    await shop.trade.follow()
    await see(
        shop,
        "external_id:A1 email:a@x.org",
        "external_id:A2 email:a@x.org",
        "external_id:B1 email:b@x.org",
        "external_id:B2 email:b@x.org",
    )
    page = (await api.get("/admin/identity/conflicts?status=open", headers=PEOPLE)).text
    assert "Two values of which a person has one" in page
    filled = [json.loads(each) for each in re.findall(r"data-fill='([^']+)'", page)]
    rows = [(each["action"].rsplit("/", 1)[1], each["left"], each["right"]) for each in filled]
    assert len(rows) == 2
    (one, left, right), (other, *_) = rows
    assert "one person from now on" in await go_on(
        api, f"/admin/identity/conflicts/{one}", verdict="same", left=left, right=right
    )
    assert (
        await shop.db.value("SELECT count(DISTINCT profile) FROM identity_node WHERE kind = 'customer'") == 3
    )
    assert "off the list" in await go_on(api, f"/admin/identity/conflicts/{other}", verdict="dismiss")
    left_over = (await api.get("/admin/identity/conflicts?status=open", headers=PEOPLE)).text
    assert "Nothing wants to meet" in left_over
    again = await go_on(api, f"/admin/identity/conflicts/{other}", verdict="dismiss")
    assert "There is no such conflict" in again


async def test_a_value_on_too_many_people_and_rules_that_allow_it(api, shop) -> None:
    await see(shop, *(f"external_id:N{number} email:desk@x.org" for number in range(7)))
    listed = (await api.get("/admin/identity/quarantine", headers=PEOPLE)).text
    assert "desk@x.org" in listed
    node = re.search(r"/admin/identity/quarantine/([0-9a-f-]{36})", listed)[1]
    one = text_of((await api.get(f"/admin/identity/quarantine/{node}", headers=PEOPLE)).text)
    assert "bring 7 people together" in one
    assert "N3" in one
    assert (
        await api.post(f"/admin/identity/quarantine/{node}/release", data={"reason": ""}, headers=PEOPLE)
    ).status_code == 422
    rules = json.loads(
        re.search(
            r"<textarea[^>]*>(.*?)</textarea>",
            (await api.get("/admin/identity/rules", headers=PEOPLE)).text,
            re.DOTALL,
        )[1].replace("&#34;", '"')
    )
    broken = await api.post(
        "/admin/identity/rules", data={"document": '{"fan_out": {"email": 0}}'}, headers=PEOPLE
    )
    assert broken.status_code == 422
    rules["fan_out"]["email"] = 50
    rules["limits"]["external_id"] = 100
    kept = await api.post(
        "/admin/identity/rules", data={"document": json.dumps(rules), "note": "wide"}, headers=PEOPLE
    )
    assert kept.status_code == 303, kept.text
    tried = text_of((await api.get(kept.headers["location"], headers=PEOPLE)).text)
    assert "7 into 1" in tried or "8 into 1" in tried
    assert "external_id:N3" in tried
    assert (
        await shop.db.value("SELECT count(DISTINCT profile) FROM identity_node WHERE kind = 'external_id'")
        == 7
    )
    done = await go_on(api, f"{kept.headers['location']}/activate")
    assert "Version 1 is in force" in done
    assert (
        await shop.db.value("SELECT count(DISTINCT profile) FROM identity_node WHERE kind = 'external_id'")
        == 1
    )
    node_state = await shop.db.value("SELECT state FROM identity_node WHERE value = 'desk@x.org'")
    assert node_state == "live"


@pytest.mark.browser
async def test_a_release_with_a_reason(site: Site, shop) -> None:
    await see(shop, *(f"external_id:N{number} email:desk@x.org" for number in range(7)))
    page = await site.staff(width=390)
    for path in ("rules", "conflicts", "quarantine"):
        await page.goto(f"/admin/identity/{path}")
        await site.fine(page)
        await site.picture(page, f"identity-{path}")
    await page.get_by_role("link", name="desk@x.org").click()
    await page.get_by_label("Why").fill("A family of seven")
    await site.fine(page)
    await page.get_by_role("button", name="Release").click()
    await expect(page.get_by_text("It links again")).to_be_visible()
