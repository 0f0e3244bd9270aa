"""The rest of an order is paid at any till, and the goods can leave."""

from typing import Any

import pytest

from samlad import channels, orders
from samlad.channels import ChannelChange
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


async def test_the_rest_is_paid_at_the_terminal(api_as: Any, trade: Trade) -> None:
    """Declined, called off, a part, the rest: what the terminal says is booked once, and nothing else."""
    ways = ChannelChange(settings={"payment_providers": ["cash", "terminal"]})
    await trade.db.transaction(lambda tx: channels.change(tx, trade.lund.id, ways))
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="test"), deposit=5_000)
    here = f"/pos/lund/orders/{order.id}/pay"
    async with api_as(accept="text/html", **{"accept-language": "en"}) as till:
        shown = (await till.get(here)).text
        assert 'value="terminal"' in shown
        assert 'value="test"' not in shown, "the store does not offer it"

        async def to_terminal(**more: str) -> str:
            version = str((await orders.read(trade.db, order.id)).version)
            answer = await till.post(here, data={"way": "terminal", "version": version, **more})
            assert answer.status_code == 303, answer.text
            page = answer.headers["location"]
            assert "Waiting for a card" in (await till.get(page)).text, "this wakes the terminal"
            return page

        async def held(page: str, button: str) -> str:
            assert (await till.post(f"{page}/press", data={"button": button})).status_code == 303
            return (await till.get(page)).headers["location"]

        assert await held(await to_terminal(), "decline") == here
        assert "Nothing was paid" in (await till.get(here)).text
        first = await to_terminal()
        assert (await till.post(f"{first}/leave")).headers["location"] == here
        assert (await till.get(first)).headers["location"] == here
        part = await to_terminal(amount="49")
        assert await held(part, "approve") == here
        assert (await till.get(part)).headers["location"] == here, "looked at again it is booked once"
        again = await to_terminal()
        assert await held(again, "approve") == here
        assert "Nothing is left to pay" in (await till.get(here)).text
        late = await till.post(here, data={"way": "terminal", "version": "1"})
        assert late.status_code in (409, 412)
    rows = await trade.db.rows(
        "SELECT amount, status, order_id IS NOT NULL AS sold, location FROM payment WHERE provider = 'terminal' ORDER BY created_at"
    )
    assert [(row["amount"], row["sold"]) for row in rows] == [
        (14_900, False),
        (14_900, False),
        (4_900, True),
        (10_000, True),
    ]
    assert [row["status"] for row in rows[:2]] == ["declined", "voided"]
    assert {row["location"] for row in rows[2:]} == {trade.at_lund.id}
    assert (await orders.read(trade.db, order.id)).payment_status in ("authorized", "paid")
