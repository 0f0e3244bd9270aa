"""Store work on a phone: the network goes, windows are killed, answers are lost, the server is busy, and nothing is lost or twice."""

import asyncio
import itertools
import json
import random
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from browser import Site, comes_true, session_of
from market import Market, bring_in_slots
from playwright.async_api import BrowserContext, Page, Route, expect

from samlad import carts, orders
from samlad.access.permissions import Role, permissions_of
from samlad.app import CHECKS
from samlad.carts import CartInput, DetailsInput, LineInput
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.orders import Order, fulfilment, fulfilment_store
from samlad.orders.fulfilment_model import TakeInput
from samlad.orders.model import CancelInput
from samlad.payments import PaymentInput
from samlad.stock import counts, counts_store, transfers, transfers_store

HOME = "/pos/work/soder/phone"


async def begun(market: Market, note: str = "Cellar") -> UUID:
    """A count in the first store."""
    made = await market.db.transaction(lambda tx: counts.open_count(tx, market.places[0].id, note=note))
    return made.id


async def counted(market: Market, count: UUID) -> int:
    """Units found by everybody, as the server has them."""
    return sum(line.counted for line in (await counts_store.get(market.db, count)).lines)


async def ordered(market: Market, variant: UUID, units: int, method: str | None = None) -> Order:
    """An order of the webshop that is picked up in the first store, or brought from there by a method."""
    details: dict[str, Any] = {
        "email": "kim@example.org",
        "name": "Kim Berg",
        "delivery": "pickup",
        "location": str(market.places[0].id),
    }
    if method is not None:
        where = {
            "name": "Kim",
            "line1": "Storgatan 1",
            "postal_code": "211 34",
            "city": "Malmö",
            "country": "SE",
        }
        details |= {"delivery": "ship", "delivery_method": method, "address": where}

    async def work(tx: Tx) -> Order:
        lines = [LineInput(variant=variant, quantity=units)]
        cart = await carts.create(tx, CartInput(channel=market.web.id, lines=lines))
        await carts.set_details(tx, cart.id, msgspec.convert(details, DetailsInput))
        return await orders.place(
            tx, orders.PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="test")])
        )

    return await market.db.transaction(work)


def person(market: Market) -> Context:
    """A colleague in the first store."""
    rights, places = permissions_of(Role.STORE), frozenset({market.places[0].id})
    return Context(
        actor=Actor(kind="staff", id=new_id(), name="Anna Andersson", permissions=rights, locations=places)
    )


async def ready(page: Page, view: str = "") -> None:
    """The page is there, kept for when there is no network, and has taken its work along."""
    await page.goto(f"{HOME}{view}")
    await expect(page.locator('[data-work="soder"][data-ready][data-kept="true"]')).to_have_count(1)
    await expect(page.locator("#net")).to_have_attribute("data-state", "online")
    await expect(page.locator("#no-tasks")).to_be_hidden()


async def unsent(page: Page, n: int) -> None:
    await expect(page.locator("#unsent")).to_have_attribute("data-n", str(n))


async def scan(page: Page, code: str, field: str = "#code") -> None:
    await page.locator(field).fill(code)
    await page.locator(field).press("Enter")


async def kept(page: Page) -> list[dict[str, Any]]:
    """Everything in the outbox of this phone."""
    text = await page.evaluate(
        """async () => {
            const { all, open } = await import("/static/pos/work/queue.js");
            return JSON.stringify(await all(await open("soder")));
        }"""
    )
    return json.loads(text)


