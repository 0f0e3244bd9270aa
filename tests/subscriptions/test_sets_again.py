"""A subscription of a set repeats the set, though its orders are of the parts."""

import msgspec
from subscribing import Shop

from samlad import carts, orders, subscriptions
from samlad.carts import CartInput, DetailsInput, LineInput
from samlad.kernel.database import Tx
from samlad.orders import ChangeInput, Order, PlaceOrder
from samlad.payments import PaymentInput
from samlad.subscriptions import FromOrderInput
from trade import ADDRESS


async def test_a_set_that_was_bought_by_a_plan_comes_again(shop: Shop) -> None:
    trade = shop.trade
    pot, cup = await trade.kettle(30_000, 5), await trade.kettle(5_000, 9)
    tea = await trade.set_of(36_000, (pot, 1), (cup, 2))

    async def buy(tx: Tx) -> Order:
        line = LineInput(variant=tea, quantity=2, plan=shop.plan.id)
        made = await carts.create(tx, CartInput(channel=trade.web.id, customer=shop.kim, lines=[line]))
        details = DetailsInput(email="kim@example.org", address=carts.Address(**ADDRESS), delivery="ship")
        await carts.set_details(tx, made.id, details)
        return await orders.place(tx, PlaceOrder(cart=made.id, payments=[PaymentInput(provider="test")]))

    order = await shop.db.transaction(buy)
    assert [(line.variant, line.quantity, line.total) for line in order.lines] == [
        (pot, 2, 48_600),
        (cup, 4, 16_200),
    ]
    asked = FromOrderInput(order=order.id)
    (begun,) = await shop.db.transaction(lambda tx: subscriptions.start_from_order(tx, asked))
    assert [(line.variant, line.quantity) for line in begun.lines] == [(tea, 2)]
    shop.clock.on(days=32)
    await shop.sweep()
    assert await shop.orders(begun) == [(1, 64_800)]
    assert await trade.level(cup) == (9, 8)
    await shop.agree()


async def test_what_is_sent_again_for_a_broken_one_is_no_second_subscription(shop: Shop) -> None:
    trade = shop.trade
    coffee = await trade.kettle(10_000, 9)

    async def buy(tx: Tx) -> Order:
        line = LineInput(variant=coffee, quantity=2, plan=shop.plan.id)
        made = await carts.create(tx, CartInput(channel=trade.web.id, customer=shop.kim, lines=[line]))
        details = DetailsInput(email="kim@example.org", address=carts.Address(**ADDRESS), delivery="ship")
        await carts.set_details(tx, made.id, details)
        return await orders.place(tx, PlaceOrder(cart=made.id, payments=[PaymentInput(provider="test")]))

    order = await shop.db.transaction(buy)
    await trade.follow()
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    kinds = (
        {"kind": "claim", "position": 1, "quantity": 1, "reason": "defective", "remedy": "replacement"},
        {"kind": "exchange", "position": 1, "quantity": 1, "instant": True},
    )
    for kind in kinds:
        change = msgspec.convert(
            {"actions": [kind], "photos": ["https://example.com/broken.jpg"]}, ChangeInput
        )
        await trade.db.transaction(lambda tx, change=change: orders.apply_change(tx, order.id, change))
    await trade.follow()
    assert await trade.db.value("SELECT count(*) FROM subscription") == 1
    sold = "SELECT count(*) FROM order_line l JOIN orders o ON o.id = l.order_id WHERE o.kind = 'sale' AND l.plan IS NOT NULL"
    assert await trade.db.value(sold) == 1
    await shop.agree()
