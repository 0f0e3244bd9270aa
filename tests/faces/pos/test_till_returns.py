"""Returns at a till: any order of the shop, alone or in one ticket with a new sale."""

import re
from typing import Any
from uuid import UUID

import httpx
from market import Market, hidden, text_of

from samlad import orders
from samlad.faces.design.formats import day_and_clock_at

HTMX = {"hx-request": "true"}


async def sell(clerk: httpx.AsyncClient, market: Market, sku: str, price: int) -> UUID:
    """Something was sold at this till; the order."""
    await market.product(title=f"Kettle {sku}", price=price, stock=(5,), variants=[{"sku": sku}])
    await clerk.post("/pos/soder/scan", data={"code": sku}, headers=HTMX)
    html = (await clerk.get("/pos/soder/pay?by=cash")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "cash", "tendered": "500.00"}
    answer = await clerk.post("/pos/soder/pay", data=form)
    return UUID(re.search(r"/sales/([0-9a-f-]{36})", answer.headers["location"])[1])


async def test_any_order_is_found_and_taken_back(clerk: httpx.AsyncClient, market: Market) -> None:
    order = await sell(clerk, market, "KTL", 19_900)
    number = (await orders.read(market.db, order)).number
    assert "Nothing found" in text_of((await clerk.get("/pos/soder/returns?q=NOPE")).text)
    for query in (number, "KTL"):
        assert str(order) in (await clerk.get(f"/pos/soder/returns?q={query}")).text
    here = f"/pos/soder/returns/{order}"
    page = (await clerk.get(here)).text
    chosen = {"id": hidden(page, "id"), "return-1": "1", "reason-1": "defective", "condition-1": "defective"}
    piece = (await clerk.post(f"{here}/preview", data=chosen, headers=HTMX)).text
    assert "Ask for a picture" in text_of(piece)
    agreed = {**chosen, "fingerprint": hidden(piece, "fingerprint"), "act": "apply"}
    assert (await clerk.post(here, data=agreed)).status_code == 303
    now = await orders.read(market.db, order)
    assert (now.status, now.refunded) == ("returned", now.paid)
    more = await clerk.post(here, data={**chosen, "id": "", "act": "apply"})
    assert more.status_code == 422
    assert "At most 0" in text_of(more.text)


async def test_what_was_bought_elsewhere_is_paid_out_here_with_a_receipt(
    clerk: httpx.AsyncClient, market: Market, api_as: Any
) -> None:
    """Found on a walk: the till only said "Taken back.", so nobody knew what to hand out, and there was no paper for it."""
    denver = "UPDATE channel SET time_zone = 'America/Denver' WHERE code = 'soder'"
    await market.db.transaction(lambda tx: tx.execute(denver))
    order = await sell(clerk, market, "KTL", 19_900)
    sale = await orders.read(market.db, order)
    async with api_as(accept="text/html") as haga:
        here = f"/pos/haga/returns/{order}"
        page = (await haga.get(here)).text
        # The time is the one on the customer's receipt.
        when = day_and_clock_at(sale.placed_at, "America/Denver", "en")
        assert f"Bought at Hemma Soder · {when}" in text_of(page)
        chosen = {"id": hidden(page, "id"), "return-1": "1", "reason-1": "changed_mind", "act": "apply"}
        done = await haga.post(here, data=chosen)
        assert done.status_code == 303
        there = done.headers["location"].split("?")[0]
        assert there.startswith("/pos/haga/sales/")
        said = text_of((await haga.get(done.headers["location"])).text).replace("\xa0", " ")
        assert re.search(r"Taken back\. Goes back: Cash SEK ?199\.00", said)
        assert re.search(r"Cash -SEK ?199\.00", said), "on the receipt"
        assert (await haga.get(there.replace("haga", "soder"))).status_code == 404, "it came back here"
        paper = text_of((await haga.get(f"/api/orders/{there.rsplit('/', 1)[1]}/receipt.html")).text)
        assert re.search(r"(Cash|Kontant\w*) ?[-−]", paper), paper
        assert "Taken back · Changed their mind" in text_of((await haga.get(f"/admin/orders/{order}")).text)


async def test_one_ticket_for_a_return_and_a_sale(clerk: httpx.AsyncClient, market: Market) -> None:
    order = await sell(clerk, market, "KTL", 19_900)
    await market.product(title="Toaster", price=29_900, stock=(5,), variants=[{"sku": "TST"}])
    await clerk.post("/pos/soder/scan", data={"code": "TST"}, headers=HTMX)
    here = f"/pos/soder/returns/{order}"
    page = (await clerk.get(here)).text
    assert "In one ticket with what is being sold" in text_of(page)
    chosen = {"id": hidden(page, "id"), "return-1": "1", "with_ticket": "1", "way": "cash"}
    piece = (await clerk.post(f"{here}/preview", data=chosen, headers=HTMX)).text
    assert "To be paid" in text_of(piece)
    agreed = {**chosen, "fingerprint": hidden(piece, "fingerprint"), "act": "apply"}
    done = await clerk.post(here, data=agreed)
    assert done.status_code == 303, text_of(done.text)
    new = await orders.read(
        market.db, UUID(re.search(r"/sales/([0-9a-f-]{36})", done.headers["location"])[1])
    )
    assert [(p.provider, p.amount) for p in new.payments] == [("exchange", 19_900), ("cash", 10_000)]
    assert (new.status, new.changes) == ("fulfilled", order)


async def test_goods_without_a_receipt_become_store_credit(
    clerk: httpx.AsyncClient, market: Market, api_as: Any
) -> None:
    await market.product(title="Kettle", price=19_900, stock=(5,), variants=[{"sku": "KTL"}])
    here = "/pos/soder/returns/without-receipt"
    assert here in (await clerk.get("/pos/soder/returns")).text
    page = (await clerk.get(here)).text
    chosen = {"id": hidden(page, "id"), "code-1": "KTL", "customer": "kim@example.org"}
    worth = text_of((await clerk.post(here, data=chosen)).text)
    assert "199.00" in worth
    assert "Only a manager may do this" in worth
    agreed = chosen | {"act": "apply", "override": "Seen it sold"}
    assert (await clerk.post(here, data=agreed)).status_code == 403
    assert await market.db.value("SELECT count(*) FROM orders") == 0
    async with api_as(accept="text/html", **{"accept-language": "en"}) as manager:
        assert "Take it back" in text_of((await manager.post(here, data=chosen)).text)
        done = await manager.post(here, data=agreed)
        assert done.status_code == 303, text_of(done.text)
    assert await market.db.value("SELECT total FROM orders") == -19_900
