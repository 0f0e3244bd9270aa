"""A card at the till: the terminal reserves the money, then the ticket is sold, once; or nothing is."""

from typing import Any

import httpx
import pytest
from browser import Site
from market import Market, hidden, text_of
from playwright.async_api import expect
from test_till_credit import card, on_ticket

from samlad import channels, orders
from samlad.access.permissions import Role
from samlad.channels import ChannelChange
from samlad.orders import settling

HTMX = {"hx-request": "true"}


@pytest.fixture(autouse=True)
async def terminal_in_the_store(market: Market) -> None:
    change = ChannelChange(settings={"payment_providers": ["cash", "gift_card", "terminal"]})
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, change))


async def to_terminal(clerk: httpx.AsyncClient, **more: str) -> str:
    """The page that waits for the card."""
    html = (await clerk.get("/pos/soder/pay?by=card")).text
    sent = {
        "by": "card",
        "with": "terminal",
        "cart": hidden(html, "cart"),
        "total": hidden(html, "total"),
    } | more
    answer = await clerk.post("/pos/soder/pay", data=sent)
    assert answer.status_code == 303, text_of(answer.text)
    page = answer.headers["location"]
    assert "Waiting for a card" in text_of((await clerk.get(page)).text), "this wakes the terminal"
    return page


async def held_to_it(clerk: httpx.AsyncClient, page: str, button: str) -> httpx.Response:
    assert (await clerk.post(f"{page}/press", data={"button": button})).status_code == 303
    return await clerk.get(page)


async def state(market: Market) -> list[tuple[Any, ...]]:
    rows = await market.db.rows(
        "SELECT provider, status, order_id IS NOT NULL AS sold FROM payment ORDER BY id"
    )
    return [tuple(row) for row in rows]


