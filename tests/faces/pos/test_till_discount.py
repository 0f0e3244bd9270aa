"""Discounts by hand at the till: who may, how much, a manager's PIN, the receipt; and the till's rules in Chromium."""

from typing import Any

import httpx
import msgspec
import pytest
from browser import Site
from market import Market, hidden, text_of
from playwright.async_api import expect

from samlad import stock
from samlad.access import pins, staff
from samlad.access.permissions import Role
from samlad.access.staff import StaffInput
from samlad.catalog import ProductChange, Tracking, change
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.stock.lots_model import Named
from samlad.tills.rules_pack import goods_of, rules_pack

HTMX = {"hx-request": "true"}


async def manager(market: Market) -> None:
    wanted = StaffInput(email="ada@example.org", name="Ada", roles=[Role.MANAGER])
    ada = await market.db.transaction(lambda tx: staff.add(tx, wanted, "active"))
    await pins.set_pin(market.db, Context(actor=Actor(kind="staff", id=ada.id, name="Ada")), "4071")


async def by_lot(market: Market) -> None:
    made = await market.product(title="Milk", sku="MILK", price=1_500)
    variant = made.variants[0].id

    async def work(tx: Tx) -> None:
        await change(tx, made.id, ProductChange(tracking=Tracking.LOT))
        of = await stock.resolve_lots(tx, [Named(variant, 2, "A1")])
        await stock.receive(tx, market.places[0].id, [(variant, 2)], lots=of)

    await market.db.transaction(work)


async def test_a_clerk_gives_a_little_and_a_manager_more(
    clerk: httpx.AsyncClient, market: Market, api_as: Any
) -> None:
    await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))
    await manager(market)
    ticket = (await clerk.post("/pos/soder/scan", data={"code": "KTL"}, headers=HTMX)).text
    line = ticket.split("/discount?line=")[1].split('"')[0]

    async def give(**sent: str) -> httpx.Response:
        form = {"line": line, "kind": "percent", "value": "5", "reason": "Scratched", **sent}
        return await clerk.post("/pos/soder/discount", data=form)

    assert "Please say why" in text_of((await give(reason=" ")).text)
    assert "from 0 to 100" in text_of((await give(value="101")).text)
    assert "Please write a number" in text_of((await give(value="much")).text)
    assert (await give()).headers["location"] == "/pos/soder"
    assert "94.05" in text_of((await clerk.get("/pos/soder")).text)
    too_much = await give(kind="price", value="50")
    assert too_much.status_code == 422
    said = text_of(too_much.text)
    assert "You may take off" in said
    assert "PIN of the manager" in said
    wrong = await give(kind="price", value="50", email="ada@example.org", pin="9999")
    assert "The address or the PIN is wrong" in text_of(wrong.text)
    assert (await give(kind="price", value="50", email="ada@example.org", pin="4071")).status_code == 303
    shown = await clerk.get("/pos/soder")
    assert "Scratched" in text_of(shown.text)
    html = (await clerk.get("/pos/soder/pay?by=card")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "card", "token": "ok"}
    assert form["total"] == "5000"
    sold = await clerk.post("/pos/soder/pay", data=form)
    receipt = text_of((await clerk.get(sold.headers["location"])).text)
    assert "Scratched" in receipt

    await clerk.post("/pos/soder/scan", data={"code": "KTL"}, headers=HTMX)
    await clerk.post("/pos/soder/discount", data={"kind": "amount", "value": "1", "reason": "Kind"})
    again = (await clerk.get("/pos/soder")).text
    back = again.split('action="/pos/soder/discount/')[1].split('"')[0]
    await clerk.post(f"/pos/soder/discount/{back}", data={})
    assert "Kind" not in text_of((await clerk.get("/pos/soder")).text)

    seller = Actor(
        kind="staff", id=new_id(), name="Mo", permissions=frozenset({"orders.place", "carts.write"})
    )
    async with api_as(seller, accept="text/html", **{"accept-language": "en"}) as other:
        assert (await other.get("/pos/soder/discount")).status_code == 403
        assert (
            "/discount" not in (await other.post("/pos/soder/scan", data={"code": "KTL"}, headers=HTMX)).text
        )


RECKON = """async ({ basket, rules, at }) => {
  const { totals } = await import("/static/pos/rules/totals.js");
  const { codeKey } = await import("/static/pos/rules/codes.js");
  return { total: totals(basket, rules, at).total, key: await codeKey("a b-c", "salt") };
}"""


@pytest.mark.browser
async def test_a_discount_in_a_browser_and_the_rules_say_the_same(site: Site, market: Market) -> None:
    kettle = await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))
    page = await site.staff(width=390)
    await page.goto("/pos/soder")
    await page.locator("#code").fill("KTL")
    await page.keyboard.press("Enter")
    await page.get_by_role("link", name="Discount on Kettle").click()
    await page.get_by_label("How much").fill("12,5")
    await page.get_by_label("Why").fill("Scratched")
    await site.fine(page)
    await site.picture(page, "till-discount")
    await page.get_by_role("button", name="Take it off").click()
    await expect(page.locator(".till-total")).to_contain_text("86.6")
    await by_lot(market)
    await page.locator("#code").fill("MILK")
    await page.keyboard.press("Enter")
    await page.get_by_label("Lot or number in hand").select_option(label="A1")
    await page.get_by_role("button", name="It is this one").click()
    await expect(page.locator("#ticket")).to_contain_text("1 of lot A1")
    await site.fine(page)
    await site.picture(page, "till-discounted")

    channel, place = market.stores[0], market.places[0]
    pack = await rules_pack(market.db, channel, place, now())
    variant = kettle.variants[0].id
    good = (await goods_of(market.db, channel, [variant], now()))[variant]
    by_hand = {
        "id": "d",
        "variant": str(kettle.variants[0].id),
        "kind": "percent",
        "value": 1_250,
        "most": 9_999,
    }
    given = {
        "basket": {
            "lines": [{"variant": by_hand["variant"], "quantity": 1, "good": good}],
            "discounts": [by_hand | {"reason": "Scratched"}],
        },
        "rules": pack,
        "at": int(now().timestamp() * 1000),
    }
    said = await page.evaluate(RECKON, msgspec.to_builtins(given, str_keys=True))
    assert said["total"] == 9_900 - 1_238
    assert len(said["key"]) == 32
