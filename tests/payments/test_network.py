"""Providers on the network, whose line is bad: authorised before, claimed by the order, captured after, never twice."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from desk import Desk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fake_bank import FakeBank
from samlad import orders, payments
from samlad.carts import paying
from samlad.channels import cache
from samlad.kernel.database import Database, Tx
from samlad.kernel.listing import ListQuery
from samlad.kernel.problems import Conflict, InvalidInput, Problem
from samlad.orders import AlreadyOrdered, ReturnInput, today
from samlad.payments import NotClaimable, PaymentInput, PaymentPending, StartInput, manual, operations
from samlad.payments.pursuit import pursue
from samlad.payments.service import capture_part
from trade import Trade


@pytest.fixture
def desk(trade: Trade, bank: FakeBank) -> Desk:
    return Desk(trade, bank)


async def test_authorised_before_claimed_in_the_order_captured_after(desk: Desk) -> None:
    cart = await desk.cart()
    begun = await desk.begin(cart.id)
    assert (begun.status, begun.amount, begun.order_id) == ("authorized", 19_900, None)
    order = await desk.place(cart.id, begun)
    assert (order.payment_status, order.paid) == ("authorized", 0)
    assert desk.bank.kept == 0
    await desk.settle()
    order = await desk.order(order.id)
    assert (order.payment_status, order.status, order.paid) == ("paid", "paid", 19_900)
    assert desk.bank.kept == 19_900
    await desk.settle()
    assert desk.bank.calls.count("capture") == 1
    await desk.sound()


async def test_several_tenders_in_one_order_and_the_refund_goes_back_by_the_way_it_came(desk: Desk) -> None:
    cart = await desk.cart()
    card = await desk.begin(cart.id, amount=10_000)
    other = await desk.begin(cart.id, amount=5_000)
    order = await desk.place(cart.id, card, other, more=[PaymentInput(provider="test")])
    await desk.settle()
    assert (await desk.order(order.id)).paid == 19_900
    assert desk.bank.kept == 15_000
    await desk.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    back = await desk.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    assert back.total == -19_900
    shown = await desk.order(order.id)
    assert sorted(r.status for r in shown.refunds) == ["done", "pending", "pending"]
    await desk.settle()
    assert [r.status for r in (await desk.order(order.id)).refunds] == ["done"] * 3
    assert desk.bank.kept == 0
    await desk.sound()


@pytest.mark.parametrize("step", ["lost", "deaf", "slow"])
async def test_a_provider_that_is_silent_leaves_it_pending_and_the_reconciler_closes_the_gap(
    desk: Desk, step: str
) -> None:
    cart = await desk.cart()
    desk.bank.plan.extend([step, "lost"])
    begun = await desk.begin(cart.id)
    assert begun.status == "pending"
    with pytest.raises(PaymentPending):
        await desk.place(cart.id, begun)
    await desk.settle()
    assert (await desk.look(cart.id, begun.id)).status == "authorized"
    order = await desk.place(cart.id, begun)
    desk.bank.plan.extend([step, step, "lost"])
    await desk.settle()
    assert (await desk.order(order.id)).payment_status == "paid"
    desk.bank.plan.extend(["deaf", "lost"])
    await desk.cancel(order.id)
    assert (await desk.order(order.id)).refunds[0].status == "pending"
    await desk.settle()
    assert desk.bank.kept == desk.bank.reserved == 0
    await desk.sound()


async def test_what_no_order_claims_is_let_go(desk: Desk) -> None:
    cart = await desk.cart()
    kept, waiting, never = [await desk.begin(cart.id, token, amount=100) for token in ("ok", "3ds", "ok")]
    desk.bank.plan.append("deaf")  # the bank has it, and we never heard so
    unheard = await desk.begin(cart.id, amount=100)
    assert unheard.reference is None
    left = await desk.db.transaction(lambda tx: paying.let_go(tx, cart.id, never.id))
    assert left.status == "voided"
    assert desk.bank.reserved == 300
    await desk.settle()
    assert desk.bank.reserved == 200
    await desk.expire()
    await desk.settle()
    assert desk.bank.reserved == 0
    states = {each.id: each.status for each in await payments.begun(desk.db, cart.id)}
    assert set(states.values()) == {"voided"}
    assert {kept.id, waiting.id, never.id, unheard.id} == set(states)
    with pytest.raises(NotClaimable):
        await desk.place(cart.id, kept, more=[PaymentInput(provider="test")])
    await desk.sound()


async def test_placing_that_fails_leaves_the_money_for_the_next_try(desk: Desk) -> None:
    cart = await desk.cart()
    begun = await desk.begin(cart.id)
    with pytest.raises(Problem):
        await desk.place(cart.id, begun, total=1)
    order = await desk.place(cart.id, begun)
    await desk.settle()
    assert (await desk.order(order.id)).payment_status == "paid"


async def test_a_payment_pays_one_order_whoever_tries_at_once(desk: Desk) -> None:
    cart, other = await desk.cart(), await desk.cart()
    begun = await desk.begin(cart.id)
    with pytest.raises(InvalidInput):
        await desk.place(other.id, begun)
    answers = await asyncio.gather(*(desk.place(cart.id, begun) for _ in range(4)), return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in answers) == 1
    assert all(isinstance(each, AlreadyOrdered) for each in answers if isinstance(each, Exception))
    await desk.settle()
    assert desk.bank.kept == 19_900
    await desk.sound()


async def test_claim_and_let_go_at_once_end_in_one_of_the_two(desk: Desk) -> None:
    for _ in range(5):
        cart = await desk.cart()
        begun = await desk.begin(cart.id)
        placed, _ = await asyncio.gather(
            desk.place(cart.id, begun),
            desk.db.transaction(lambda tx, c=cart.id, b=begun.id: paying.let_go(tx, c, b)),
            return_exceptions=True,
        )
        await desk.settle()
        assert not isinstance(placed, Exception) or isinstance(placed, NotClaimable)
        assert desk.bank.accounts[begun.id].kept == (0 if isinstance(placed, Exception) else 19_900)
    assert desk.bank.reserved == 0
    await desk.sound()


async def test_cancelled_while_it_is_captured(desk: Desk) -> None:
    cart = await desk.cart()
    begun = await desk.begin(cart.id)
    order = await desk.place(cart.id, begun)
    desk.bank.plan.append("deaf")  # captured, unheard
    [capture] = await operations.open_of(desk.db, begun.id)
    assert await pursue(desk.db, capture) is None
    cancelled = await desk.cancel(order.id)
    assert cancelled.refunded == 0
    await desk.settle()
    order = await desk.order(order.id)
    assert (order.status, order.paid, order.refunded) == ("cancelled", 19_900, 19_900)
    assert desk.bank.kept == 0
    await desk.sound()


async def test_cancelled_before_anybody_captured(desk: Desk) -> None:
    cart = await desk.cart()
    begun = await desk.begin(cart.id)
    order = await desk.place(cart.id, begun)
    await desk.cancel(order.id)
    await desk.settle()
    assert "capture" not in desk.bank.calls
    assert desk.bank.reserved == desk.bank.kept == 0
    assert (await desk.order(order.id)).payments[0].status == "voided"
    await desk.sound()


async def test_a_part_is_captured_and_the_rest_is_let_go(trade: Trade, bank: FakeBank) -> None:
    await trade.db.rows(
        "UPDATE channel SET settings = settings || '{\"payment_capture\": \"manual\"}' WHERE code = 'web' RETURNING 1"
    )
    cache.forget()
    desk = Desk(trade, bank)
    cart = await desk.cart()
    begun = await desk.begin(cart.id)
    order = await desk.place(cart.id, begun)
    await desk.settle()
    assert (await desk.order(order.id)).payment_status == "authorized"
    await desk.db.transaction(lambda tx: capture_part(tx, begun.id, 5_000))
    with pytest.raises(InvalidInput):
        await desk.db.transaction(lambda tx: capture_part(tx, begun.id, 5_000))
    await desk.settle()
    shown = await desk.order(order.id)
    assert (shown.paid, shown.payment_status, shown.payments[0].captured) == (5_000, "unpaid", 5_000)
    paid = orders.PayInput(payments=[PaymentInput(provider="test")])
    shown = await desk.db.transaction(lambda tx: orders.pay(tx, order.id, paid))
    assert (shown.paid, shown.payment_status) == (19_900, "paid")
    await desk.sound()


async def test_the_order_is_placed_though_the_browser_never_came_back(desk: Desk) -> None:
    cart = await desk.cart()
    begun = await desk.begin(cart.id, "3ds", place=True)
    assert begun.action is not None
    desk.bank.customer(begun.id, "confirm")
    await desk.settle()
    shown = await desk.look(cart.id, begun.id)
    assert shown.order_id is not None
    await desk.settle()
    assert (await desk.order(shown.order_id)).payment_status == "paid"
    with pytest.raises(AlreadyOrdered):
        await desk.place(cart.id, begun)
    await desk.sound()


async def test_what_cannot_be_placed_for_a_customer_is_given_back(desk: Desk) -> None:
    variant = await desk.trade.kettle(quantity=1)
    first, second = await desk.trade.cart((variant, 1)), await desk.trade.cart((variant, 1))
    begun = await desk.begin(first.id, "3ds", place=True)
    await desk.trade.place(second.id)
    desk.bank.customer(begun.id, "confirm")
    await desk.settle()
    await desk.settle()
    assert (await desk.look(first.id, begun.id)).status == "voided"
    assert desk.bank.reserved == 0
    await desk.sound()


async def test_no_more_than_the_cart_comes_to_can_be_begun(desk: Desk) -> None:
    cart = await desk.cart()
    await desk.begin(cart.id, amount=19_000)
    with pytest.raises(InvalidInput, match="900"):
        await desk.begin(cart.id, amount=901)
    await desk.begin(cart.id, "decline", amount=900)
    for _ in range(18):
        await desk.begin(cart.id, "decline", amount=900)
    with pytest.raises(Conflict):
        await desk.begin(cart.id, "decline", amount=900)


async def test_a_provider_that_the_channel_does_not_offer(desk: Desk) -> None:
    store = await desk.trade.cart(
        (await desk.trade.kettle(at=desk.trade.at_malmo), 1), channel=desk.trade.malmo
    )
    await desk.db.rows(
        "UPDATE channel SET settings = '{\"payment_providers\": [\"cash\"]}' WHERE code = 'malmo' RETURNING 1"
    )
    cache.forget()
    with pytest.raises(InvalidInput, match="does not offer"):
        await desk.begin(store.id)
    with pytest.raises(InvalidInput, match="does not offer"):
        await desk.trade.place(store.id)


# -- the process dies between any two steps ----------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone: nothing of it runs on."""


