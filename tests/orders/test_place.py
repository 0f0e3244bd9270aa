"""Placing orders: the right amounts, stock and events, once."""

import asyncio
from uuid import UUID

import msgspec
import pytest

from samlad import carts, orders, stock
from samlad.carts import CartInput, LineInput, PriceChanged
from samlad.kernel import log
from samlad.kernel.context import SYSTEM
from samlad.kernel.database import Tx
from samlad.kernel.problems import Forbidden, InvalidInput, NotFound, Outdated
from samlad.orders import AlreadyOrdered, OrderPayment, OrderStatus, PlaceOrder, TotalChanged
from samlad.payments import PaymentDeclined, PaymentInput
from samlad.stock import SoldOut
from trade import BUYER, GUEST, Trade


async def test_a_cart_becomes_an_order_with_copies_of_its_lines(trade: Trade) -> None:
    kettle, filters = await trade.kettle(19_900), await trade.kettle(4_950)
    cart = await trade.cart((kettle, 2), (filters, 3))
    order = await trade.place(cart.id, total=2 * 19_900 + 3 * 4_950)
    assert order.number == "W1001"
    assert (order.status, order.payment_status) == (OrderStatus.PAID, OrderPayment.PAID)
    assert [(line.quantity, line.unit_price, line.total, line.tax) for line in order.lines] == [
        (2, 19_900, 39_800, 7_960),
        (3, 4_950, 14_850, 2_970),
    ]
    assert (order.total, order.tax, order.paid, order.items) == (54_650, 10_930, 54_650, 5)
    assert order.address is not None
    assert order.address.city == "Malmö"
    assert await trade.level(kettle) == (10, 2)
    types = [event.type for event in await log.of_subject(trade.db, order.id)]
    assert types == ["stock.held", "order.placed", "fulfilment.opened", "payment.captured"]
    assert await trade.db.value("SELECT count(*) FROM event WHERE payload ->> 'email' IS NOT NULL") == 0
    await trade.follow()
    await trade.sound()


async def test_a_sale_at_a_till_is_handed_over_at_once_and_rounded_in_cash(trade: Trade) -> None:
    kettle = await trade.kettle(19_949, 3, at=trade.at_malmo)
    cart = await trade.cart((kettle, 1), channel=trade.malmo)
    order = await trade.place(cart.id, PaymentInput(provider="cash", tendered=20_000), total=19_949)
    assert order.status is OrderStatus.FULFILLED
    assert order.number == "M1001"
    assert order.total == 19_900
    assert [line.total for line in order.lines] == [19_949, -49]
    assert order.payments[0].change_due == 100
    assert await trade.level(kettle, trade.at_malmo) == (2, 0)
    await trade.follow()
    await trade.sound()


async def test_a_till_sells_only_what_lies_in_its_store(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=10)
    cart = await trade.cart((kettle, 1), channel=trade.malmo)
    assert cart.lines[0].problem == "short"
    with pytest.raises(SoldOut):
        await trade.place(cart.id)
    assert await trade.level(kettle) == (10, 0)


