"""A gift card, store credit or points together with a provider on the network: held, authorised, then placed; or nothing."""

import asyncio
from uuid import UUID

import pytest
from desk import Desk

from fake_bank import FakeBank
from samlad import credit, customers, orders
from samlad.carts import paying
from samlad.channels import Resource
from samlad.credit import GrantInput, IssueInput, PointsInput, ProgrammeInput, Reward
from samlad.customers import PersonInput
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput, Problem
from samlad.orders import ReturnInput
from samlad.payments import Attempt, NotClaimable, PaymentDeclined, StartInput
from trade import Trade


@pytest.fixture
def desk(trade: Trade, bank: FakeBank) -> Desk:
    return Desk(trade, bank)


async def card_with(trade: Trade, amount: int) -> str:
    data = IssueInput(channel=trade.web.id, amount=amount, note="Hello")
    return (await trade.db.transaction(lambda tx: credit.issue(tx, data))).code


async def left_on(trade: Trade, code: str) -> int:
    return (await credit.usable(trade.db, code, trade.web)).available


async def both(desk: Desk, cart: UUID, code: str, token: str) -> tuple[Attempt, Attempt]:
    """The card holds 100 kronor, the bank is asked for the rest; in one transaction."""

    async def work(tx: Tx) -> tuple[Attempt, Attempt]:
        held = await paying.begin(tx, cart, StartInput(provider="gift_card", token=code, amount=10_000))
        rest = await paying.begin(tx, cart, StartInput(provider="fakebank", token=token, place=True))
        return held, rest

    return await desk.db.transaction(work)


async def test_a_card_is_held_the_bank_reserves_and_the_order_takes_both(desk: Desk) -> None:
    code, cart = await card_with(desk.trade, 15_000), await desk.cart()
    held, rest = await both(desk, cart.id, code, "ok")
    assert (held.status, rest.status, rest.amount) == ("authorized", "pending", 9_900)
    assert await left_on(desk.trade, code) == 5_000  # nobody else spends it meanwhile
    rest = await desk.look(cart.id, rest.id)
    order = await desk.place(cart.id, held, rest)
    assert sorted((p.provider, p.status, p.captured) for p in order.payments) == [
        ("fakebank", "authorized", 0),
        ("gift_card", "captured", 10_000),
    ]
    await desk.settle()
    assert (await desk.order(order.id)).payment_status == "paid"
    assert desk.bank.kept == 9_900
    await desk.sound()
    await desk.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    await desk.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    await desk.settle()
    assert (desk.bank.kept, await left_on(desk.trade, code)) == (0, 15_000)
    await desk.sound()


@pytest.mark.parametrize("end", ["decline", "expire", "leave"])
async def test_a_rest_that_fails_leaves_nothing_half_done(desk: Desk, end: str) -> None:
    code, cart = await card_with(desk.trade, 10_000), await desk.cart()
    held, rest = await both(desk, cart.id, code, "decline" if end == "decline" else "3ds")
    await desk.look(cart.id, rest.id)
    if end == "leave":  # they choose another way for the rest: the card still pays its part
        await desk.db.transaction(lambda tx: paying.let_go(tx, cart.id, rest.id))
        await desk.settle()
        assert await left_on(desk.trade, code) == 0
        await desk.db.transaction(lambda tx: paying.let_go(tx, cart.id, held.id))
        await desk.db.transaction(lambda tx: paying.let_go(tx, cart.id, held.id))  # pressed twice
    if end == "expire":
        await desk.expire()
        await desk.settle()
    assert await left_on(desk.trade, code) == 10_000
    with pytest.raises(NotClaimable):
        await desk.place(cart.id, held)
    assert desk.bank.reserved == desk.bank.kept == 0
    assert await desk.db.value("SELECT count(*) FROM orders") == 0
    await desk.sound()


async def test_a_silent_bank_and_a_late_word_place_the_order_once(desk: Desk) -> None:
    code, cart = await card_with(desk.trade, 10_000), await desk.cart()
    desk.bank.plan.extend(["deaf", "lost"])
    held, rest = await both(desk, cart.id, code, "3ds")
    assert (await desk.look(cart.id, rest.id)).status == "pending"
    desk.bank.customer(rest.id, "confirm")  # the browser is gone; the bank tells later
    await desk.settle()
    await desk.settle()
    [order] = await desk.db.rows("SELECT id FROM orders")
    paid = await desk.order(order["id"])
    assert (paid.payment_status, paid.paid, desk.bank.kept) == ("paid", 19_900, 9_900)
    assert await left_on(desk.trade, code) == 0
    assert {held.id, rest.id} == {p.id for p in paid.payments}
    await desk.sound()