@pytest.mark.browser
@pytest.mark.slow
async def test_a_cellar_is_counted_without_network(site: Site, market: Market) -> None:
    await market.product(
        title="Kettle", handle="kettle", variants=[{"sku": "KETTLE", "gtin": "7310865004703"}], stock=(9,)
    )
    count = await begun(market)
    page = await site.staff(width=390, service_workers="allow")
    await ready(page)
    await site.fine(page)
    await site.picture(page, "work-home")
    await page.set_viewport_size({"width": 390, "height": 900})
    await page.get_by_role("link", name="Cellar").click()
    async with page.expect_response("**/phone/send"):  # before it is there, nothing is unsent either
        await scan(page, "KETTLE")
    await expect(page.locator("#said")).to_contain_text("1 × Kettle")
    await unsent(page, 0)
    await page.context.set_offline(True)
    await scan(page, "07310865004703")
    await unsent(page, 1)
    await expect(page.locator("#found li").first).to_contain_text("2")
    await page.locator("#pieces").fill("3")
    await scan(page, "NOBODY-KNOWS")
    await unsent(page, 2)
    await expect(page.locator("#net")).to_have_attribute("data-state", "network")
    await site.fine(page)
    await site.picture(page, "work-count")
    # The window is closed; a new one opens without network, at whatever address of the work, and knows everything.
    context = page.context
    await page.close()
    page = await context.new_page()
    await page.set_viewport_size({"width": 390, "height": 900})
    await page.goto("/pos/work/soder")
    await unsent(page, 2)
    await page.goto(f"{HOME}#count/{count}")
    await expect(page.locator("#found li", has_text="Kettle").locator(".count")).to_have_text("2")
    await expect(
        page.locator("#found li", has_text="Not known on this phone").locator(".count")
    ).to_have_text("3")
    assert await counted(market, count) == 1
    # It is back: what the server refuses holds up nothing, and is on two lists.
    await scan(page, "KETTLE")
    await context.set_offline(False)
    await unsent(page, 0)
    await expect(page.locator("#refused")).to_have_attribute("data-n", "1")
    assert await counted(market, count) == 3
    await page.locator("#refused").click()
    await expect(page.locator("#refused-list li")).to_contain_text("“NOBODY-KNOWS” is not known here")
    await site.fine(page)
    await site.picture(page, "work-refused")
    assert await market.db.value("SELECT count(*) FROM store_work WHERE state = 'refused'") == 1
    # Somebody makes it known, and it is tried again.
    await market.product(title="New", handle="new", variants=[{"sku": "NOBODY-KNOWS"}], stock=(1,))
    await page.get_by_role("button", name="Try again").click()
    await expect(page.locator("#refused")).to_be_hidden()
    await unsent(page, 0)
    assert await counted(market, count) == 6
    # What the manager hears of a count that ended meanwhile.
    await context.set_offline(True)
    await page.goto(f"{HOME}#count/{count}")
    await scan(page, "KETTLE")
    await unsent(page, 1)
    await market.db.transaction(lambda tx: counts.cancel(tx, count))
    await context.set_offline(False)
    await unsent(page, 0)
    await expect(page.locator("#count-gone")).to_be_visible()
    await page.locator("#refused").click()
    await expect(page.locator("#refused-list li")).to_contain_text("This count is not open.")
    await page.get_by_role("button", name="Remove from this phone").click()
    await expect(page.locator("#refused")).to_be_hidden()
    assert await market.db.value("SELECT count(*) FROM store_work WHERE state = 'refused'") == 1


class Trouble:
    """The server does it and the answer is lost, or it is busy, or the answer is cut off; every fourth time all is well.

    In turn and not by chance: how often phones ask is a matter of time, but nothing is sent before each has happened.
    """

    def __init__(self) -> None:
        self.fates = itertools.cycle(["lost", "busy", "cut", "well"])

    async def happen(self, route: Route) -> None:
        match next(self.fates):
            case "lost":
                await route.fetch()
                await route.abort()
            case "busy":
                await route.fulfill(status=503, body="busy")
            case "cut":
                await route.fetch()
                await route.fulfill(status=200, content_type="application/json", body='{"verdicts": [')
            case _:
                await route.continue_()


@pytest.mark.browser
@pytest.mark.slow
async def test_two_phones_in_all_kinds_of_trouble_add_up(site: Site, market: Market) -> None:
    for sku in ("A", "B"):
        await market.product(title=f"Thing {sku}", handle=sku.lower(), variants=[{"sku": sku}], stock=(50,))
    count, chance = await begun(market), random.Random(11)
    trouble, written = Trouble(), 0
    phones: list[Page] = []
    for name in ("Olivia Owner", "Anna Andersson"):
        page = await site.staff(Role.OWNER, name=name, width=390, service_workers="allow")
        await ready(page, f"#count/{count}")
        await page.context.route("**/phone/send", trouble.happen)
        phones.append(page)
    for step in range(24):
        at = chance.randrange(2)
        page = phones[at]
        await page.context.set_offline(chance.random() < 0.4)
        before = len(await kept(page))
        await page.locator("#code").fill(chance.choice("AB"))
        await page.locator("#code").press("Enter")
        if (
            step % 3 == 2
        ):  # killed at that very moment: whether it is written or not, the screen and the server agree
            context = page.context
            await page.close(run_before_unload=False)
            page = phones[at] = await context.new_page()
            await page.goto(f"{HOME}#count/{count}")
            await expect(page.locator("[data-work][data-ready]")).to_have_count(1)
        else:
            await expect(page.locator("#said")).to_contain_text("Written down")
            async with asyncio.timeout(60):  # what is said may still be said of the one before
                while len(await kept(page)) != before + 1:
                    pass
            written += 1
    for page in phones:
        await page.context.set_offline(False)
    total = sum([len(await kept(page)) for page in phones])
    for page in phones:
        await page.evaluate("dispatchEvent(new Event('online'))")
    while any([await page.locator("#unsent").get_attribute("data-n") != "0" for page in phones]):
        for page in phones:
            await page.evaluate("dispatchEvent(new Event('online'))")
    assert total >= written
    assert await counted(market, count) == total
    assert await market.db.value("SELECT count(*) FROM store_work WHERE state = 'done'") == total
    for page in phones:
        await page.goto(f"{HOME}#count/{count}")
        await page.reload()
        # What the phone knew is shown at once, what the server knows once it has answered.
        await page.wait_for_function(
            "total => [...document.querySelectorAll('#found li .count')]"
            ".reduce((sum, each) => sum + Number(each.textContent), 0) === total",
            arg=total,
        )