async def life(desk: Desk, *, cancels: bool) -> None:
    """All that one process does for an order, from the first click to the money's way back."""
    cart = await desk.cart()
    data = StartInput(provider="fakebank", token="ok")
    begun = await desk.db.transaction(lambda tx: paying.begin(tx, cart.id, data))
    await payments.pursue_payment(desk.db, begun.id)
    order = await desk.place(cart.id, begun)
    for operation in await operations.open_of(desk.db, begun.id):
        await pursue(desk.db, operation)
    if cancels:
        await desk.cancel(order.id)
        for operation in await operations.open_of(desk.db, begun.id):
            await pursue(desk.db, operation)


@pytest.mark.parametrize("cancels", [False, True])
async def test_killed_between_any_two_steps(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, cancels: bool
) -> None:
    """Every transaction and every call of the provider is a step; the process dies before and after each of them."""
    real = {"transaction": Database.transaction, "begin": FakeBank._begin, "end": FakeBank._end}
    count, dies_at = 0, -1

    def step() -> None:
        nonlocal count
        count += 1
        if count == dies_at:
            raise Killed

    async def transaction(self: Database, *args: object, **kwargs: object) -> object:
        step()
        result = await real["transaction"](self, *args, **kwargs)
        step()
        return result

    def begin(self: FakeBank, what: str) -> str:
        step()
        return real["begin"](self, what)

    def end(self: FakeBank, *args: object) -> object:
        step()
        return real["end"](self, *args)

    async def run(at: int) -> bool:
        nonlocal count, dies_at
        count, dies_at = 0, at
        with monkeypatch.context() as patch:
            patch.setattr(Database, "transaction", transaction)
            patch.setattr(FakeBank, "_begin", begin)
            patch.setattr(FakeBank, "_end", end)
            try:
                await life(desk, cancels=cancels)
            except Killed:
                return False
        return True

    at = 5  # before that there is only the making of the cart
    while not await run(at):
        at += 1
        await desk.expire()
        await desk.settle()
        placed = await desk.db.row(
            "SELECT id, status, paid, refunded FROM orders ORDER BY placed_at DESC, id DESC LIMIT 1"
        )
        kept = sum(
            row["paid"] - row["refunded"] for row in await desk.db.rows("SELECT paid, refunded FROM orders")
        )
        assert desk.bank.kept == kept, f"step {at}: {placed}"
        assert desk.bank.reserved == 0, f"step {at}"
        hanging = await desk.db.value("SELECT count(*) FROM payment_operation WHERE status = 'open'")
        assert hanging == 0, f"step {at}"
    assert at > 20
    await desk.settle()
    unpaid = "SELECT count(*) FROM orders WHERE status <> 'cancelled' AND payment_status <> 'paid'"
    assert await desk.db.value(unpaid) == 0
    await desk.sound()