async def test_the_second_time_says_which_order_it_is(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await trade.cart((kettle, 1))
    order = await trade.place(cart.id)
    with pytest.raises(AlreadyOrdered) as refused:
        await trade.place(cart.id)
    assert (refused.value.extra["number"], refused.value.extra["order"]) == (order.number, str(order.id))
    assert await trade.level(kettle) == (10, 1)


async def test_twenty_at_once_from_one_cart_are_one_order(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    results = await asyncio.gather(*(trade.place(cart.id) for _ in range(20)), return_exceptions=True)
    placed = [r for r in results if isinstance(r, orders.Order)]
    refused = [r for r in results if isinstance(r, AlreadyOrdered)]
    assert (len(placed), len(refused)) == (1, 19)
    assert {r.extra["number"] for r in refused} == {placed[0].number}
    assert await trade.db.value("SELECT count(*) FROM orders") == 1
    await trade.sound()


async def test_fifty_buyers_for_ten(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=10)
    made = [await trade.cart((kettle, 1)) for _ in range(50)]
    results = await asyncio.gather(*(trade.place(cart.id) for cart in made), return_exceptions=True)
    placed = [r for r in results if isinstance(r, orders.Order)]
    assert len(placed) == 10
    assert sum(isinstance(r, SoldOut) for r in results) == 40
    assert len({order.number for order in placed}) == 10
    assert await trade.level(kettle) == (10, 10)
    await trade.follow()
    await trade.sound()


async def test_what_is_sold_out_is_told_before_anybody_is_asked_to_pay(trade: Trade) -> None:
    kettle, cup, lamp = [await trade.kettle(quantity=units) for units in (0, 1, 5)]
    tea = await trade.set_of(33_000, (cup, 1), (kettle, 2))
    declined = PaymentInput(provider="test", token="decline:stolen")
    cart = await trade.cart((kettle, 3), (lamp, 1), (cup, 2))
    with pytest.raises(SoldOut) as gone:
        await trade.place(cart.id, declined)
    told = {line.variant: (line.wanted, line.available) for line in gone.value.lines}
    assert told == {kettle: (3, 0), cup: (2, 1)}  # the same answer as from taking: everything that is short
    set_cart = await trade.cart((tea, 1))
    with pytest.raises(SoldOut) as of_a_set:
        await trade.place(set_cart.id, declined)
    assert [(line.variant, line.available) for line in of_a_set.value.lines] == [(tea, 0)]
    with pytest.raises(SoldOut):
        await trade.db.transaction(lambda tx: carts.checkout(tx, set_cart.id))
    assert (await carts.view(trade.db, SYSTEM, set_cart.id)).status == "open"

    # What may be sold before it comes, and what an expired hold keeps from nobody, is not gone.
    at = (trade.warehouse.id, kettle)
    await trade.db.transaction(lambda tx: stock.set_level(tx, *at, backorder_limit=5))
    with pytest.raises(SoldOut) as still:
        await trade.place(cart.id)
    assert [line.variant for line in still.value.lines] == [cup]
    slow = await trade.cart((cup, 1))
    await trade.db.transaction(lambda tx: carts.checkout(tx, slow.id))
    with pytest.raises(SoldOut):
        await trade.place(set_cart.id, declined)  # somebody else pays for the cup just now
    await expire(trade, slow.id)
    assert (await trade.place(set_cart.id)).status is OrderStatus.PAID
    await trade.sound()


async def test_two_first_orders_of_a_channel_do_not_wait_for_each_other(trade: Trade) -> None:
    """Who holds the goods would wait for the number of who waits for the goods."""
    number = "SELECT order_number($1)"

    async def second(_: Tx) -> int:
        return await trade.db.transaction(lambda tx: tx.value(number, trade.web.id))

    async def first(tx: Tx) -> tuple[int, int]:
        mine = await tx.value(number, trade.web.id)
        return mine, await asyncio.wait_for(second(tx), 4)

    assert await trade.db.transaction(first) == (1001, 1002)


async def test_a_declined_payment_leaves_nothing_behind(trade: Trade) -> None:
    kettle = await trade.kettle()
    cart = await trade.cart((kettle, 1))
    with pytest.raises(PaymentDeclined) as refused:
        await trade.place(cart.id, PaymentInput(provider="test", token="decline:stolen"))
    assert refused.value.extra["reason"] == "stolen"
    assert await trade.level(kettle) == (10, 0)
    assert (await trade.place(cart.id)).status is OrderStatus.PAID


@pytest.mark.parametrize(("token", "state"), [("pending", "pending"), ("authorize", "authorized")])
async def test_money_that_is_not_there_yet(trade: Trade, token: str, state: str) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    order = await trade.place(cart.id, PaymentInput(provider="test", token=token))
    assert (order.status, order.payment_status, order.paid) == (OrderStatus.PLACED, state, 0)
    await trade.sound()


async def test_other_prices_or_totals_refuse(trade: Trade) -> None:
    kettle = await trade.kettle(19_900)
    cart = await trade.cart((kettle, 1))
    with pytest.raises(TotalChanged) as total:
        await trade.place(cart.id, total=1)
    assert total.value.extra["total"] == 19_900
    await trade.set_price(kettle, 21_900)
    with pytest.raises(PriceChanged) as price:
        await trade.place(cart.id)
    assert price.value.extra["lines"] == [{"variant": str(kettle), "before": 19_900, "now": 21_900}]
    await trade.db.transaction(lambda tx: carts.accept_prices(tx, cart.id))
    assert (await trade.place(cart.id)).total == 21_900


async def test_payments_come_to_the_total(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(10_000), 1))
    with pytest.raises(InvalidInput, match="come to 9000, but 10000 is due"):
        await trade.place(cart.id, PaymentInput(provider="test", amount=9_000))
    two = [PaymentInput(provider="test", amount=4_000), PaymentInput(provider="test")]
    order = await trade.place(cart.id, *two)
    assert [payment.amount for payment in order.payments] == [4_000, 6_000]


async def test_what_is_missing_is_said(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(), 1), delivery="ship")
    with pytest.raises(InvalidInput) as refused:
        await trade.place(cart.id)
    assert {error.field for error in refused.value.errors} == {"email", "address"}


