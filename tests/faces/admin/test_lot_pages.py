"""The pages of lots, recalls and what is put aside, and the lines that take lot and date."""

import httpx
import pytest
from browser import Site
from market import text_of
from playwright.async_api import expect

from samlad import catalog, orders, stock
from samlad.catalog import ProductChange, Tracking
from samlad.kernel.ids import new_id
from samlad.stock import Aside, LotNeeded, lots
from samlad.stock.lots_model import Named
from samlad.stock.transfers_store import get as transfer_of

SKU = "KTL-150"


async def keep(shop, how: Tracking = Tracking.EXPIRY) -> None:
    variant = shop.variants[SKU]
    found = await catalog.by_ids(shop.db, [variant])
    change = ProductChange(tracking=how)
    await shop.db.transaction(lambda tx: catalog.change(tx, found[variant].product, change))


async def lots_of(shop) -> dict[str, tuple[int, str]]:
    rows = await shop.db.rows(
        """SELECT t.code, s.on_hand, s.state FROM stock_lot s JOIN lot t ON t.id = s.lot
           WHERE s.variant = $1 AND s.location = $2 AND s.on_hand > 0""",
        shop.variants[SKU],
        shop.trade.warehouse.id,
    )
    return {row["code"]: (row["on_hand"], row["state"]) for row in rows}


async def test_what_comes_in_is_typed_with_lot_and_date(api: httpx.AsyncClient, shop) -> None:
    await keep(shop)
    there = (await lots_of(shop))[""]
    form = {"location": "dc", "note": "", "lines": f"{SKU} 5"}
    refused = await api.post("/admin/stock/receipts/new", data=form)
    assert refused.status_code == 422
    assert "say which one" in refused.text
    done = await api.post(
        "/admin/stock/receipts/new",
        data=form | {"lines": f"{SKU};5;L1;2046-03-31\n{SKU};2;L1\n{SKU};1;L2;2046-01-31"},
    )
    assert done.status_code == 303, done.text
    assert await lots_of(shop) == {"": there, "L1": (7, "for_sale"), "L2": (1, "for_sale")}
    page = text_of(
        (await api.get("/admin/stock/lots?sku=KTL-150")).text
    )  # the random token of its forms may have an "L1", too
    assert page.index("L2") < page.index("L1"), "what expires first is at the top"
    assert "nobody knows" in page
    assert "L2" in text_of((await api.get(f"/admin/stock/movements?variant={shop.variants[SKU]}")).text)
    for wrong in ("2046-13-01", "soon"):
        again = await api.post("/admin/stock/receipts/new", data=form | {"lines": f"{SKU};5;L3;{wrong}"})
        assert again.status_code == 422


async def test_a_lot_is_corrected_dated_named_and_the_first_taken_back(api: httpx.AsyncClient, shop) -> None:
    await keep(shop, Tracking.LOT)
    variant, place = shop.variants[SKU], shop.trade.warehouse.id
    (there, _state) = (await lots_of(shop))[""]
    nobody = await shop.db.value("SELECT id FROM lot WHERE variant = $1", variant)
    form = {"location": str(place), "units": str(there), "code": "L1", "expires_on": ""}
    assert (await api.post(f"/admin/stock/lots/{nobody}/name", data=form)).status_code == 303
    assert await lots_of(shop) == {"L1": (there, "for_sale")}
    lot = await shop.db.value("SELECT id FROM lot WHERE variant = $1 AND code = 'L1'", variant)
    line = {
        "location": str(place),
        "variant": str(variant),
        "lot": str(lot),
        "known": str(there),
        "back": "/admin/stock/lots",
    }
    await api.post("/admin/stock/correct", data=line | {"on_hand": "1", "reason": "Mice"})
    assert await lots_of(shop) == {"L1": (1, "for_sale")}
    await api.post(f"/admin/stock/lots/{lot}/date", data={"version": "1", "expires_on": "2020-01-01"})
    assert await lots_of(shop) == {"L1": (1, "expired")}
    stale = await api.post(f"/admin/stock/lots/{lot}/date", data={"version": "1", "expires_on": "2046-01-01"})
    assert stale.status_code == 412
    level = (await api.get(f"/admin/stock/levels/{place}/{variant}")).text
    assert "Expired" in level
    with pytest.raises(LotNeeded):
        await shop.db.transaction(lambda tx: stock.receive(tx, place, [(variant, 1)]))