async def _sign_out(context: BrowserContext) -> None:
    await context.clear_cookies()


@pytest.mark.browser
async def test_who_is_signed_out_sees_nothing_and_nothing_is_lost(site: Site, market: Market) -> None:
    await market.product(title="Kettle", handle="kettle", variants=[{"sku": "KETTLE"}], stock=(9,))
    count = await begun(market)
    page = await site.staff(width=390, scheme="dark", service_workers="allow")
    await ready(page, f"#count/{count}")
    await page.context.set_offline(True)
    await scan(page, "KETTLE")
    await unsent(page, 1)
    await _sign_out(page.context)
    await page.context.set_offline(False)
    await expect(page.locator("#signed-out")).to_contain_text("Not sent yet from this phone: 1")
    await expect(page.locator("#view-count")).to_be_hidden()
    await unsent(page, 1)
    await site.fine(page)
    await site.picture(page, "work-signed-out")
    left = await page.evaluate(
        """async () => {
            const { ask, open } = await import("/static/pos/work/queue.js");
            return ask((await open("soder")).transaction("meta").objectStore("meta").getAllKeys());
        }"""
    )
    assert set(left) <= {"device", "clock"}, "what was taken along is not on the phone any more"
    assert await counted(market, count) == 0
    # Somebody else signs in on this phone: it is sent, and the record says who did it and who sent it.
    token = await session_of(market.db, Role.OWNER, name="Anna Andersson")
    await page.context.add_cookies([{"name": "samlad_session", "value": token, "url": site.url}])
    await page.evaluate("dispatchEvent(new Event('online'))")
    await unsent(page, 0)
    assert await counted(market, count) == 1
    [row] = await market.db.rows("SELECT done_name, done_by::text AS done_by, actor FROM store_work")
    assert row["done_name"] == "Olivia Owner"
    assert row["actor"] != f"staff:{row['done_by']}"
    [line] = await market.db.rows("SELECT actors FROM stock_count_line")
    assert set(line["actors"]) == {row["actor"], f"staff:{row['done_by']}"}


