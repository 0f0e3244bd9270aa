"""A card at a terminal that we do not talk to: staff say that it took the money, at the till and for what an order still owes."""

import httpx
import pytest
from market import Market

from samlad import carts, channels, orders
from samlad.channels import ChannelChange
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Forbidden, InvalidInput
from samlad.orders import Order, PlaceOrder
from samlad.payments import PaymentInput

PEOPLE = {"accept": "text/html", "accept-language": "en"}


async def takes(market: Market, *providers: str) -> None:
    change = ChannelChange(settings={"payment_providers": list(providers)})
    await market.db.transaction(lambda tx: channels.change(tx, market.web.id, change))
    await market.db.transaction(lambda tx: channels.change(tx, market.stores[0].id, change))


async def ordered(market: Market, *payments: PaymentInput, who: Actor | None = None) -> Order:
    made = await market.product(sku=f"K-{new_id()}", price=19_900, stock=(5,))

    async def work(tx: Tx) -> Order:
        lines = [carts.LineInput(variant=made.variants[0].id)]
        details = carts.DetailsInput(
            email="kim@example.org", delivery=carts.Delivery.PICKUP, location=market.places[0].id
        )
        cart = await carts.create(tx, carts.CartInput(channel=market.web.id, lines=lines, details=details))
        wanted = PlaceOrder(cart=cart.id, payments=list(payments), pay_later=not payments)
        return await orders.place(tx, wanted, token=cart.token)

    return await market.db.transaction(work, Context(actor=who) if who else Context())


async def test_what_an_order_owes_is_booked_at_the_desk(api: httpx.AsyncClient, market: Market) -> None:
    await takes(market, "till_card")
    order = await ordered(market)
    here = f"/admin/orders/{order.id}"
    page = (await api.get(here, headers=PEOPLE)).text
    assert "Card, at a terminal of its own" in page
    assert "Test payment" not in page
    form = {"provider": "till_card", "version": str(order.version)}
    assert (await api.post(f"{here}/pay", data=form, headers=PEOPLE)).status_code == 303
    paid = await orders.read(market.db, order.id)
    assert [(p.provider, p.captured) for p in paid.payments] == [("till_card", 19_900)]
    # Given back it waits until a person has done so at the terminal.
    await market.db.transaction(lambda tx: orders.cancel(tx, order.id, orders.CancelInput(reason="no")))
    assert await market.db.value("SELECT status FROM refund") == "pending"


async def test_nobody_but_staff_says_so_and_only_where_the_shop_takes_it(market: Market) -> None:
    with pytest.raises(InvalidInput):
        await ordered(market, PaymentInput(provider="till_card"))
    await takes(market, "till_card")
    with pytest.raises(Forbidden):
        await ordered(market, PaymentInput(provider="till_card"), who=Actor(kind="guest"))
