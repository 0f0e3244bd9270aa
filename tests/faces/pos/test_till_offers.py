"""Offers at the till: a code that is shown, an offer that came by a link on a phone, on the receipt."""

from typing import Any

import httpx
import msgspec
from market import Market, hidden, text_of

from samlad.channels import Resource
from samlad.customers import PersonInput, find_or_create
from samlad.promotions import service
from samlad.promotions.model import Promotion, PromotionChange, PromotionInput

HTMX = {"hx-request": "true"}


async def promotion(market: Market, **fields: Any) -> Promotion:
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    values = {"channel": str(market.web.id), "name": "Kettle week", "is_automatic": False, "terms": terms}
    data = msgspec.convert(values | fields, PromotionInput)
    return await market.db.transaction(lambda tx: service.create(tx, data))


async def post(clerk: httpx.AsyncClient, path: str, **data: str) -> str:
    return text_of((await clerk.post(f"/pos/soder/{path}", data=data, headers=HTMX)).text)


async def test_a_code_and_who_the_customer_is(clerk: httpx.AsyncClient, market: Market) -> None:
    await market.product(title="Kettle", sku="KTL", price=9_900, stock=(5,))
    await promotion(market, codes=["WINTER"], name="Winter")
    theirs = await promotion(market, channels=[str(market.web.id)])
    pool = market.web.pools[Resource.CUSTOMERS]
    kim = await market.db.transaction(
        lambda tx: find_or_create(tx, pool, PersonInput(email="kim@example.com"))
    )
    await market.db.transaction(lambda tx: service.give(tx, theirs.id, kim.id))

    await post(clerk, "scan", code="KTL")
    assert "There is no such code." in await post(clerk, "codes", code="SUMMER")
    assert "Winter" in await post(clerk, "codes", code="winter")
    assert "Winter" not in await post(clerk, "codes/remove", code="WINTER")
    ticket = await post(clerk, "customer", email="kim@example.com")
    assert "Kettle week" in ticket, "of the web shop, but theirs"
    assert "89.10" in ticket

    ended = PromotionChange(status="ended")  # type: ignore[arg-type]
    await market.db.transaction(lambda tx: service.change(tx, theirs.id, ended))
    assert "1 offer takes off less than was shown" in text_of((await clerk.get("/pos/soder")).text)
    assert "takes off less" not in await post(clerk, "prices")
    await post(clerk, "codes", code="winter")
    html = (await clerk.get("/pos/soder/pay?by=card")).text
    form = {"cart": hidden(html, "cart"), "total": hidden(html, "total"), "by": "card", "token": "ok"}
    assert form["total"] == "8910"
    sold = await clerk.post("/pos/soder/pay", data=form)
    assert "Winter" in text_of((await clerk.get(sold.headers["location"])).text)