async def test_guests_place_what_is_in_their_own_cart(trade: Trade) -> None:
    kettle = await trade.kettle()
    data = CartInput(channel=trade.web.id, lines=[LineInput(variant=kettle)])
    mine = await trade.db.transaction(lambda tx: carts.create(tx, data), GUEST)
    assert mine.token is not None
    buyer = msgspec.convert(BUYER, carts.DetailsInput)
    await trade.db.transaction(lambda tx: carts.set_details(tx, mine.id, buyer, token=mine.token), GUEST)
    order = PlaceOrder(cart=mine.id, payments=[PaymentInput(provider="test")])
    for wrong in (None, "x" * 43):
        with pytest.raises(NotFound):
            await trade.db.transaction(lambda tx, t=wrong: orders.place(tx, order, token=t), GUEST)
    for forbidden in (
        PlaceOrder(cart=mine.id, payments=[PaymentInput(provider="cash")]),
        PlaceOrder(cart=mine.id, pay_later=True),
    ):
        with pytest.raises(Forbidden):
            await trade.db.transaction(lambda tx, o=forbidden: orders.place(tx, o, token=mine.token), GUEST)
    placed = await trade.db.transaction(lambda tx: orders.place(tx, order, token=mine.token), GUEST)
    assert placed.status is OrderStatus.PAID
    kept = await trade.db.value("SELECT token_hash FROM cart WHERE id = $1", mine.id)
    assert mine.token.encode() not in kept, "only a hash is kept"


async def test_a_stale_version_is_refused(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    order = PlaceOrder(cart=cart.id, payments=[PaymentInput(provider="test")])
    with pytest.raises(Outdated):
        await trade.db.transaction(lambda tx: orders.place(tx, order, version=cart.version - 1))
    await trade.db.transaction(lambda tx: orders.place(tx, order, version=cart.version))


async def test_what_checkout_held_becomes_the_orders(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=1)
    cart, other = await trade.cart((kettle, 1)), await trade.cart((kettle, 1))
    await trade.db.transaction(lambda tx: carts.checkout(tx, cart.id))
    with pytest.raises(SoldOut):
        await trade.place(other.id)
    await trade.set_price(kettle, 99_900)
    order = await trade.place(cart.id)
    assert order.total == 19_900, "the agreed price stands in checkout"
    assert await trade.level(kettle) == (1, 1)
    await trade.sound()


async def test_a_checkout_that_ran_out_takes_anew_or_refuses(trade: Trade) -> None:
    kettle = await trade.kettle(quantity=1)
    slow, quick = await trade.cart((kettle, 1)), await trade.cart((kettle, 1))
    await trade.db.transaction(lambda tx: carts.checkout(tx, slow.id))
    await expire(trade, slow.id)
    assert (await trade.place(quick.id)).status is OrderStatus.PAID
    with pytest.raises(SoldOut):
        await trade.place(slow.id)
    await trade.sound()


WAITS_FOR_A_LOCK = """
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"""


async def test_lines_that_come_while_placing_waits_are_ordered_too(trade: Trade) -> None:
    kettle, filters = await trade.kettle(10_000), await trade.kettle(1_000)
    cart = await trade.cart((kettle, 1))
    added, go = asyncio.Event(), asyncio.Event()

    async def add(tx: Tx) -> None:
        await carts.add_line(tx, cart.id, LineInput(variant=filters))
        added.set()
        await go.wait()

    adding = asyncio.create_task(trade.db.transaction(add))
    await added.wait()
    placing = asyncio.create_task(trade.place(cart.id))
    async with asyncio.timeout(30):
        while not await trade.db.value(WAITS_FOR_A_LOCK):
            await asyncio.sleep(0.01)
    go.set()
    await adding
    assert (await placing).total == 11_000


async def expire(trade: Trade, cart: UUID) -> None:
    await trade.db.rows(
        """WITH h AS (UPDATE hold SET expires_at = now() - interval '1 second' WHERE owner = $1)
           UPDATE cart SET checkout_until = now() - interval '1 second' WHERE id = $1 RETURNING 1""",
        cart,
    )