# -- whatever happens, in any order ------------------------------------------------------------------------------------

acts = st.sampled_from(
    [
        "begin",
        "begin-3ds",
        "begin-declined",
        "confirm",
        "fail",
        "look",
        "place",
        "let-go",
        "cancel",
        "sweep",
        "expire",
    ]
)
lines = st.sampled_from(["ok", "lost", "deaf", "slow"])


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.tuples(acts, st.lists(lines, max_size=3)), min_size=3, max_size=14))
async def test_money_in_is_money_out_whatever_happens(desk: Desk, story: list[tuple[str, list[str]]]) -> None:
    cart = await desk.cart()
    begun: list[payments.Attempt] = []
    order: orders.Order | None = None
    for act, line in story:
        desk.bank.plan.clear()
        desk.bank.plan.extend(line)
        try:
            if act.startswith("begin"):
                token = {"begin": "ok", "begin-3ds": "3ds", "begin-declined": "decline"}[act]
                begun.append(await desk.begin(cart.id, token))
            elif act in ("confirm", "fail") and begun and begun[-1].id in desk.bank.accounts:
                desk.bank.customer(begun[-1].id, act)
            elif act == "look" and begun:
                begun[-1] = await desk.look(cart.id, begun[-1].id)
            elif act == "place" and begun and order is None:
                order = await desk.place(cart.id, begun[-1])
            elif act == "let-go" and begun:
                await desk.db.transaction(lambda tx, b=begun[-1].id: paying.let_go(tx, cart.id, b))
            elif act == "cancel" and order is not None:
                await desk.cancel(order.id)
            elif act == "sweep":
                await desk.settle()
            elif act == "expire":
                await desk.expire()
        except Problem:
            pass
    desk.bank.plan.clear()
    await desk.expire()
    await desk.settle()
    await desk.settle()
    assert desk.bank.reserved == 0
    kept = sum(desk.bank.accounts[b.id].kept for b in begun if b.id in desk.bank.accounts)
    if order is None:
        assert kept == 0
    else:
        now = await desk.order(order.id)
        assert kept == now.paid - now.refunded == (0 if now.status == "cancelled" else now.total)
    await desk.sound()


