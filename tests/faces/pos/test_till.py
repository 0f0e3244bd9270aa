"""The till: who may stand at it, scanning, sold out, cash with rounding and change, cards, the receipt, the day."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest
from browser import Site
from hypothesis import given
from hypothesis import strategies as st
from market import Market, hidden, text_of
from playwright.async_api import expect

from samlad import channels
from samlad.channels import ChannelChange
from samlad.faces.pos.pay import quick_amounts
from samlad.kernel.context import GUEST, Actor
from samlad.kernel.ids import new_id

HTMX = {"hx-request": "true"}


async def scan(clerk: httpx.AsyncClient, code: str) -> httpx.Response:
    return await clerk.post("/pos/soder/scan", data={"code": code}, headers=HTMX)


async def pay(clerk: httpx.AsyncClient, **sent: str) -> httpx.Response:
    html = (await clerk.get(f"/pos/soder/pay?by={sent.get('by', 'cash')}")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "cash", **sent}
    return await clerk.post("/pos/soder/pay", data=form)


async def test_who_has_not_signed_in_is_led_to_it_and_back(api_as: Any, market: Market) -> None:
    async with api_as(GUEST, accept="text/html") as guest:
        for path in ("/pos", "/pos/soder", "/pos/soder/day"):
            answer = await guest.get(path)
            assert answer.status_code == 303
            assert answer.headers["location"] == f"/admin/sign-in?next={path.replace('/', '%2F')}"
        assert (
            (await guest.post("/pos/soder/scan", data={"code": "KTL"}))
            .headers["location"]
            .startswith("/admin/sign-in")
        )


async def test_a_clerk_sells_only_where_they_are_bound_to(clerk: httpx.AsyncClient, market: Market) -> None:
    assert (await clerk.get("/pos")).headers["location"] == "/pos/soder"
    assert "Hemma Haga" not in (await clerk.get("/pos?choose=1")).text
    for path in ("/pos/haga", "/pos/haga/day", "/pos/haga/pay", f"/pos/haga/sales/{new_id()}"):
        assert (await clerk.get(path)).status_code == 403, path
    assert (await clerk.get("/pos/web")).status_code == 404
    lost = await clerk.get("/pos/nowhere")
    assert lost.status_code == 404
    assert 'href="/pos"' in lost.text


async def test_somebody_without_the_permission_sells_nowhere(api_as: Any, market: Market) -> None:
    nobody = Actor(kind="staff", id=new_id(), name="Mo", permissions=frozenset({"orders.read"}))
    async with api_as(nobody, accept="text/html", **{"accept-language": "en"}) as api:
        assert "There is no store that you may sell in" in (await api.get("/pos")).text
        assert (await api.get("/pos/soder")).status_code == 403


async def test_scanned_sold_for_cash_and_on_the_receipt(clerk: httpx.AsyncClient, market: Market) -> None:
    made = await market.product(
        title="Kettle", price=9_950, stock=(2, 5), variants=[{"sku": "KTL", "gtin": "7310865004703"}]
    )
    kettle = made.variants[0]
    assert "Kettle" in text_of((await scan(clerk, "KTL")).text)
    ticket = text_of((await scan(clerk, "7310865004703")).text)
    assert "2 pieces" in ticket
    assert "2 here" in ticket
    page = (await clerk.get("/pos/soder/pay?by=cash")).text
    assert 'name="tendered" value="199.00"' in page
    sold = await pay(clerk, tendered="500.00")
    assert sold.status_code == 303, text_of(sold.text)
    receipt = (await clerk.get(sold.headers["location"])).text
    assert "Change to give back" in receipt
    assert "301.00" in receipt
    assert "25%" in text_of(receipt).replace("\xa0", "").replace("25 %", "25%")
    (order,) = await market.orders()
    assert (order["status"], order["total"], order["delivery"]) == ("fulfilled", 19_900, "carry_out")
    assert await market.available(kettle.id) == 5
    assert "Nothing on the ticket yet" in (await clerk.get("/pos/soder")).text
    day = text_of((await clerk.get("/pos/soder/day")).text)
    assert "1 sale" in day
    assert order["number"] in day


async def test_cash_is_rounded_to_what_coins_can_pay_and_cards_are_not(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await market.product(price=9_949, sku="KTL", stock=(9,))
    await scan(clerk, "KTL")
    assert "rounded to what coins can pay" in (await clerk.get("/pos/soder/pay?by=cash")).text
    assert "rounded" not in text_of((await clerk.get("/pos/soder/pay?by=card")).text)
    little = await pay(clerk, other="98")
    assert little.status_code == 422
    assert "less than there is to pay" in text_of(little.text)
    assert (await pay(clerk, other="99")).status_code == 303
    await scan(clerk, "KTL")
    declined = await pay(clerk, by="card", token="decline")
    assert declined.status_code == 422
    assert "The card was declined" in text_of(declined.text)
    assert (await pay(clerk, by="card", token="ok")).status_code == 303
    assert [o["total"] for o in await market.orders()] == [9_900, 9_949]


async def test_paid_twice_or_at_once_is_sold_once(clerk: httpx.AsyncClient, market: Market) -> None:
    kettle = (await market.product(sku="KTL", stock=(9,))).variants[0]
    await scan(clerk, "KTL")
    html = (await clerk.get("/pos/soder/pay?by=cash")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "cash", "tendered": "99.00"}
    answers = await asyncio.gather(*(clerk.post("/pos/soder/pay", data=form) for _ in range(4)))
    assert len({a.headers["location"].partition("?")[0] for a in answers}) == 1
    assert len(await market.orders()) == 1
    assert await market.available(kettle.id) == 8


async def test_sold_out_says_where_there_is_more(clerk: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Kettle", sku="KTL", stock=(0, 4))
    text = text_of((await scan(clerk, "KTL")).text)
    assert "Sold out here" in text
    assert "Elsewhere: Hemma Haga 4" in text
    assert (await clerk.get("/pos/soder/pay")).headers["location"] == "/pos/soder"
    assert await market.orders() == []


async def test_the_last_one_goes_to_whoever_pays_first(
    clerk: httpx.AsyncClient, api_as: Any, market: Market
) -> None:
    await market.product(title="Kettle", sku="KTL", stock=(1, 0))
    await scan(clerk, "KTL")
    html = (await clerk.get("/pos/soder/pay?by=cash")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "cash", "tendered": "99.00"}
    async with api_as(accept="text/html") as other:
        await scan(other, "KTL")
        assert (await pay(other, tendered="99.00")).status_code == 303
    late = await clerk.post("/pos/soder/pay", data=form)
    assert late.headers["location"] == "/pos/soder"
    text = text_of((await clerk.get("/pos/soder")).text)
    assert "Somebody was quicker" in text
    assert "Sold out here" in text
    assert len(await market.orders()) == 1


async def test_what_is_no_number_is_searched_for(clerk: httpx.AsyncClient, market: Market) -> None:
    made = await market.product(title="Copper kettle", sku="KTL", stock=(2,))
    found = text_of((await scan(clerk, "copper")).text)
    assert "1 found for “copper”" in found
    assert "Nothing found for “zzz”" in text_of((await scan(clerk, "zzz")).text)
    tapped = await clerk.post("/pos/soder/lines", data={"variant": str(made.variants[0].id)}, headers=HTMX)
    assert "Copper kettle" in text_of(tapped.text)
    live = await clerk.get("/pos/soder/find?code=kett", headers=HTMX)
    assert "2 here" in text_of(live.text)


async def test_lines_are_changed_and_taken_off_and_the_mail_is_kept(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await market.product(title="Kettle", sku="KTL", stock=(9,))
    ticket = (await scan(clerk, "KTL")).text
    line = ticket.split('action="/pos/soder/lines/')[1].split('"')[0]
    more = await clerk.post(f"/pos/soder/lines/{line}", data={"quantity": "3"}, headers=HTMX)
    assert "3 pieces" in text_of(more.text)
    wrong = await clerk.post("/pos/soder/customer", data={"email": "kim"}, headers=HTMX)
    assert "Please write an address like kim@example.com." in text_of(wrong.text)
    right = await clerk.post("/pos/soder/customer", data={"email": "kim@example.com"}, headers=HTMX)
    assert 'value="kim@example.com"' in right.text
    off = await clerk.post(f"/pos/soder/lines/{line}", data={"quantity": "0"}, headers=HTMX)
    assert "Nothing on the ticket yet" in off.text


@pytest.mark.parametrize("code", ["\x00", "", " ", "x" * 5000, "'; --", "💥", "7310865004703" * 3])
async def test_nonsense_from_a_scanner_is_no_error(
    clerk: httpx.AsyncClient, market: Market, code: str
) -> None:
    assert (await scan(clerk, code)).status_code == 200
    assert (await clerk.get("/pos/soder/find", params={"code": code}, headers=HTMX)).status_code == 200
    for path, sent in (
        ("lines", {"variant": code}),
        (f"lines/{uuid4()}", {"quantity": code}),
        ("customer", {"email": code}),
        ("pay", {"cart": code, "tendered": code, "other": code}),
        ("pay", {"cart": str(uuid4()), "by": code}),
    ):
        answer = await clerk.post(f"/pos/soder/{path}", data=sent, headers=HTMX)
        assert answer.status_code < 500, (path, code)


async def test_a_sale_of_another_store_has_no_receipt_here(
    api_as: Any, clerk: httpx.AsyncClient, market: Market
) -> None:
    await market.product(sku="KTL", stock=(2, 2))
    await scan(clerk, "KTL")
    sold = (await pay(clerk, tendered="99.00")).headers["location"].partition("?")[0]
    async with api_as(accept="text/html") as owner:
        assert (await owner.get(sold)).status_code == 200
        assert (await owner.get(sold.replace("soder", "haga"))).status_code == 404
        assert (await owner.get(f"/pos/soder/sales/{new_id()}")).status_code == 404


@given(due=st.integers(1, 10**9), currency=st.sampled_from(["SEK", "EUR", "JPY", "KWD"]))
def test_quick_amounts_cover_what_is_due_and_rise(due: int, currency: str) -> None:
    amounts = quick_amounts(due, currency)
    assert amounts[0] == due
    assert amounts == sorted(set(amounts))
    assert len(amounts) <= 5


async def test_every_variant_of_a_product_has_a_key_of_its_own(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    sizes = [{"sku": f"SHIRT-{size}", "options": {"Size": size}} for size in "SML"]
    options = [{"name": "Size", "values": list("SML")}]
    await market.product(title="Shirt", variants=sizes, options=options, stock=(2,))
    found = text_of((await scan(clerk, "shirt")).text)
    assert "3 found for “shirt”" in found


async def test_what_tills_have_leased_is_sold_to_who_has_it_in_hand(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    made = await market.product(sku="KTL", price=9900, stock=(2, 0))
    till, variant = str(uuid4()), str(made.variants[0].id)
    lease = {"channel": "soder", "till": till, "lines": [{"variant": variant, "units": 2}]}
    assert (await clerk.post("/api/till-leases", json=lease)).json()["lines"][0]["units"] == 2
    assert await market.available(made.variants[0].id) == 0
    await scan(clerk, "KTL")
    assert (await pay(clerk, tendered="99")).headers["location"].endswith("?new=1")
    assert [row["status"] for row in await market.orders()] == ["fulfilled"]
    left = await clerk.post("/api/till-leases/renew", json={"channel": "soder", "till": till})
    assert left.json()["lines"][0]["units"] == 1


async def test_a_card_at_a_terminal_of_its_own_is_what_the_clerk_says(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    await market.product(sku="KTL", price=9900, stock=(5, 0))
    await scan(clerk, "KTL")
    assert "It was accepted" not in (await clerk.get("/pos/soder/pay?by=card")).text
    sent = {"by": "card", "with": "till_card"}
    assert (await pay(clerk, **sent)).status_code == 422, "the store does not take it"
    for ways in (["cash"], ["cash", "till_card"]):
        change = ChannelChange(settings={"payment_providers": ways})
        await market.db.transaction(
            lambda tx, change=change: channels.change(tx, market.stores[0].id, change)
        )
        said = text_of((await clerk.get("/pos/soder/pay?by=card")).text)
        assert ("It was accepted" in said) == ("till_card" in ways)
        assert ("No cards here" in said) == ("till_card" not in ways)
    assert (await pay(clerk, **sent)).headers["location"].endswith("?new=1")
    rows = await market.db.rows("SELECT provider, status, captured FROM payment")
    assert [tuple(row) for row in rows] == [("till_card", "captured", 9900)]
    assert [row["status"] for row in await market.orders()] == ["fulfilled"]


@pytest.mark.browser
async def test_the_head_has_two_rows_on_a_phone_in_every_language(site: Site, market: Market) -> None:
    """Dutch words are long. What is not sent is a number in any case, and no word is lost to who cannot see icons."""
    await market.product(sku="KTL", price=9900, stock=(2, 0))
    page = await site.staff(width=390)
    for language, orders in (
        ("nl", "Bestellingen om te leveren"),
        ("sv", "Ordrar att ta fram"),
        ("en", "Orders to bring"),
    ):
        await page.goto(f"/language/{language}")
        await page.goto("/pos/soder")
        await expect(page.locator("html")).to_have_attribute("lang", language)
        assert await page.locator(".till-head").evaluate("(head) => head.offsetHeight") <= 96, language
        await expect(page.get_by_role("link", name=orders)).to_be_visible()
        await expect(page.locator("[data-store] [data-count]")).to_be_visible()
    await site.fine(page)