@pytest.mark.browser
@pytest.mark.slow
async def test_picked_short_and_told_of_conflicts_without_network(site: Site, market: Market) -> None:
    kettle = await market.product(
        title="Kettle", handle="kettle", variants=[{"sku": "KETTLE", "gtin": "7310865004703"}], stock=(9, 9)
    )
    variant = kettle.variants[0].id
    mine, theirs, off = [await ordered(market, variant, units) for units in (3, 1, 1)]
    await bring_in_slots(market)
    brought = await ordered(market, variant, 1, "bike")
    assert brought.promise is not None
    start = brought.promise.slot[-5:]
    page = await site.staff(width=390, service_workers="allow", timezone_id="Europe/Stockholm")
    await ready(page)
    row = page.locator("#picks a", has_text=brought.number)
    await expect(row).to_contain_text(f"with the customer {start}–{start[:2]}:45")
    # As Sweden writes days in English, whatever the English of the browser is.
    await expect(page.locator("#picks a").first).to_contain_text(re.compile(r"\d{4}-\d\d-\d\d, \d\d:\d\d"))
    await page.context.set_offline(True)

    async def begin(order: Order) -> None:
        await page.goto(HOME)
        await page.locator("#picks a", has_text=order.number).click()
        await page.get_by_role("button", name="Pick this").click()
        await expect(page.locator("#pick-state")).to_have_text("Being picked")

    await begin(mine)
    await scan(page, "7310865004703", "#pick-code")
    await expect(page.locator("#pick-lines .count")).to_have_text("1 / 3")
    await scan(page, "OTHER", "#pick-code")
    await expect(page.locator("#said")).to_contain_text("This is not in the order.")
    await page.reload()
    await scan(page, "KETTLE", "#pick-code")
    await expect(page.locator("#pick-lines .count")).to_have_text("2 / 3")
    await unsent(page, 3)
    await site.fine(page)
    await site.picture(page, "work-pick")
    await page.set_viewport_size({"width": 390, "height": 900})
    # The third is not there; which place gets it is found when this arrives.
    await page.locator("#give-up summary").click()
    await expect(page.locator("#give-up-lines input")).to_have_value("1")
    await site.fine(page)
    await page.get_by_role("button", name="Give these up").click()
    await expect(page.locator("#pick-state")).to_have_text("Given up here")
    await begin(theirs)
    await page.get_by_role("button", name="I have all").click()
    await expect(page.locator("#pick-state")).to_have_text("Picked")
    await begin(off)
    await page.get_by_role("button", name="I have all").click()
    await unsent(page, 8)
    # Meanwhile Anna takes one of them, and another is called off.
    anna = person(market)
    (work,) = await fulfilment_store.of_order(market.db, theirs.id)
    await market.db.transaction(lambda tx: fulfilment.take(tx, work.id, TakeInput()), anna)
    await market.db.transaction(lambda tx: orders.cancel(tx, off.id, CancelInput()))
    await page.context.set_offline(False)
    await unsent(page, 0)
    await page.goto(f"{HOME}#list")
    await expect(page.locator("#refused-list li")).to_have_count(4)
    await expect(page.locator("#refused-list li", has_text="Anna Andersson is picking this.")).to_have_count(
        2
    )
    await expect(page.locator("#refused-list li", has_text="This was called off meanwhile.")).to_have_count(2)
    await site.fine(page)
    parts = await fulfilment_store.of_order(market.db, mine.id)
    assert sum(line.picked for part in parts for line in part.lines) == 2
    assert any(part.location != market.places[0].id for part in parts), "another store is asked for the third"
    for check in CHECKS:
        if check.name.startswith(("stock", "order-stock", "fulfil", "store-work")):
            finding = await check.look(market.db)
            assert finding.status == "ok", f"{check.name}: {finding.message}"


@pytest.mark.browser
async def test_a_transfer_is_received_without_network(site: Site, market: Market) -> None:
    kettle = await market.product(
        title="Kettle", handle="kettle", variants=[{"sku": "KETTLE", "gtin": "7310865004703"}], stock=(0, 9)
    )
    variant, (here, there) = kettle.variants[0].id, market.places[:2]
    sent = await market.db.transaction(lambda tx: transfers.send(tx, there.id, here.id, [(variant, 5)]))
    page = await site.staff(width=390, scheme="dark", service_workers="allow")
    # Any page of the work makes ready the one that needs no network, and takes along what there is to do.
    await page.goto("/pos/work/soder")
    await expect(page.locator('[data-work-place][data-kept="true"]')).to_have_count(1)
    await comes_true(
        page,
        """async () => {
            const { meta, open } = await import("/static/pos/work/queue.js");
            return Boolean(await meta(await open("soder"), "tasks"));
        }""",
    )
    await page.context.set_offline(True)
    await page.goto("/pos/work/soder")
    await page.locator("#comings a").click()
    for _piece in range(2):
        await scan(page, "KETTLE", "#coming-code")
    await expect(page.locator("#coming-lines input")).to_have_value("2")
    await page.reload()  # what was scanned is on the disk, too
    await expect(page.locator("#coming-lines input")).to_have_value("2")
    await scan(page, "OTHER", "#coming-code")
    await expect(page.locator("#said")).to_contain_text("This is not among what is to come.")
    await page.get_by_label("Came of Kettle").fill("3")
    await page.get_by_label("Came of Kettle").press("Tab")
    await site.fine(page)
    await site.picture(page, "work-coming")
    await page.get_by_role("button", name="Book it in").click()
    await unsent(page, 1)
    await expect(page.locator("#coming-unsent")).to_contain_text("not sent yet: 1")
    # A page of the work that needs the network tells of what is not sent, and sends it.
    there_is = page.locator("[data-work-place]")
    await page.route("**/phone/send", lambda route: route.fulfill(status=503))
    await page.context.set_offline(False)
    await page.goto("/pos/work/soder")
    await expect(there_is).to_contain_text("Not sent yet 1", use_inner_text=True)
    await site.fine(page)
    await page.unroute("**/phone/send")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(there_is).to_be_hidden()
    await page.goto(f"{HOME}#coming/{sent.id}")
    await expect(page.locator("#coming-lines li")).to_contain_text("expected: 2")
    found = await transfers_store.get(market.db, sent.id)
    assert [line.received for line in found.lines] == [3]
    await page.get_by_role("button", name="All of it came").click()
    await expect(page.locator("#coming-lines input")).to_have_value("2")
    await page.get_by_role("button", name="Book it in").click()
    await expect(page.locator("#coming-gone")).to_be_visible()
    found = await transfers_store.get(market.db, sent.id)
    assert [line.received for line in found.lines] == [5]