async def test_an_order_that_cannot_be_placed_lets_all_of_it_go(desk: Desk) -> None:
    code, cart = await card_with(desk.trade, 10_000), await desk.cart()
    _, rest = await both(desk, cart.id, code, "3ds")
    await desk.look(cart.id, rest.id)
    await desk.trade.set_price(cart.lines[0].variant, 29_900)  # more than both pay
    desk.bank.customer(rest.id, "confirm")
    await desk.settle()
    assert await desk.db.value("SELECT count(*) FROM orders") == 0
    assert (desk.bank.kept, desk.bank.reserved, await left_on(desk.trade, code)) == (0, 0, 10_000)
    await desk.sound()


async def test_two_carts_at_once_never_spend_a_card_twice(desk: Desk) -> None:
    code = await card_with(desk.trade, 10_000)
    carts_ = [await desk.cart() for _ in range(4)]
    answers = await asyncio.gather(
        *(both(desk, cart.id, code, "ok") for cart in carts_), return_exceptions=True
    )
    won = [each for each in answers if not isinstance(each, BaseException)]
    assert len(won) == 1
    assert all(isinstance(each, PaymentDeclined) for each in answers if isinstance(each, BaseException))
    with pytest.raises(InvalidInput):  # more than the cart comes to
        await desk.begin(carts_[0].id, code, "gift_card", amount=20_000)
    with pytest.raises(Problem):
        await desk.begin(carts_[0].id, "KX4T-9PZC-M2HE-77QA-41", "gift_card", amount=100)


async def test_a_member_pays_with_their_card_credit_and_points(desk: Desk) -> None:
    db, trade = desk.db, desk.trade
    pool = trade.web.pools[Resource.CUSTOMERS]
    reward = Reward(code="fifty", name="50 kr", points=500, amount=5_000, currency="SEK")
    programme = ProgrammeInput(channel=trade.web.id, name="Club", rewards=[reward])

    async def prepare(tx: Tx) -> UUID:
        await credit.set_programme(tx, programme)
        person = PersonInput(email="kim@example.org")
        kim = (await customers.find_or_create(tx, pool, person, channel=trade.web.id)).id
        await credit.enrol(tx, kim)
        await credit.adjust(tx, kim, PointsInput(points=1_200, reason="Hello"))
        await credit.grant(tx, kim, GrantInput(amount=3_000, currency="SEK", reason="Sorry"))
        await credit.issue(tx, IssueInput(channel=trade.web.id, amount=4_000, customer=kim, note="Hi"))
        return kim

    kim = await db.transaction(prepare)
    card = await db.value("SELECT id FROM gift_card")
    acting = Context(actor=Actor(kind="customer", id=kim), channel=trade.web.id)
    stranger = Context(actor=Actor(kind="customer", id=card), channel=trade.web.id)
    cart = await desk.cart()
    await db.rows("UPDATE cart SET customer = $1 RETURNING 1", kim)
    own = {
        "card": StartInput(provider="gift_card", token=f"card:{card}", amount=4_000),
        "credit": StartInput(provider="store_credit", amount=3_000),
        "points": StartInput(provider="store_credit", token="points:fifty:2", amount=9_000),
    }

    async def begin(tx: Tx) -> list[Attempt]:
        return [await paying.begin(tx, cart.id, each) for each in own.values()]

    with_id = credit.hold_own_card
    assert await db.transaction(lambda tx: with_id(tx, new_id(), card, 100, "SEK"), stranger) is None
    for token in ("points:fifty:3", "points:none:1", "points:fifty:0", "points:fifty:x"):
        with pytest.raises(PaymentDeclined):
            await db.transaction(
                lambda tx, token=token: paying.begin(
                    tx, cart.id, StartInput(provider="store_credit", token=token, amount=100)
                ),
                acting,
            )
    held = await db.transaction(begin, acting)
    assert [each.status for each in held] == ["authorized"] * 3
    rest = await desk.begin(cart.id, "ok")
    assert rest.amount == 19_900 - 16_000
    view = await credit.view(db, kim)
    assert view is not None
    assert view.points == 1_200  # they are held, not spent
    with pytest.raises(Problem):
        await db.transaction(
            lambda tx: credit.redeem(tx, kim, credit.RedeemInput(reward="fifty", channel=trade.web.id))
        )
    order = await desk.place(cart.id, *held, rest)
    await desk.settle()
    assert (await desk.order(order.id)).payment_status == "paid"
    view = await credit.view(db, kim)
    assert view is not None
    assert view.points == 200
    [balance] = await credit.of_customer(db, kim)
    assert balance.available == 1_000  # two rewards of 50 kronor paid 90
    await desk.sound()
