"""The till: a loyalty code puts the customer on the ticket; gift cards and store credit pay, with cash or card for the rest."""

import re
from uuid import UUID

import httpx
import msgspec
from market import Market, hidden, text_of

from samlad import channels, credit, customers
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.credit import GrantInput, IssueInput, ProgrammeInput
from samlad.customers import PersonInput
from samlad.kernel.database import Tx

HTMX = {"hx-request": "true"}


async def member(market: Market, channel: Channel | None = None) -> tuple[UUID, str]:
    """Kim, a member among the customers of a channel; id and code."""
    where = channel or market.web

    async def work(tx: Tx) -> tuple[UUID, str]:
        pool = where.pools[Resource.CUSTOMERS]
        data = {
            "channel": str(where.id),
            "name": "Gathered",
            "rates": [{"currency": "SEK", "spend": 1_000, "points": 1}],
        }
        await credit.set_programme(tx, msgspec.convert(data, ProgrammeInput))
        kim = await customers.find_or_create(tx, pool, PersonInput(email="kim@example.org", name="Kim Berg"))
        return kim.id, (await credit.enrol(tx, kim.id)).code

    return await market.db.transaction(work)


async def card(market: Market, amount: int) -> str:
    """The code of a card with so much on it."""
    data = IssueInput(channel=market.web.id, amount=amount, note="Welcome")
    return (await market.db.transaction(lambda tx: credit.issue(tx, data))).code


async def on_ticket(clerk: httpx.AsyncClient, market: Market, price: int = 19_900) -> None:
    await market.product(title="Kettle", price=price, stock=(5,), variants=[{"sku": "KTL"}])
    await clerk.post("/pos/soder/scan", data={"code": "KTL"}, headers=HTMX)


async def pay(clerk: httpx.AsyncClient, **sent: str) -> httpx.Response:
    html = (await clerk.get(f"/pos/soder/pay?by={sent['by']}")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), **sent}
    return await clerk.post("/pos/soder/pay", data=form)


async def test_a_scanned_code_puts_the_customer_on_the_ticket(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    kim, code = await member(market)
    first = await clerk.post("/pos/soder/scan", data={"code": code}, headers=HTMX)
    assert "Kim Berg" in text_of(first.text)
    assert "0 points" in text_of(first.text)
    await on_ticket(clerk, market)
    again = await clerk.post("/pos/soder/scan", data={"code": code.lower()}, headers=HTMX)
    assert "Kim Berg" in text_of(again.text)
    assert "Kettle" in text_of(again.text)
    gone = await clerk.post("/pos/soder/member/remove", headers=HTMX)
    assert "Kim Berg" not in text_of(gone.text)
    await clerk.post("/pos/soder/scan", data={"code": code}, headers=HTMX)
    assert (await pay(clerk, by="cash", tendered="200.00")).status_code == 303
    assert await market.db.value("SELECT customer FROM orders") == kim


async def test_a_code_of_other_customers_is_only_a_text(clerk: httpx.AsyncClient, market: Market) -> None:
    data = ChannelInput(code="alone", name="Alone", kind=ChannelKind.WEBSHOP, parent="web")
    alone = await market.db.transaction(lambda tx: channels.create(tx, data))
    _, code = await member(market, alone)
    answer = await clerk.post("/pos/soder/scan", data={"code": code}, headers=HTMX)
    assert "Nothing found" in text_of(answer.text)
    assert "Kim Berg" not in answer.text


async def test_a_gift_card_pays_all_of_it(clerk: httpx.AsyncClient, market: Market) -> None:
    code = await card(market, 50_000)
    await on_ticket(clerk, market)
    looked = await pay(clerk, by="gift", code=code)
    assert "Paid with it" in text_of(looked.text)
    assert await market.orders() == []
    sold = await pay(clerk, by="gift", code=code, take="1")
    assert sold.status_code == 303, text_of(sold.text)
    (order,) = await market.orders()
    assert order["status"] == "fulfilled"
    found = await credit.find(market.db, code)
    assert found is not None
    assert found.available == 30_100


async def test_a_gift_card_pays_a_part_and_the_rest_is_asked_for(
    clerk: httpx.AsyncClient, market: Market
) -> None:
    code = await card(market, 10_000)
    await on_ticket(clerk, market, price=19_950)
    asked = await pay(clerk, by="gift", code=code)
    assert asked.status_code == 200
    shown = text_of(asked.text)
    assert "100.00" in shown
    assert "99.50" in shown
    assert await market.orders() == []
    sold = await pay(clerk, by="gift", code=code, rest="cash")
    assert sold.status_code == 303, text_of(sold.text)
    paid = await market.db.rows("SELECT provider, amount FROM payment ORDER BY id")
    assert [(row["provider"], row["amount"]) for row in paid] == [("gift_card", 10_000), ("cash", 10_000)]


async def test_a_wrong_code_sells_nothing(clerk: httpx.AsyncClient, market: Market) -> None:
    await on_ticket(clerk, market)
    answer = await pay(clerk, by="gift", code="KX4T-9PZC-M2HE-77QA-41")
    assert answer.status_code == 422
    assert "cannot be used here" in text_of(answer.text)
    assert re.search(r'name="code"[^>]*value="KX4T', answer.text) is None
    assert await market.orders() == []


async def test_the_customers_store_credit_pays(clerk: httpx.AsyncClient, market: Market) -> None:
    kim, code = await member(market)
    await on_ticket(clerk, market)
    await clerk.post("/pos/soder/scan", data={"code": code}, headers=HTMX)
    assert "No store credit" in (await clerk.get("/pos/soder/pay?by=credit")).text
    data = GrantInput(amount=15_000, currency="SEK", reason="Late")
    await market.db.transaction(lambda tx: credit.grant(tx, kim, data))
    assert "49.00" in text_of((await clerk.get("/pos/soder/pay?by=credit")).text)
    sold = await pay(clerk, by="credit", rest="card")
    assert sold.status_code == 303, text_of(sold.text)
    assert (await credit.of_customer(market.db, kim))[0].available == 0
