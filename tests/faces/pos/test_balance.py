"""The rest of an order is paid at any till, and the goods can leave."""

from typing import Any

import msgspec
import pytest

from samlad import carts, orders
from samlad.kernel.database import Database, Tx
from samlad.kernel.money import decimal_text
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.payments import PaymentInput
from trade import BUYER, GUEST, Trade, build


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


async def test_a_card_at_a_terminal_of_its_own_pays_the_rest_where_the_shop_takes_it(
    api_as: Any, db: Database
) -> None:
    trade = await build(db, payment_providers=["stripe", "test", "till_card"])
    order = await trade.place((await trade.cart((await trade.kettle(), 1))).id, pay_later=True)
    here = f"/pos/lund/orders/{order.id}/pay"
    async with api_as(accept="text/html", **{"accept-language": "en"}) as till:
        assert "Card, at a terminal of its own" in (await till.get(here)).text
        form = {"way": "till_card", "version": str(order.version)}
        assert (await till.post(here, data=form)).status_code == 303
        assert (await till.post(here, data=form)).status_code in (409, 412), "pressed twice"
    paid = await orders.read(trade.db, order.id)
    assert [(p.provider, p.captured) for p in paid.payments] == [("till_card", 19_900)]
    await trade.agree()
    # Given back it waits until a person has done so at the terminal.
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, orders.CancelInput(reason="no")))
    assert await trade.db.value("SELECT status FROM refund") == "pending"
    await trade.agree()


async def test_nobody_but_staff_says_that_a_terminal_took_a_card(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    with pytest.raises(InvalidInput):  # the shop does not name it
        await trade.place(cart.id, PaymentInput(provider="till_card"))


async def test_a_guest_does_not_pay_so(db: Database) -> None:
    trade = await build(db, payment_providers=["till_card"])
    data = carts.CartInput(channel=trade.web.id, lines=[carts.LineInput(variant=await trade.kettle())])

    async def buy(tx: Tx) -> None:
        made = await carts.create(tx, data)
        token = made.token
        await carts.set_details(tx, made.id, msgspec.convert(BUYER, carts.DetailsInput), token=token)
        order = orders.PlaceOrder(cart=made.id, payments=[PaymentInput(provider="till_card")])
        await orders.place(tx, order, token=token)

    with pytest.raises(Forbidden):
        await trade.db.transaction(buy, GUEST)
