"""Clerks take turns at a till: by PIN or badge, with their own rights, online and without network; it locks itself."""

import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest
from browser import Site, comes_true, session_of
from market import Market, text_of
from playwright.async_api import Page, expect

from applications import running
from samlad import channels, orders
from samlad.access import clerks, pins, recent, staff
from samlad.access.csrf import token_for
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.channels import ChannelChange
from samlad.faces import pos
from samlad.kernel.context import Actor, Context
from samlad.kernel.settings import Settings

TILL = "/pos/soder"
HTMX = {"hx-request": "true"}


async def person(market: Market, name: str, pin: str, *roles: Role, place: int | None = 0) -> UUID:
    """Somebody with a PIN, bound to a store."""
    bound = [] if place is None else [market.places[place].id]
    wanted = StaffInput(
        email=f"{name.split()[0].lower()}@example.org", name=name, roles=list(roles), locations=bound
    )
    made = await market.db.transaction(lambda tx: staff.add(tx, wanted, "active"))
    await pins.set_pin(market.db, Context(actor=Actor(kind="staff", id=made.id, name=name)), pin)
    return made.id


@pytest.fixture
async def till(market: Market, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The browser of a till that an owner has signed in."""
    token = await session_of(market.db)
    async with running(settings) as application:
        transport = httpx.ASGITransport(app=application, raise_app_exceptions=False)
        headers = {"accept": "text/html", "accept-language": "en", "x-csrf-token": token_for(token)}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://samlad.test", headers=headers
        ) as client:
            client.cookies.set("samlad_session", token)
            yield client


async def test_clerks_take_turns_and_each_has_their_own_rights(
    till: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))
    sam = await person(market, "Sam Säljare", "4071", Role.STORE)
    ada = await person(market, "Ada Chef", "8146", Role.MANAGER, place=None)
    away = await person(market, "Bo Borta", "5390", Role.STORE, place=1)
    page = await till.get(f"{TILL}/clerks")
    assert "Sam Säljare" in page.text and "Ada Chef" in page.text and "Bo Borta" not in page.text  # noqa: PT018

    async def on(who: UUID, pin: str) -> httpx.Response:
        return await till.post(f"{TILL}/clerks", data={"who": str(who), "pin": pin})

    assert (await on(sam, "9999")).status_code == 422
    assert (await on(away, "5390")).status_code == 422  # the right PIN, in another store
    assert (await till.get("/admin/orders")).status_code == 200  # nobody has taken a turn yet
    assert (await on(sam, "4071")).headers["location"] == TILL
    ticket = (await till.post(f"{TILL}/scan", data={"code": "KTL"}, headers=HTMX)).text
    assert "Kettle" in text_of(ticket)
    shown = text_of((await till.get(TILL)).text)
    assert "Sam Säljare" in shown
    # The session is the till's now: the owner's rights are nobody's, at no other address.
    for path in ("/admin/orders", "/api/orders", "/api/session", "/api/account"):
        answer = await till.get(path, headers={"accept": "application/json"})
        assert answer.status_code in (303, 401, 403) or '"guest"' in answer.text, (
            path,
            answer.status_code,
            answer.text,
        )
    # Locked: nothing but the names, and what was sold may be sent.
    assert (await till.post(f"{TILL}/lock")).headers["location"] == f"{TILL}/clerks"
    for path in (TILL, f"{TILL}/day", f"{TILL}/pay"):
        assert (await till.get(path)).headers["location"] == f"{TILL}/clerks", path
    assert (await till.get("/pos/")).headers["location"] == "/pos/unlock"
    assert (await till.get(f"{TILL}/offline/here")).json()["clerk"] is None
    sent = await till.post("/api/till-sales/batch", json={"channel": "soder", "entries": []})
    assert sent.status_code == 200
    assert (await till.get("/api/till-day/soder", params={"till": str(sam)})).status_code == 200
    # Ada goes on by her badge; the ticket is where it was, and the sale is hers.
    badge = await market.db.transaction(lambda tx: clerks.make_badge(tx, ada))
    assert (await till.post(f"{TILL}/clerks", data={"badge": badge.lower()})).headers["location"] == TILL
    pay = (await till.get(f"{TILL}/pay?by=card")).text
    form = {name: pay.split(f'name="{name}" value="')[1].split('"')[0] for name in ("cart", "total")}
    sold = await till.post(f"{TILL}/pay", data={**form, "by": "card", "token": "ok"})
    assert sold.status_code == 303
    assert await market.db.value("SELECT actor FROM orders") == f"staff:{ada}"
    # Who may not work here any more is not on any more.
    await market.db.rows("UPDATE staff SET status = 'disabled' WHERE id = $1 RETURNING 1", ada)
    recent.forget()
    assert (await till.get(TILL)).headers["location"] == f"{TILL}/clerks"
    facts = await market.db.rows("SELECT payload FROM event WHERE type = 'till.clerk-changed' ORDER BY id")
    assert [row["payload"]["clerk"] for row in facts] == [str(sam), None, str(ada)]


async def test_wrong_pins_are_paused(till: httpx.AsyncClient, market: Market) -> None:
    sam = await person(market, "Sam Säljare", "4071", Role.STORE)
    tries = [
        (await till.post(f"{TILL}/clerks", data={"who": str(sam), "pin": f"90{n}7"})).status_code
        for n in range(6)
    ]
    assert tries == [422] * 5 + [429]
    again = await till.post(f"{TILL}/clerks", data={"who": str(sam), "pin": "4071"})
    assert again.status_code == 429  # the right one, too
    assert "Too many tries" in text_of(again.text)


async def test_how_long_a_pin_is_is_learnt_when_it_is_right(till: httpx.AsyncClient, market: Market) -> None:
    sam = await person(market, "Sam Säljare", "407113", Role.STORE)
    ada = await person(market, "Ada Chef", "81462650", Role.MANAGER)
    kept = "SELECT digits FROM staff_pin WHERE staff = $1"
    assert [await market.db.value(kept, each) for each in (sam, ada)] == [6, 8]
    # As PINs of before were kept.
    forgotten = "UPDATE staff_pin SET digits = NULL, till_check = NULL WHERE staff = $1 RETURNING 1"
    for each in (sam, ada):
        await market.db.rows(forgotten, each)
    assert (await till.post(f"{TILL}/clerks", data={"who": str(sam), "pin": "407114"})).status_code == 422
    assert await market.db.value(kept, sam) is None
    assert (await till.post(f"{TILL}/clerks", data={"who": str(sam), "pin": "407113"})).status_code == 303
    assert await market.db.value(kept, sam) == 6
    day = (await till.get("/api/till-day/soder", params={"till": str(sam)})).json()
    assert {each["name"]: each["pin"] is not None for each in day["clerks"]} == {
        "Ada Chef": False,
        "Sam Säljare": True,
    }
    at = market.places[0].id
    approval = (market.db, Context(), "ada@example.org", "81462650", orders.CHANGE, at)
    assert (await pins.approve(*approval)).id == ada
    assert await market.db.value(kept, ada) == 8
    assert await market.db.value("SELECT till_check FROM staff_pin WHERE staff = $1", ada) is None


ALONE = """async ([salt, rounds, hash]) => {
    const { ask, open } = await import("/static/pos/offline/database.js");
    const { charge, isPin } = await import("/static/pos/offline/who.js");
    const db = await open("alone"), waits = [];
    for (let n = 0; n < 6; n += 1) waits.push(await charge(db, "a", 1_000 + n));
    waits.push(await charge(db, "a", 31_010), await charge(db, "a", 31_020), await charge(db, "b", 31_020), await charge(db, "a", 10));
    db.close();
    await ask(indexedDB.deleteDatabase("samlad-till-alone"));
    return { waits, right: await isPin({ salt, rounds, hash }, "4071"), wrong: await isPin({ salt, rounds, hash }, "4072") };
}"""


async def _on(page: Page, name: str, pin: str) -> None:
    await page.locator("#clerk-list").get_by_role("button", name=name).click()
    await page.locator("#clerk-secret").fill(pin)
    await page.locator("#clerk-secret").press("Enter")


@pytest.mark.browser
@pytest.mark.slow
async def test_clerks_take_turns_without_network(site: Site, market: Market) -> None:
    await market.product(title="Kittel", sku="KETTLE", price=19_900, stock=(9, 0))
    sam = await person(market, "Sam Säljare", "4071", Role.STORE)
    ada = await person(market, "Ada Chef", "814626", Role.MANAGER)
    tips = ChannelChange(settings={"tips": True})
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, tips))
    page = await site.staff(service_workers="allow")
    await page.goto(f"{TILL}/clerks")
    await site.picture(page, "till-clerks")
    await page.get_by_role("link", name="Sam Säljare").click()
    await site.fine(page)
    await page.get_by_label("PIN of Sam Säljare").fill("4071")
    await page.keyboard.press("Enter")
    await expect(page.locator(".flash, .notice").first).to_contain_text("Sam Säljare is on")
    await expect(page.locator('[data-store="soder"][data-kept="true"][data-goods="true"]')).to_have_count(1)
    check = clerks.read_check(await market.db.value("SELECT till_check FROM staff_pin WHERE staff = $1", sam))
    assert check is not None
    found = await page.evaluate(ALONE, [check.salt, check.rounds, check.hash])
    # Five are free, then half a minute, then a whole one; a clock that was set back gains nothing.
    assert found == {
        "waits": [0, 0, 0, 0, 0, 29_999, 0, 59_990, 0, 60_000],
        "right": True,
        "wrong": False,
    }
    await comes_true(
        page,
        """async () => {
            const { meta, open } = await import("/static/pos/offline/database.js");
            return (await meta(await open("soder"), "day"))?.clerks.length === 2;
        }""",
    )
    await page.context.set_offline(True)
    await expect(page.locator("[data-till][data-ready]")).to_have_count(1)
    await expect(page.locator("#clerk")).to_have_text("Sam Säljare")
    await page.locator("#code").fill("KETTLE")
    await page.locator("#code").press("Enter")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)
    await page.locator('[data-act="parked"]').click()  # what asks no rights is everybody's
    await expect(page.locator("#panel")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.locator("#who").click()
    await page.locator("#clerk-lock").click()
    await expect(page.locator("#clerk-locked")).to_be_visible()
    await page.reload()  # no way around it
    await expect(page.locator("#clerk-locked")).to_be_visible()
    await expect(page.locator("#desk-in")).to_be_hidden()
    await site.picture(page, "till-offline-clerks")
    await site.fine(page)
    await _on(page, "Ada Chef", "4071")
    await expect(page.locator("#clerk-wrong")).to_contain_text("That did not work")
    # Four digits are not carried: it says so, and what to do, before anything is typed and after.
    await page.locator("#clerk-list").get_by_role("button", name="Sam Säljare").click()
    await expect(page.locator("#clerk-wrong")).to_contain_text("does not know the PIN of Sam Säljare")
    await site.picture(page, "till-offline-short-pin")
    await site.fine(page)
    await _on(page, "Sam Säljare", "4071")
    await expect(page.locator("#clerk-wrong")).to_contain_text("Scan the badge, or choose a longer PIN")
    await expect(page.locator("#clerk-locked")).to_be_visible()
    await _on(page, "Ada Chef", "814626")
    await expect(page.locator("#clerk")).to_have_text("Ada Chef")
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)
    await page.locator('[data-pay="card"]').click()
    await page.locator("#tip-quick").get_by_role("button", name="10 %").click()
    await expect(page.locator("#pay-due")).to_contain_text("219")
    await site.fine(page)
    await site.picture(page, "till-offline-tip")
    await page.locator("#pay-quick button").first.click()
    await expect(page.locator("#receipt-sums")).to_contain_text("Tip")
    await expect(page.locator("#receipt-clerk")).to_contain_text("Ada Chef")
    # Back with the network: the sale is Ada's, and nobody goes on as Sam, whom the server still had on.
    await page.context.set_offline(False)
    await expect(page.locator("#unsent")).to_have_attribute("data-unsent", "0")
    [sale] = await market.db.rows("SELECT body, objections FROM till_sale")
    assert (sale["body"]["clerk"], sale["objections"]) == (str(ada), [])
    [tip] = await market.db.rows("SELECT amount, clerk FROM order_tip")
    assert (tip["amount"], tip["clerk"]) == (2_000, ada)
    await page.goto(TILL)
    await expect(page).to_have_url(f"{site.url}{TILL}/clerks")
    # It locks itself when nobody touches it.
    await market.db.transaction(
        lambda tx: channels.change(tx, market.stores[0].id, ChannelChange(settings={"till_lock_seconds": 2}))
    )
    await page.get_by_role("link", name="Ada Chef").click()
    await page.get_by_label("PIN of Ada Chef").fill("814626")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Ada Chef is on")).to_be_visible()
    while (
        await page.locator('[data-lock-seconds="2"]').count() == 0
    ):  # the server keeps what channels are for seconds
        await page.goto(TILL)
    await expect(page).to_have_url(f"{site.url}{TILL}/clerks")
    await expect(page.get_by_text("The till is locked")).to_be_visible()


WHO = Path(pos.__file__).parent / "static/offline/who.js"
RIGHTS = """
const { isLocked, may, whyNotPin } = await import(process.argv[1]);
const person = (id, pin, badge) => ({ id, name: id, pin, badge, may: ["returns"] });
const short = { pins: "long", clerks: [person("sam", null, null)] };
const badged = { pins: "none", clerks: [...short.clerks, person("ada", null, "k")] };
const sam = { id: "sam" }, acts = ["parked", "returns", "drawer"];
console.log(JSON.stringify({
  locked: [short, badged, { clerks: [person("ada", {}, null)] }, null].map((day) => isLocked(null, day)),
  on: acts.map((act) => may(sam, short, act)),
  nobody: acts.map((act) => may(null, short, act)),
  stranger: [...acts.map((act) => may({ id: "bo" }, short, act)), may({ id: "bo" }, short, "discount-any", false)],
  never: acts.map((act) => may(undefined, null, act)),
  why: [whyNotPin(short.clerks[0], short), whyNotPin(badged.clerks[1], badged), whyNotPin(person("ada", {}), short), whyNotPin(undefined, short)],
}));
"""


def test_a_locked_till_that_nobody_can_open_sells_and_does_nothing_else() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node: apt-get install nodejs")
    run = subprocess.run(
        [node, "--input-type=module", "-e", RIGHTS, WHO], capture_output=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr.decode()
    assert msgspec.json.decode(run.stdout) == {
        "locked": [False, True, True, False],
        "on": [True, True, False],
        "nobody": [True, False, False],
        "stranger": [True, True, True, False],
        "never": [True, True, True],
        "why": ["pin-not-long", "pin-not-none", None, None],
    }


def test_a_tills_session_opens_the_till_and_nothing_else() -> None:
    opens = ("/pos", "/pos/soder/pay", "/live", "/api/till-sales/batch", "/api/orders/1/receipt.escpos")
    others = (
        "/",
        "/admin",
        "/position",
        "/api/orders",
        "/api/staff",
        "/api/orders/1/refunds",
        "/api/tills",
        "/account",
    )
    assert [clerks.is_of_till(path) for path in opens] == [True] * len(opens)
    assert [clerks.is_of_till(path) for path in others] == [False] * len(others)
    assert clerks.is_badge(f" {clerks.new_badge_code().lower()} ")
    assert not clerks.is_badge("7310865004703")
