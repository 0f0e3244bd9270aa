"""The rest of an order is paid at any till, and the goods can leave."""

from typing import Any

import pytest

from samlad import orders
from samlad.kernel.database import Database
from samlad.kernel.money import decimal_text
from samlad.payments import PaymentInput
from trade import Trade, build


@pytest.fixture
async def trade(db: Database) -> Trade:
    return await build(db)


async def test_a_clerk_takes_a_part_and_then_the_rest(api_as: Any, trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="test"), deposit=5_000)
    here = f"/pos/lund/orders/{order.id}/pay"
    async with api_as(accept="text/html", **{"accept-language": "en"}) as till:
        page = (await till.get(here)).text.replace("\xa0", " ")
        assert "149.00" in page
        wrong = await till.post(here, data={"way": "cash", "amount": "200", "version": str(order.version)})
        assert wrong.status_code == 422
        form = {"way": "cash", "amount": "49", "version": str(order.version)}
        assert (await till.post(here, data=form)).status_code == 303
        twice = await till.post(here, data=form)
        assert twice.status_code in (409, 412)
        assert "100.00" in twice.text.replace("\xa0", " ")
        paid = await orders.read(trade.db, order.id)
        assert decimal_text(paid.paid, "SEK") == "99.00"
        assert (await till.post(here, data={"way": "test", "version": str(paid.version)})).status_code == 303
        assert "Nothing is left to pay" in (await till.get(here)).text
        desk = await till.get(f"/pos/lund/returns/{order.id}")
        assert f"/pos/lund/orders/{order.id}/pay" not in desk.text
    assert (await orders.read(trade.db, order.id)).payment_status == "paid"
    await trade.follow()
    places = await trade.db.rows("SELECT DISTINCT location FROM till_payment")
    assert [row["location"] for row in places] == [trade.at_lund.id]
    await trade.agree()