@pytest.mark.browser
@pytest.mark.slow
async def test_what_is_not_sent_goes_on_at_another_phone(site: Site, market: Market, tmp_path: Path) -> None:
    await market.product(title="Kettle", handle="kettle", variants=[{"sku": "KETTLE"}], stock=(9,))
    count = await begun(market)
    first = await site.staff(width=390, service_workers="allow")
    await ready(first, f"#count/{count}")
    await first.context.set_offline(True)
    for pieces in ("2", "3"):
        await first.locator("#pieces").fill(pieces)
        await scan(first, "KETTLE")
        await expect(first.locator("#said")).to_contain_text(f"{pieces} × Kettle")
    await first.locator("#unsent").click()
    await expect(first.locator("#unsent-list li")).to_have_count(2)
    await site.fine(first)
    await site.picture(first, "work-export")
    async with first.expect_download() as loading:
        await first.locator("#export").click()
    file = tmp_path / "work.json"
    await (await loading.value).save_as(file)
    told = json.loads(file.read_text())
    assert [each["quantity"] for each in told["entries"]] == [2, 3]
    assert "email" not in file.read_text()
    # Another phone brings it in, twice, and sends it; what is no such file, or of another place, is not taken.
    second = await site.staff(width=390, service_workers="allow")
    await ready(second, "#list")
    for odd in ("{", json.dumps({**told, "place": "malmo"}), json.dumps({**told, "entries": [{"id": 1}]})):
        wrong = tmp_path / "wrong.json"
        wrong.write_text(odd)
        await second.locator("#import").set_input_files(wrong)
        await expect(second.locator("#said")).to_contain_text("no file of store work")
    for added in (2, 0):
        await second.locator("#import").set_input_files(file)
        await expect(second.locator("#said")).to_contain_text(f"before: {added}")
    await unsent(second, 0)
    assert await counted(market, count) == 5
    # The first one comes back to life and sends what it has.
    await first.context.set_offline(False)
    await unsent(first, 0)
    assert await counted(market, count) == 5
    assert await market.db.value("SELECT count(*) FROM store_work") == 2
    assert site.complaints == []


@pytest.mark.browser
@pytest.mark.slow
async def test_a_count_is_begun_and_closed_without_network(site: Site, market: Market) -> None:
    await market.product(title="Kettle", handle="kettle", variants=[{"sku": "KETTLE"}], stock=(9,))
    page = await site.staff(width=390, service_workers="allow")
    await ready(page)
    await page.context.set_offline(True)
    await page.locator("#begin-count summary").click()
    await page.locator("#begin-count-note").fill("Cellar")
    await site.picture(page, "work-begin-count")
    await page.locator("#begin-count-note").press("Enter")
    await expect(page.locator("#count-title")).to_have_text("Cellar")
    await page.locator("#pieces").fill("7")
    await scan(page, "KETTLE")
    await unsent(page, 2)
    await page.reload()  # what was begun is still there
    await expect(page.locator("#count-title")).to_have_text("Cellar")
    await expect(page.locator("#found li").first).to_contain_text("7")
    await page.locator("#close-count summary").click()
    await site.fine(page)
    await site.picture(page, "work-close-count")
    await page.locator("#close-count-form button").click()
    await expect(page.locator("#said")).to_contain_text("booked when it is sent")
    await expect(page.locator("#counts li")).to_have_count(0)
    await page.context.set_offline(False)
    await unsent(page, 0)
    found = await market.db.row("SELECT id, status, note FROM stock_count")
    assert found is not None
    assert (found["status"], found["note"]) == ("closed", "Cellar")
    assert await counted(market, found["id"]) == 7
    await expect(page.locator("#counts li")).to_have_count(0)
    await expect(page.locator("#refused")).to_have_attribute("data-n", "0")
    assert site.complaints == []
