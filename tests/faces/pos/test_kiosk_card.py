"""A card at a kiosk: only what the terminal says counts, whatever is lost, said twice, cut off or made up on the way."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from browser import Site, comes_true
from market import Market
from playwright.async_api import Page, Route, expect
from test_kiosk import (
    KIOSK,
    _become,
    _in_english,
    as_kiosk,
    at_terminal,
    begun,
    by_card,
    entry,
    held_to,
    sent,
    with_terminal,
)
from test_kiosk import device as device

from samlad.payments import pursue_payment
from samlad.payments.sweepers import reconcile


async def kettle(market: Market) -> UUID:
    made = await market.product(title="Kettle", sku="KTL", price=19_900, stock=(9, 0))
    return made.variants[0].id


async def money(market: Market) -> list[tuple[Any, ...]]:
    """How each payment stands, and whether an order has it."""
    rows = await market.db.rows(
        "SELECT status, order_id IS NOT NULL AS sold, is_leaving FROM payment ORDER BY created_at"
    )
    return [tuple(row) for row in rows]


async def paid_orders(market: Market) -> list[tuple[Any, ...]]:
    rows = await market.db.rows("SELECT total, payment_status FROM orders ORDER BY id")
    return [tuple(row) for row in rows]


async def changed(market: Market, sql: str, *args: Any) -> None:
    await market.db.transaction(lambda tx: tx.execute(sql, *args))


async def settled(market: Market) -> None:
    """Providers are asked for all that is wished."""
    for row in await market.db.rows("SELECT DISTINCT payment FROM payment_operation WHERE status = 'open'"):
        await changed(market, "UPDATE payment SET asked_at = NULL WHERE id = $1", row["payment"])
        await pursue_payment(market.db, row["payment"])


async def expired(market: Market) -> None:
    await changed(market, "UPDATE payment SET expires_at = now() - interval '1 second'")
    await reconcile(market.db)
    await settled(market)


async def test_what_the_terminal_accepted_is_captured_with_the_sale(
    device: httpx.AsyncClient, market: Market
) -> None:
    variant = await kettle(market)
    await with_terminal(market)
    await as_kiosk(device)
    sale = await by_card(device, market, entry(variant, 19_900))
    [first] = await sent(device, sale)
    [again] = await sent(device, sale)
    assert (first["verdict"], first["objections"]) == ("recorded", [])
    assert (again["verdict"], again["is_known"], again["order"]) == ("recorded", True, first["order"])
    await settled(market)
    assert await money(market) == [("captured", True, False)]
    assert await market.db.value("SELECT captured FROM terminal_simulation") == 19_900
    # What was sold with it is not called off any more, and no other payment is begun for its ticket.
    address = f"{KIOSK}/card/{sale['id']}/{sale['tenders'][0]['payment']}"
    assert (await device.post(f"{address}/leave")).status_code == 409
    more = {"ticket": sale["id"], "payment": str(uuid4()), "amount": "19900", "currency": "SEK"}
    assert (await device.post(f"{KIOSK}/card", data=more)).status_code == 409
    assert await money(market) == [("captured", True, False)]


@pytest.mark.parametrize(("button", "state"), [("decline", "declined"), ("cancel", "cancelled")])
async def test_what_it_did_not_accept_pays_nothing(
    device: httpx.AsyncClient, market: Market, button: str, state: str
) -> None:
    variant = await kettle(market)
    await with_terminal(market)
    await as_kiosk(device)
    sale = entry(variant, 19_900)
    address = await begun(device, sale)
    early = {**sale, "tenders": [{**sale["tenders"][0], "payment": address.rpartition("/")[2]}]}
    await held_to(market, address, button)
    assert (await device.get(address)).json() == {"state": state}
    # Whatever the kiosk says: no order, and a manager looks at it.
    [said] = await sent(device, early)
    assert (said["verdict"], [each["code"] for each in said["objections"]]) == ("kept", ["card"])
    assert await paid_orders(market) == []


async def test_nobody_comes_and_the_terminal_gives_up(device: httpx.AsyncClient, market: Market) -> None:
    variant = await kettle(market)
    await with_terminal(market)
    await as_kiosk(device)
    address = await begun(device, entry(variant, 19_900))
    await changed(market, "UPDATE terminal_simulation SET started_at = now() - interval '2 minutes'")
    await changed(market, "UPDATE payment SET asked_at = NULL")
    assert (await device.get(address)).json() == {"state": "timed-out"}


async def test_words_of_a_kiosk_are_no_money(device: httpx.AsyncClient, market: Market) -> None:
    """Made up, of another ticket, for another amount, still waiting, called off: none of it is an order by itself."""
    variant = await kettle(market)
    await with_terminal(market)
    await as_kiosk(device)
    made_up = entry(variant, 19_900, tenders=[{"kind": "card", "amount": 19_900, "payment": str(uuid4())}])
    of_another = entry(variant, 19_900)
    other = await begun(device, entry(variant, 19_900))
    await held_to(market, other, "approve")
    assert (await device.get(other)).json() == {"state": "accepted"}  # the terminal is free again
    of_another["tenders"] = [{"kind": "card", "amount": 19_900, "payment": other.rpartition("/")[2]}]
    called_off = entry(variant, 19_900)
    left = await begun(device, called_off)
    await held_to(market, left, "approve")
    assert (await device.post(f"{left}/leave")).json() == {"state": "let-go"}
    called_off["tenders"] = [{"kind": "card", "amount": 19_900, "payment": left.rpartition("/")[2]}]
    waits = entry(variant, 19_900)
    waiting = await begun(device, waits)
    waits["tenders"] = [{"kind": "card", "amount": 19_900, "payment": waiting.rpartition("/")[2]}]
    busy = {"ticket": str(uuid4()), "payment": str(uuid4()), "amount": "19900", "currency": "SEK"}
    assert (await device.post("/pos/soder/kiosk/card", data=busy)).json() == {"state": "busy"}
    verdicts = await sent(device, made_up, of_another, waits, called_off)
    assert [(each["verdict"], each["objections"][0]["code"]) for each in verdicts] == [("kept", "card")] * 4
    assert await paid_orders(market) == []
    assert (await device.post(f"{waiting}/leave")).json() == {"state": "let-go"}
    # Less was reserved than the sale comes to: the order comes to what is there, and somebody looks.
    cheap = await by_card(device, market, {**entry(variant, 19_900), "total": 100})
    cheap = {**cheap, "total": 19_900, "tenders": [{**cheap["tenders"][0], "amount": 19_900}]}
    [said] = await sent(device, cheap)
    assert (said["verdict"], said["objections"]) == (
        "recorded",
        [{"code": "card", "line": None, "here": "100", "there": "19900", "blocks": False}],
    )
    assert await paid_orders(market) == [(100, "authorized")]


async def test_asked_again_it_is_one_payment_and_another_ends_the_first(
    device: httpx.AsyncClient, market: Market
) -> None:
    variant = await kettle(market)
    await with_terminal(market)
    await as_kiosk(device)
    sale = entry(variant, 19_900)
    first = await begun(device, sale)
    asked = {"ticket": sale["id"], "payment": first.rpartition("/")[2], "amount": "19900", "currency": "SEK"}
    assert (await device.post(f"{KIOSK}/card", data=asked)).json() == {"state": "waiting"}, (
        "the answer was lost"
    )
    assert len(await money(market)) == 1
    assert (await device.post(f"{KIOSK}/card", data={**asked, "amount": "1"})).status_code == 409
    assert (await device.post(f"{KIOSK}/card", data={**asked, "ticket": str(uuid4())})).status_code == 409
    second = await begun(device, sale)
    assert (await device.get(first)).json() == {"state": "let-go"}
    await settled(market)
    assert sorted(
        row["status"] for row in await market.db.rows("SELECT status FROM terminal_simulation")
    ) == ["cancelled", "waiting"]
    await held_to(market, second, "approve")
    assert (await device.get(second)).json() == {"state": "accepted"}
    for bad in ({"amount": "0"}, {"amount": "x"}, {"payment": "7"}, {"currency": "EUR"}):
        assert (
            await device.post(f"{KIOSK}/card", data={**asked, "payment": str(uuid4()), **bad})
        ).status_code == 422, bad
    assert (await device.get(f"{KIOSK}/card/{uuid4()}/{uuid4()}")).status_code == 404


async def test_a_store_without_a_terminal_takes_no_cards_at_a_kiosk(
    device: httpx.AsyncClient, market: Market
) -> None:
    variant = await kettle(market)
    assert "Kiosks take no cards here" in (await device.get("/pos/soder/kiosks")).text
    await as_kiosk(device)
    asked = {"ticket": str(uuid4()), "payment": str(uuid4()), "amount": "19900", "currency": "SEK"}
    assert (await device.post(f"{KIOSK}/card", data=asked)).status_code == 422
    pack = (await device.get("/api/till-pack/soder", headers={"accept-encoding": "identity"})).json()
    assert pack["store"]["kiosk"]["takes_cards"] is False
    [said] = await sent(device, entry(variant, 19_900))
    assert said["verdict"] == "kept"


async def test_what_no_sale_claims_is_let_go(device: httpx.AsyncClient, market: Market) -> None:
    """A kiosk that never comes back: accepted and never told, or told and never sold, the customer has the money again."""
    variant = await kettle(market)
    await with_terminal(market)
    await as_kiosk(device)
    sale = entry(variant, 19_900)
    address = await begun(device, sale)
    await held_to(market, address, "approve")
    await settled(market)
    minutes = await market.db.value("SELECT extract(epoch FROM expires_at - now()) / 60 FROM payment")
    assert 28 < minutes <= 30, "nobody was told"
    assert (await device.get(address)).json() == {"state": "accepted"}
    kept = await market.db.value("SELECT expires_at - created_at FROM payment")
    assert kept == timedelta(days=2), "the kiosk sells for it now, and its entry may come late"
    await expired(market)
    assert await money(market) == [("voided", False, True)]
    assert await market.db.value("SELECT status FROM terminal_simulation") == "cancelled"


async def test_an_entry_that_comes_too_late_is_an_order_that_lacks_the_money(
    device: httpx.AsyncClient, market: Market
) -> None:
    variant = await kettle(market)
    await with_terminal(market)
    await as_kiosk(device)
    sale = await by_card(device, market, entry(variant, 19_900))
    await changed(
        market,
        "UPDATE payment SET created_at = created_at - interval '3 days', expires_at = expires_at - interval '3 days'",
    )
    await reconcile(market.db)
    await settled(market)
    [said] = await sent(device, sale)
    assert said["verdict"] == "recorded", "the goods are gone"
    assert [(each["code"], each["here"], each["there"]) for each in said["objections"]] == [
        ("card", "0", "19900")
    ]
    assert await paid_orders(market) == [(0, "paid")]
    assert await market.db.value("SELECT needs_look FROM till_sale")


# -- in a browser -----------------------------------------------------------------------------------------------------------


SETTLED = """async () => {
    const { meta, open } = await import("/static/pos/offline/database.js");
    return (await meta(await open("soder"), "left"))?.length === 0;
}"""


async def _to_the_card(site: Site, market: Market) -> Page:
    """A kiosk whose terminal waits for the card of a customer with a kettle."""
    await kettle(market)
    page = await _become(site, market)
    await _in_english(page)
    await page.locator("#begin").click()
    await page.locator("#code").fill("KTL")
    await page.locator("#code").press("Enter")
    await page.locator("#pay-open").click()
    await page.locator("#pay-card").click()
    await expect(page.locator("#card-state")).to_contain_text("waits for your card")
    # On a machine that is busy the terminal would give up before everything is tried.
    await changed(market, "UPDATE terminal_simulation SET started_at = now() + interval '1 hour'")
    return page


@pytest.mark.browser
@pytest.mark.slow
async def test_declined_then_called_off_then_accepted(site: Site, market: Market) -> None:
    page = await _to_the_card(site, market)
    await at_terminal(market, "decline")
    await expect(page.locator("#said")).to_contain_text("The card was declined")
    await expect(page.locator("#card")).to_be_hidden()
    await expect(page.locator("#ticket li[data-variant]")).to_have_count(1)
    await site.fine(page)
    await site.picture(page, "kiosk-card-declined")
    for how in ("button", "Escape"):
        await page.locator("#pay-open").click()
        await page.locator("#pay-card").click()
        await expect(page.locator("#card-state")).to_contain_text("waits for your card")
        if how == "button":
            await page.locator("#card-not").click()
        else:
            await page.keyboard.press("Escape")
        await expect(page.locator("#card")).to_be_hidden()
    await page.locator("#pay-open").click()
    await page.locator("#pay-card").click()
    await expect(page.locator("#card-state")).to_contain_text("waits for your card")
    await at_terminal(market, "approve")  # only one waits
    await expect(page.locator("#sold-title")).to_be_focused()
    await expect(page.locator("#own-code svg")).to_be_visible()
    await site.fine(page)
    assert [each[0:2] for each in await money(market)][-1][1] is True
    assert len(await paid_orders(market)) == 1
    assert await market.db.value("SELECT count(*) FROM payment WHERE order_id IS NOT NULL") == 1


@pytest.mark.browser
@pytest.mark.slow
async def test_a_power_cut_between_the_card_and_the_sale(site: Site, market: Market) -> None:
    """The page dies while the terminal waits, and the card is accepted: the kiosk sells when it is back, once, and says so."""
    page = await _to_the_card(site, market)
    home = page.url
    await page.goto("about:blank")
    await at_terminal(market, "approve")
    await page.goto(home)
    await expect(page.locator("#done")).to_be_visible()
    await expect(page.locator("#receipt-lines")).to_contain_text("Kettle")
    await expect(page.locator("[data-till]")).to_have_attribute("data-unsent", "0")
    rows = await market.db.rows("SELECT state, objections FROM till_sale")
    assert [(row["state"], row["objections"]) for row in rows] == [("ordered", [])]
    await page.reload()
    await expect(page.locator("#start")).to_be_visible()
    await expect(page.locator("[data-till][data-ready]")).to_have_count(1)
    assert len(await paid_orders(market)) == 1


@pytest.mark.browser
@pytest.mark.slow
async def test_a_power_cut_while_the_terminal_waits_calls_it_off(site: Site, market: Market) -> None:
    page = await _to_the_card(site, market)

    async def lost(route: Route) -> None:
        await route.abort()

    await page.route("**/kiosk/card/**", lost)
    await page.reload()
    await expect(page.locator("#start")).to_be_visible()
    # Staff see that something is not settled; they would not know of it otherwise, and might put the device away.
    await expect(page.locator("#waits")).to_have_text(
        "Inte skickat än: 0 · Kortbetalningar som inte är klara: 1"
    )
    await site.fine(page)
    await site.picture(page, "kiosk-waits")
    await page.unroute("**/kiosk/card/**", lost)
    await page.reload()
    await comes_true(page, SETTLED)
    await expect(page.locator("#waits")).to_be_hidden()
    assert [each[1:] for each in await money(market)] == [(False, True)]
    async with asyncio.timeout(60):  # the reconciler may be quicker than the kiosk, and tell the terminal
        while await market.db.value("SELECT status FROM terminal_simulation") != "cancelled":
            await page.evaluate("new Promise(requestAnimationFrame)")
    assert await paid_orders(market) == []


@pytest.mark.browser
@pytest.mark.slow
async def test_no_network_while_the_card_is_held_to_it(site: Site, market: Market) -> None:
    page = await _to_the_card(site, market)

    async def lost(route: Route) -> None:
        await route.abort()

    await page.route("**/kiosk/card/**", lost)
    await expect(page.locator("#card-state")).to_contain_text("No network just now")
    await site.fine(page)
    await site.picture(page, "kiosk-card-away")
    await at_terminal(market, "approve")
    await page.unroute("**/kiosk/card/**", lost)
    await expect(page.locator("#sold-title")).to_be_focused()
    await expect(page.locator("#own-code svg")).to_be_visible()  # it was sent
    assert len(await paid_orders(market)) == 1


@pytest.mark.browser
@pytest.mark.slow
async def test_a_disk_that_is_full_sells_nothing_and_charges_nothing(site: Site, market: Market) -> None:
    page = await _to_the_card(site, market)
    await page.evaluate(
        """() => {
            const add = IDBObjectStore.prototype.add;
            IDBObjectStore.prototype.add = function (...all) {
                if (this.name === "journal") throw new DOMException("full", "QuotaExceededError");
                return add.apply(this, all);
            };
        }"""
    )
    await at_terminal(market, "approve")
    await expect(page.locator("#said")).to_contain_text("Nothing was sold")
    await expect(page.locator("#card")).to_be_hidden()
    await comes_true(page, SETTLED)
    assert [each[1:] for each in await money(market)] == [(False, True)]
    assert await paid_orders(market) == []
