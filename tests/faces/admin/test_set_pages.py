"""Sets on pages and papers: a heading over their parts, and why there are no more of them."""

import httpx
import pytest
from browser import Site
from market import text_of

from samlad import orders
from samlad.documents import escpos_receipt, rendering, snapshot
from samlad.kernel.clock import now
from samlad.kernel.context import GUEST
from samlad.kernel.vault import Vault
from samlad.orders import FulfilInput, order_address

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def a_set(shop):
    """A set of a kettle and two mugs, and an order of two of it with a mug beside."""
    kettle, mug = shop.variants["KTL-150"], shop.variants["MUG-032"]
    tea = await shop.trade.set_of(99_000, (kettle, 1), (mug, 2))
    return tea, await shop.trade.buy((tea, 2), (mug, 1))


async def test_pages_and_papers_say_of_which_set_the_parts_are(api: httpx.AsyncClient, api_as, shop) -> None:
    tea, order = await a_set(shop)
    page = text_of((await api.get(f"/admin/orders/{order.id}", headers=PEOPLE)).text)
    assert page.count("Tea set × 2") == 1
    assert "Part of Tea set" in page  # where one says what leaves
    for variant, is_told in ((tea, True), (shop.variants["KTL-150"], False)):
        product = await shop.db.value("SELECT product FROM variant WHERE id = $1", variant)
        told = text_of((await api.get(f"/admin/products/{product}", headers=PEOPLE)).text)
        assert ("Not used for sets: each part is taxed by its own class." in told) is is_told
    place = shop.trade.warehouse.id
    why = text_of((await api.get(f"/admin/stock/levels/{place}/{tea}", headers=PEOPLE)).text)
    for text in ("This is a set", "KTL-150 There is no more because of this part", "May be sold now 10"):
        assert text in why
    assert "Counts as running out at" not in why
    answer = await api.get(f"/api/orders/{order.id}")
    assert [line["set_of"] and line["set_of"]["quantity"] for line in answer.json()["order"]["lines"]] == [
        2,
        2,
        None,
    ]

    made = await snapshot.printed_order(shop.db, order, "receipt", None, now())
    paper = escpos_receipt.receipt(made)
    assert paper.count(b"Tea set x 2") == 1
    for kind in ("receipt", "order-confirmation"):
        printed = await snapshot.printed_order(shop.db, order, kind, None, now())
        assert text_of(rendering.html(printed)).count("Tea set × 2") == 1

    await shop.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    link = order_address.path(api_keys(shop), order.id)
    async with api_as(GUEST, **PEOPLE) as guest:
        own = text_of((await guest.get(link)).text)
        assert own.count("Tea set × 2") == 1
        send_back = text_of((await guest.get(f"{link}/return")).text)
        assert send_back.count("Part of Tea set") == 2


def api_keys(shop):
    return Vault.of(shop.db.settings)


@pytest.mark.browser
async def test_a_set_is_seen_at_both_widths(site: Site, shop) -> None:
    tea, order = await a_set(shop)
    page = await site.staff()
    for name, path in (
        ("order-of-a-set", f"/admin/orders/{order.id}"),
        ("stock-of-a-set", f"/admin/stock/levels/{shop.trade.warehouse.id}/{tea}"),
        ("own-order-of-a-set", order_address.path(api_keys(shop), order.id)),
    ):
        for width in (390, 1440):
            await page.set_viewport_size({"width": width, "height": 900})
            await page.goto(path)
            await site.picture(page, name)
            await site.fine(page)