async def test_an_operation_that_is_unknown_asks_nobody(db: Database, bank: FakeBank) -> None:
    assert await pursue(db, uuid4()) is None
    assert bank.calls == []

    async def nothing(tx: Tx) -> None:
        await operations.hurry(tx, uuid4())

    await db.transaction(nothing)


async def test_money_that_the_provider_refused_to_give_back_is_asked_for_once_more(
    desk: Desk, api_as: Any
) -> None:
    cart = await desk.cart()
    order = await desk.place(cart.id, await desk.begin(cart.id))
    await desk.settle()
    [payment] = (await desk.order(order.id)).payments
    account = desk.bank.accounts[payment.id]
    account.captured = 0  # its account is empty at this moment
    await desk.cancel(order.id)
    await desk.settle()
    account.captured = payment.amount
    [failed] = (await desk.order(order.id)).refunds
    assert (failed.status, (await desk.order(order.id)).refunded) == ("failed", 0)
    waiting = await today.waiting(desk.db, None)
    assert waiting.not_refunded == 1
    query = ListQuery(filters={"not_refunded": "true"})
    assert [row.id for row in (await orders.LISTING.page(desk.db, query)).items] == [order.id]
    here = f"/admin/orders/{order.id}"
    async with api_as(accept="text/html", **{"accept-language": "en"}) as owner:
        assert "Ask the provider once more" in (await owner.get(here)).text
        asked = await owner.post(f"{here}/refund-again", data={"refund": str(failed.id)})
        assert asked.headers["location"] == here
        assert "Ask the provider once more" not in (await owner.get(here)).text
    done = await asyncio.gather(
        *(desk.db.transaction(lambda tx: manual.try_again(tx, failed.id)) for _ in range(3))
    )
    assert len({each.id for each in done}) == 1
    await desk.settle()
    after = await desk.order(order.id)
    assert sorted(each.status for each in after.refunds) == ["done", "failed"]
    assert (after.refunded, after.payment_status) == (payment.amount, "refunded")
    with pytest.raises(InvalidInput):
        await desk.db.transaction(lambda tx: manual.try_again(tx, done[0].id))
    assert (await today.waiting(desk.db, None)).not_refunded == 0
    assert desk.bank.kept == 0
    await desk.sound()
    await desk.trade.agree()