async def test_a_transfer_by_lot_is_expected_on_a_day(api: httpx.AsyncClient, shop) -> None:
    await keep(shop, Tracking.LOT)
    form = {"location": "dc", "note": "", "lines": f"{SKU};3;L1\n{SKU};3;L2"}
    await api.post("/admin/stock/receipts/new", data=form)
    sent = await api.post(
        "/admin/stock/transfers/new",
        data={
            "origin": "dc",
            "destination": shop.trade.at_lund.code,
            "lines": f"{SKU};2;L1\n{SKU};1;L2",
            "expected_on": "2046-01-31",
        },
    )
    here = sent.headers["location"].split("?")[0]
    page = (await api.get(here)).text
    assert "L1" in page
    assert "2046-01-31" in page
    found = await transfer_of(shop.db, here.rsplit("/", 1)[1])
    arrived = {f"arrived-{line.variant}.{line.lot}": "1" for line in found.lines}
    assert (await api.post(f"{here}/receive", data=arrived)).status_code == 303
    moved = await api.post(f"{here}/schedule", data={"version": "2", "expected_on": ""})
    assert moved.status_code == 303, moved.text
    again = await transfer_of(shop.db, found.id)
    assert (again.expected_on, sorted(line.received for line in again.lines)) == (None, [1, 1])


@pytest.mark.browser
async def test_a_lot_is_recalled_and_what_is_put_aside_decided(site: Site, shop) -> None:
    variant, place = shop.variants[SKU], shop.trade.warehouse.id
    goods = [Aside(place, variant, 2, "damaged, opened")]
    await shop.db.transaction(lambda tx: stock.put_aside(tx, goods, reference=new_id()))
    await keep(shop)
    page = await site.staff(width=390)
    await page.goto("/admin/stock/receipts/new")
    await page.get_by_label("Where they are").select_option("dc")
    await page.get_by_label("What came in").fill(f"{SKU};5;L2417;2046-03-31")
    await page.get_by_role("button", name="Book in").click()
    await page.goto("/admin/stock/lots?sku=KTL-150")
    await site.picture(page, "lots")
    await site.fine(page)
    await page.get_by_role("button", name="Recall").first.click()
    await page.get_by_label("Why").last.fill("Glass in it")
    await page.get_by_role("button", name="Block it everywhere").click()
    await expect(page.locator(".page-head .badge")).to_have_text("Blocked")
    await site.picture(page, "recall")
    await site.fine(page)
    await page.goto("/admin/stock/recalls")
    await site.picture(page, "recalls")
    await site.fine(page)
    await page.goto("/admin/stock/quarantine")
    await site.picture(page, "quarantine")
    await page.get_by_role("button", name="Decide").first.click()
    await page.get_by_role("dialog").get_by_label("Pieces").fill("1")
    await page.get_by_role("dialog").get_by_role("button", name="Decide").click()
    await expect(page.locator("tbody td[data-label=Waits]")).to_have_text("1 / 2")
    await site.fine(page)
    assert (await lots_of(shop))["L2417"] == (5, "blocked")


async def test_a_return_asks_which_lot_where_the_order_got_several(api: httpx.AsyncClient, shop) -> None:
    await keep(shop, Tracking.LOT)
    variant, place = shop.variants[SKU], shop.trade.warehouse.id
    (there, _state) = (await lots_of(shop))[""]
    for named in (Named(variant, 1, "A"), Named(variant, there - 1, "B")):  # A was there first
        await shop.db.transaction(lambda tx, named=named: lots.name_units(tx, place, [named]))
    order = await shop.buy(SKU, 2)
    page = (await api.get(f"/admin/orders/{order.id}/change")).text
    assert 'name="lot-1"' not in page
    await shop.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    page = (await api.get(f"/admin/orders/{order.id}/change")).text
    assert 'name="lot-1"' in page
    assert '<option value="B"' in page