async def test_a_card_that_is_accepted_sells_the_ticket_once(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await on_ticket(clerk, market)
    page = await to_terminal(clerk)
    assert (await clerk.get(page, headers=HTMX)).status_code == 204, "nothing has happened"
    assert (await clerk.get("/pos/soder/pay?by=cash")).headers["location"] == page, "the terminal is awake"
    sold = await held_to_it(clerk, page, "approve")
    assert "/sales/" in sold.headers["location"]
    assert "Sold" in text_of((await clerk.get(sold.headers["location"])).text)
    again = await clerk.get(page)
    assert again.headers["location"] == "/pos/soder"
    assert (
        await market.db.value("SELECT count(*) FROM orders WHERE payment_status IN ('authorized', 'paid')")
        == 1
    )
    assert [each[0::2] for each in await state(market)] == [("terminal", True)]


@pytest.mark.parametrize(
    ("button", "said"), [("decline", "The card was declined"), ("cancel", "Cancelled at the terminal")]
)
async def test_one_that_is_not_leaves_the_ticket_as_it_was(
    clerk: httpx.AsyncClient, market: Market, button: str, said: str
) -> None:
    await on_ticket(clerk, market)
    back = await held_to_it(clerk, await to_terminal(clerk), button)
    assert back.headers["location"] == "/pos/soder/pay?by=card"
    assert said in text_of((await clerk.get("/pos/soder/pay?by=card")).text)
    sold = await held_to_it(clerk, await to_terminal(clerk), "approve")
    assert "/sales/" in sold.headers["location"], "the next card does"


async def test_another_way_to_pay_tells_the_terminal_to_stop(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await on_ticket(clerk, market)
    page = await to_terminal(clerk)
    assert (await clerk.post(f"{page}/leave")).headers["location"] == "/pos/soder/pay?by=card"
    assert await state(market) == [("terminal", "voided", False)]
    assert await market.db.value("SELECT status FROM terminal_simulation") == "cancelled"
    html = (await clerk.get("/pos/soder/pay?by=cash")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "cash", "tendered": "200.00"}
    assert "/sales/" in (await clerk.post("/pos/soder/pay", data=form)).headers["location"]


async def test_a_gift_card_pays_what_is_on_it_and_the_terminal_the_rest(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    code = await card(market, 5_000)
    await on_ticket(clerk, market)
    page = await to_terminal(clerk, by="gift", code=code, rest="terminal")
    assert code not in str(clerk.cookies.jar), "the code is in no cookie that can be read"
    assert "149" in text_of((await clerk.get(page)).text)
    sold = await held_to_it(clerk, page, "approve")
    assert "/sales/" in sold.headers["location"]
    paid = await market.db.rows("SELECT provider, amount FROM payment ORDER BY amount")
    assert [tuple(row) for row in paid] == [("gift_card", 5_000), ("terminal", 14_900)]


async def test_what_cannot_be_sold_any_more_is_not_charged(clerk: httpx.AsyncClient, market: Market) -> None:
    await on_ticket(clerk, market)
    page = await to_terminal(clerk)
    await clerk.post("/pos/soder/scan", data={"code": "KTL"}, headers=HTMX)  # in another window
    said = await held_to_it(clerk, page, "approve")
    assert said.headers["location"] == "/pos/soder"
    assert "the card is not charged" in text_of((await clerk.get("/pos/soder")).text)
    assert await state(market) == [("terminal", "voided", False)]
    assert await market.db.value("SELECT count(*) FROM orders") == 0


async def test_a_tip_goes_along_with_the_card(clerk: httpx.AsyncClient, market: Market) -> None:
    change = ChannelChange(settings={"tips": True, "tip_amounts": [1_500]})
    await on_ticket(clerk, market)
    assert "Something for the staff" not in text_of((await clerk.get("/pos/soder/pay?by=card")).text)
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, change))
    shown = text_of((await clerk.get("/pos/soder/pay?by=card&tip=2000")).text)
    assert "219" in shown
    assert "of which" in shown
    assert "Something for the staff" not in text_of((await clerk.get("/pos/soder/pay?by=gift")).text)
    much = await clerk.get("/pos/soder/pay?by=card&tip_text=500")
    assert "at most as much as the ticket" in text_of(much.text)
    page = await to_terminal(clerk, tip="2000")
    assert "219" in text_of((await clerk.get(page)).text)
    sold = await held_to_it(clerk, page, "approve")
    receipt = text_of((await clerk.get(sold.headers["location"])).text)
    assert "Tip" in receipt
    order = await market.db.row("SELECT id, total FROM orders")
    assert order is not None
    assert order["total"] == 19_900
    tip = await orders.tip_of(market.db, order["id"])
    assert tip is not None
    assert (tip.amount, tip.tender, tip.clerk_name) == (2_000, "terminal", "Sam Säljare")
    # What the card brought more than the order comes to is no surplus that goes back by itself.
    await market.db.transaction(lambda tx: settling.settle_order(tx, order["id"]))
    assert await market.db.value("SELECT count(*) FROM refund") == 0


@pytest.mark.browser
async def test_the_page_goes_on_by_itself(site: Site, market: Market) -> None:
    await market.product(title="Kettle", price=19_900, stock=(5,), variants=[{"sku": "KTL"}])
    page = await site.staff(Role.STORE, locations=(market.places[0].id,), name="Sam Clerk")
    await page.goto("/pos/soder")
    await page.get_by_role("button", name="Kettle").first.click()
    await expect(page.get_by_role("link", name="Card", exact=True)).to_be_visible()
    await page.goto("/pos/soder/pay?by=card")
    await site.fine(page)
    await site.picture(page, "till-card")
    await page.get_by_role("button", name="To the terminal").click()
    await expect(page.get_by_text("Waiting for a card")).to_be_visible()
    await site.fine(page)
    await site.picture(page, "till-terminal")
    payment = await market.db.value("SELECT id FROM terminal_simulation")
    await market.db.rows(
        "UPDATE terminal_simulation SET status = 'approved' WHERE id = $1 RETURNING id", payment
    )
    await expect(page.get_by_text("Sold", exact=True)).to_be_visible()
    await site.fine(page)
