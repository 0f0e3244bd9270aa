"""Gift cards: issued, paid for, redeemed in parts, given back, lost, expired; and their codes in nobody's log."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from credit_shop import balance_of, books_are_sound, by_card, given, person

from samlad import channels, credit, orders, payments
from samlad.channels import ChannelInput, ChannelKind
from samlad.credit import (
    CardState,
    CardStatus,
    CardUnusable,
    IssueInput,
    Origin,
    TopUpInput,
    codes,
    gift_cards,
)
from samlad.credit.book import house_balance
from samlad.credit.model import AccountKind
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, Forbidden, InvalidInput, Problem, TooMany
from samlad.orders import CancelInput, PayInput, ReturnInput
from samlad.payments import PaymentDeclined, PaymentInput, PaymentStatus
from trade import GUEST, Trade


async def test_a_card_pays_in_parts_together_with_others(trade: Trade) -> None:
    first, second = await given(trade, 10_000), await given(trade, 3_000)
    kettle = await trade.kettle(19_900)
    cart = await trade.cart((kettle, 1))
    order = await trade.place(
        cart.id, by_card(first.code, 9_000), by_card(second.code, 3_000), PaymentInput(provider="test")
    )
    assert order.payment_status == "paid"
    assert [payment.amount for payment in order.payments] == [9_000, 3_000, 7_900]
    assert await balance_of(trade.db, first.card.id) == (1_000, 0)
    assert await balance_of(trade.db, second.card.id) == (0, 0)
    assert order.payments[0].reference == f"{order.payments[0].id}:{first.card.last_four}"
    await books_are_sound(trade.db)
    await trade.sound()


@pytest.mark.parametrize("what", ["empty", "blocked", "expired", "unknown", "waiting", "currency"])
async def test_a_card_that_cannot_pay_is_declined_with_one_answer(trade: Trade, what: str) -> None:
    order = None
    if what == "waiting":
        order = (await trade.buy((await trade.kettle(500), 1), pay_later=True)).id
    made = await given(trade, 10_000 if what == "empty" else 90_000, order=order)
    code = codes.written(codes.new_card_code()) if what == "unknown" else made.code
    if what == "blocked":
        await trade.db.transaction(lambda tx: credit.block(tx, made.card.id, "lost"))
    if what == "expired":
        await _expire(trade.db)
    if what == "currency":
        await trade.db.rows("UPDATE gift_card SET currency = 'EUR' RETURNING 1")
    cart = await trade.cart((await trade.kettle(19_900), 1))
    with pytest.raises(PaymentDeclined) as refused:
        await trade.place(cart.id, by_card(code))
    assert refused.value.extra["reason"] == "not-enough-or-unusable"
    assert await trade.db.value("SELECT count(*) FROM credit_hold") == 0
    if what != "empty":
        with pytest.raises(CardUnusable) as hidden:
            await credit.usable(trade.db, code, trade.web)
        assert hidden.value.detail == "Look at the code once more, or ask us."


async def test_a_card_of_another_shop_does_not_pay_here(trade: Trade) -> None:
    async def alone(tx: Tx) -> channels.Channel:
        data = ChannelInput(code="alone", name="Alone", kind=ChannelKind.WEBSHOP, parent="web")
        return await channels.create(tx, data)

    made = await given(trade, 50_000, channel=await trade.db.transaction(alone))
    kettle = await trade.kettle(19_900)
    cart = await trade.cart((kettle, 1))
    with pytest.raises(PaymentDeclined):
        await trade.place(cart.id, by_card(made.code))
    assert await balance_of(trade.db, made.card.id) == (50_000, 0)
    assert await trade.level(kettle) == (10, 0)
    with pytest.raises(CardUnusable):
        await credit.usable(trade.db, made.code, trade.web)


async def test_a_hundred_at_once_never_take_more_than_there_is(trade: Trade) -> None:
    made = await given(trade, 10_000)

    async def pay(tx: Tx) -> bool:
        held = await credit.hold_card(tx, payment := new_id(), made.code, 300, "SEK")
        return held is not None and await credit.capture(tx, payment, 300)

    paid = await asyncio.gather(*(trade.db.transaction(pay) for _ in range(100)))
    assert sum(paid) == 33
    assert await balance_of(trade.db, made.card.id) == (100, 0)
    pool = made.card.pool
    assert await house_balance(trade.db, pool, AccountKind.REDEEMED, "SEK") == 9_900
    await books_are_sound(trade.db)


async def test_paying_with_a_card_takes_three_statements(trade: Trade) -> None:
    made = await given(trade, 10_000)

    async def pay(tx: Tx) -> int:
        assert await credit.hold_card(tx, payment := new_id(), made.code, 300, "SEK")
        assert await credit.capture(tx, payment, 300)
        return tx.statements

    assert await trade.db.transaction(pay) <= 3


async def test_orders_that_race_for_one_card_pay_once(trade: Trade) -> None:
    made = await given(trade, 20_000)
    kettle = await trade.kettle(19_900)
    carts = [await trade.cart((kettle, 1)) for _ in range(4)]
    results = await asyncio.gather(
        *(trade.place(cart.id, by_card(made.code)) for cart in carts), return_exceptions=True
    )
    assert sum(isinstance(result, PaymentDeclined) for result in results) == 3, results
    assert await balance_of(trade.db, made.card.id) == (100, 0)
    assert await trade.level(kettle) == (10, 1)
    await books_are_sound(trade.db)


async def test_what_is_held_is_captured_or_let_go(trade: Trade) -> None:
    made = await given(trade, 50_000)
    kettle = await trade.kettle(19_900)
    first, second = [
        await trade.place((await trade.cart((kettle, 1))).id, by_card(made.code, hold=True)) for _ in range(2)
    ]
    assert first.payment_status == "authorized"
    assert await balance_of(trade.db, made.card.id) == (50_000, 39_800)
    with pytest.raises(PaymentDeclined):
        await trade.place((await trade.cart((kettle, 1))).id, by_card(made.code))
    await trade.db.transaction(lambda tx: orders.capture(tx, first.id))
    await trade.db.transaction(lambda tx: orders.cancel(tx, second.id, CancelInput()))
    assert await balance_of(trade.db, made.card.id) == (30_100, 0)
    await books_are_sound(trade.db)
    await trade.sound()


async def test_capture_void_and_refund_count_once(trade: Trade) -> None:
    made, payment, refund = await given(trade, 1_000), new_id(), new_id()
    run = trade.db.transaction
    await run(lambda tx: credit.hold_card(tx, payment, made.code, 800, "SEK"))
    assert await run(lambda tx: credit.capture(tx, payment, 600)), "a part; the rest is free again"
    assert await run(lambda tx: credit.capture(tx, payment, 600))
    assert await balance_of(trade.db, made.card.id) == (400, 0)
    for _ in range(2):
        assert await run(lambda tx: credit.refund(tx, payment, refund, 250))
        assert await balance_of(trade.db, made.card.id) == (650, 0)
    assert not await run(lambda tx: credit.refund(tx, payment, new_id(), 351)), "more than was taken"
    for _ in range(2):
        await run(lambda tx: credit.void(tx, payment))
        assert await balance_of(trade.db, made.card.id) == (1_000, 0)
    assert not await run(lambda tx: credit.refund(tx, payment, new_id(), 1))
    assert not await run(lambda tx: credit.capture(tx, new_id(), 1))
    await books_are_sound(trade.db)


async def test_money_goes_back_to_the_card_it_came_from(trade: Trade) -> None:
    made = await given(trade, 15_000)
    order = await trade.place(
        (await trade.cart((await trade.kettle(10_000), 2))).id,
        by_card(made.code, 15_000),
        PaymentInput(provider="test"),
    )
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    one = ReturnInput(lines=[orders.LineSelection(position=1, quantity=1)])
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, one))
    assert await balance_of(trade.db, made.card.id) == (5_000, 0), "the latest payment first: 5,000 by test"
    await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    assert await balance_of(trade.db, made.card.id) == (15_000, 0)
    await books_are_sound(trade.db)
    await trade.sound()


async def test_a_lost_card_gets_a_new_code_and_refunds_follow_it(trade: Trade) -> None:
    made = await given(trade, 30_000)
    order = await trade.place((await trade.cart((await trade.kettle(10_000), 1))).id, by_card(made.code))
    await trade.db.transaction(lambda tx: credit.block(tx, made.card.id, "lost"))
    new = await trade.db.transaction(lambda tx: credit.replace(tx, made.card.id, "lost"))
    assert new.code != made.code
    assert new.card.expires_on == made.card.expires_on
    assert await balance_of(trade.db, new.card.id) == (20_000, 0)
    assert await balance_of(trade.db, made.card.id) == (0, 0)
    with pytest.raises(CardState):
        await trade.db.transaction(lambda tx: credit.replace(tx, made.card.id))
    with pytest.raises(CardState):
        await trade.db.transaction(lambda tx: credit.unblock(tx, made.card.id))
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    assert await balance_of(trade.db, new.card.id) == (30_000, 0)
    with pytest.raises(CardUnusable):
        await credit.usable(trade.db, made.code, trade.web)
    await books_are_sound(trade.db)


async def test_what_a_lost_card_still_held_is_the_new_ones(trade: Trade) -> None:
    made = await given(trade, 30_000)
    kettle = await trade.kettle(10_000)
    order = await trade.place((await trade.cart((kettle, 1))).id, by_card(made.code, hold=True))
    new = await trade.db.transaction(lambda tx: credit.replace(tx, made.card.id, "lost"))
    assert await balance_of(trade.db, new.card.id) == (20_000, 0)
    assert await balance_of(trade.db, made.card.id) == (10_000, 10_000)
    await _expire(trade.db)
    await gift_cards.sweep(trade.db)
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    assert await balance_of(trade.db, made.card.id) == (0, 0)
    assert (await credit.usable(trade.db, new.code, trade.web)).available == 10_000
    await books_are_sound(trade.db)


async def test_a_card_that_is_sold_pays_once_its_order_is_paid(trade: Trade) -> None:
    order = await trade.buy((await trade.kettle(50_000), 1), pay_later=True)
    made = await given(trade, 50_000, order=order.id)
    assert made.card.status is CardStatus.WAITING
    await trade.follow()
    assert (await credit.get(trade.db, made.card.id)).available == 0
    await trade.db.transaction(
        lambda tx: orders.pay(tx, order.id, PayInput(payments=[PaymentInput(provider="test")]))
    )
    await trade.follow()
    await trade.db.rows("UPDATE follower SET xid = 0, seq = 0 RETURNING 1")
    await trade.follow()
    card = await credit.get(trade.db, made.card.id)
    assert (card.status, card.available, card.origin) == (CardStatus.ACTIVE, 50_000, Origin.SOLD)
    more = TopUpInput(amount=1_000, order=order.id, key=new_id())
    for _ in range(2):
        card = await trade.db.transaction(lambda tx: credit.top_up(tx, made.card.id, more))
        assert card.available == 51_000, "the order is paid already: at once, and once"
    await trade.place((await trade.cart((await trade.kettle(40_000), 1))).id, by_card(made.code))
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    await trade.follow()
    card = await credit.get(trade.db, made.card.id)
    assert (card.status, card.balance) == (CardStatus.CANCELLED, 0)
    spent = await trade.db.value(
        "SELECT sum((payload->>'spent')::int) FROM event WHERE type = 'gift_card.cancelled'"
    )
    assert spent == 40_000, "what was spent is told openly"
    await books_are_sound(trade.db)


async def test_a_card_expires_by_the_rule_of_its_issuer(db: Database, trade: Trade) -> None:
    change = channels.ChannelChange(settings={"gift_card_months": 24})
    web = await db.transaction(lambda tx: channels.change(tx, trade.web.id, change))
    made = await given(trade, 10_000)
    assert made.card.expires_on is not None
    assert 700 < (made.card.expires_on - now().date()).days < 740
    order = await trade.place((await trade.cart((await trade.kettle(4_000), 1))).id, by_card(made.code))
    assert await gift_cards.sweep(db) == 0
    await _expire(db)
    with pytest.raises(CardUnusable):
        await credit.usable(db, made.code, web)
    assert await gift_cards.sweep(db) == 1
    assert await gift_cards.sweep(db) == 0
    assert await balance_of(db, made.card.id) == (0, 0)
    assert await house_balance(db, made.card.pool, AccountKind.EXPIRED, "SEK") == 6_000
    await db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    card = await credit.usable(db, made.code, web)
    assert card.available == 4_000
    assert card.expires_on is not None
    assert 88 <= (card.expires_on - now().date()).days <= 91, "money that goes back can be spent"
    await books_are_sound(db)


async def _expire(db: Database) -> None:
    await db.rows(
        "UPDATE gift_card SET expires_at = $1, expires_on = $2 RETURNING 1",
        now() - timedelta(seconds=1),
        now().date(),
    )


async def test_the_book_cannot_be_changed_past_its_entries(trade: Trade) -> None:
    made = await given(trade, 10_000)
    for sql in (
        "UPDATE credit_account SET balance = balance + 1",
        "UPDATE credit_account SET held = 0",
        "DELETE FROM credit_account",
        "INSERT INTO credit_account (pool, kind, unit, holder, balance) SELECT pool, kind, 'EUR', holder, 5 FROM credit_account",
        "UPDATE credit_entry SET amount = amount * 2",
        "DELETE FROM credit_entry",
        "TRUNCATE credit_entry",
        "DELETE FROM credit_transaction",
        "INSERT INTO credit_entry (transaction, account, amount) SELECT transaction, account, 5 FROM credit_entry LIMIT 1",
    ):
        with pytest.raises(asyncpg.PostgresError):
            await trade.db.rows(sql)
    one_sided = "SELECT credit_post($1, 'issue', 'x', NULL, '', 'x', ARRAY[$2::uuid], ARRAY[5::bigint])"
    with pytest.raises(asyncpg.CheckViolationError):
        await trade.db.rows(one_sided, new_id(), made.card.account)
    assert await balance_of(trade.db, made.card.id) == (10_000, 0)
    await books_are_sound(trade.db)


async def test_no_code_is_kept_anywhere(trade: Trade, api: Any) -> None:
    answer = await api.post(
        "/api/gift-cards",
        json={"channel": str(trade.web.id), "amount": 90_000, "note": "Welcome"},
        headers={"Idempotency-Key": "card"},
    )
    assert answer.status_code == 201, answer.text
    again = await api.post(
        "/api/gift-cards",
        json={"channel": str(trade.web.id), "amount": 90_000, "note": "Welcome"},
        headers={"Idempotency-Key": "card"},
    )
    code = answer.json()["code"]
    assert again.json() == answer.json()
    cart = await trade.cart((await trade.kettle(19_900), 1))
    body = {"cart": str(cart.id), "payments": [{"provider": "gift_card", "token": code}]}
    bought = await api.post("/api/orders", json=body, headers={"Idempotency-Key": "order"})
    assert bought.status_code == 201, bought.text
    refused = await api.post(
        "/api/orders", json={**body, "payments": [{"provider": "gift_card", "token": code, "amount": 1}]}
    )
    assert code not in refused.text
    new = await api.post(f"/api/gift-cards/{answer.json()['card']['id']}/replace", json={})
    found = await api.post("/api/gift-cards/lookup", json={"code": new.json()["code"]})
    assert found.json()["available"] == 70_100
    tables = await trade.db.rows(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
    )
    plain = [c.replace("-", "") for c in (code, new.json()["code"])]
    for (table,) in tables:
        rows = await trade.db.value(f"SELECT string_agg(t::text, ' ') FROM \"{table}\" t")
        for text in (code, new.json()["code"], *plain):
            assert text not in (rows or ""), table


async def test_strangers_may_not_ask_for_ever(api_as: Any, trade: Trade) -> None:
    made = await given(trade, 10_000)
    asked = {"code": made.code, "channel": str(trade.web.id)}
    async with api_as(Actor(kind="guest")) as stranger:
        seen = await stranger.post("/api/gift-cards/balance", json=asked)
        assert seen.json() == {
            "last_four": made.card.last_four,
            "currency": "SEK",
            "available": 10_000,
            "expires_on": None,
        }
        wrong = {**asked, "code": codes.new_card_code()}
        answers = [(await stranger.post("/api/gift-cards/balance", json=wrong)) for _ in range(20)]
        assert [answer.status_code for answer in answers] == [404] * 19 + [429]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await stranger.post("/api/gift-cards/lookup", json={"code": made.code})).status_code == 401
        assert (await stranger.get("/api/gift-cards")).status_code == 401


async def test_strangers_may_not_try_codes_at_the_checkout(trade: Trade) -> None:
    context = Context(actor=GUEST.actor, remote=f"192.0.2.{new_id()}")

    async def attempt(tx: Tx) -> Any:
        return await credit.hold_card(tx, new_id(), codes.new_card_code(), 100, "SEK")

    for _ in range(20):
        assert await trade.db.transaction(attempt, context) is None
    with pytest.raises(TooMany):
        await trade.db.transaction(attempt, context)


async def test_giving_needs_the_permission_and_a_reason(trade: Trade) -> None:
    clerk = Context(actor=Actor(kind="staff", id=new_id(), permissions=frozenset({credit.ISSUE})))
    free = IssueInput(channel=trade.web.id, amount=10_000, note="A friend of mine")
    with pytest.raises(Forbidden):
        await trade.db.transaction(lambda tx: credit.issue(tx, free), clerk)
    unpaid = await trade.buy((await trade.kettle(10_000), 1), pay_later=True)
    sold = IssueInput(channel=trade.web.id, amount=9_000, order=unpaid.id)
    made = await trade.db.transaction(lambda tx: credit.issue(tx, sold), clerk)
    assert made.card.available == 0
    with pytest.raises(InvalidInput, match="not worth more"):  # that would be giving away
        await trade.db.transaction(lambda tx: credit.issue(tx, sold), clerk)
    more = TopUpInput(amount=1_000, order=unpaid.id, key=new_id())
    for _ in range(2):
        await trade.db.transaction(lambda tx: credit.top_up(tx, made.card.id, more), clerk)
    another = TopUpInput(amount=1, order=unpaid.id)
    with pytest.raises(InvalidInput, match="not worth more"):
        await trade.db.transaction(lambda tx: credit.top_up(tx, made.card.id, another), clerk)
    with pytest.raises(InvalidInput):
        await trade.db.transaction(
            lambda tx: credit.issue(tx, IssueInput(channel=trade.web.id, amount=10_000))
        )
    with pytest.raises(InvalidInput):
        await given(trade, customer=new_id())
    key = new_id()
    await given(trade, key=key)
    with pytest.raises(Conflict):
        await given(trade, key=key)
    assert await trade.db.value("SELECT count(*) FROM audit_entry WHERE verb = 'gift-card.issued'") == 2
    await books_are_sound(trade.db)


async def test_a_card_is_sold_only_with_an_order_that_there_is(api: Any, trade: Trade) -> None:
    async def refused(order: Any, *, currency: str = "SEK") -> tuple[int, str]:
        channel = trade.web.id
        if currency != "SEK":
            data = ChannelInput(
                code="abroad", name="Abroad", kind=ChannelKind.WEBSHOP, parent="web", currency=currency
            )
            channel = (await trade.db.transaction(lambda tx: channels.create(tx, data))).id
        wanted = {"channel": str(channel), "amount": 500, "order": str(order)}
        answer = await api.post("/api/gift-cards", json=wanted)
        fields = [each["field"] for each in answer.json().get("errors", [])]
        return answer.status_code, "".join(fields)

    assert await refused(new_id()) == (422, "order")
    bought = await trade.buy((await trade.kettle(500), 1))
    assert await refused(bought.id, currency="EUR") == (422, "order")
    await trade.db.transaction(lambda tx: orders.fulfil(tx, bought.id, orders.FulfilInput()))
    back = await trade.db.transaction(lambda tx: orders.take_back(tx, bought.id, ReturnInput()))
    assert await refused(back.id) == (422, "order"), "a return sells nothing"
    off = await trade.buy((await trade.kettle(500), 1), pay_later=True)
    await trade.db.transaction(lambda tx: orders.cancel(tx, off.id, CancelInput()))
    assert (await refused(off.id))[0] == 409, "before the log has told that it is cancelled"
    made = await given(trade, 500)
    more = {"amount": 500, "order": str(new_id())}
    assert (await api.post(f"/api/gift-cards/{made.card.id}/top-ups", json=more)).status_code == 422
    assert await trade.db.value("SELECT count(*) FROM gift_card") == 1


async def test_store_credit_pays_for_its_customer_only(trade: Trade) -> None:
    kim, mo = await person(trade), await person(trade, "mo@example.org")
    key = new_id()
    data = credit.GrantInput(amount=30_000, currency="SEK", reason="Late", key=key)
    for _ in range(2):
        (held,) = await trade.db.transaction(lambda tx: credit.grant(tx, kim, data))
        assert held.available == 30_000
    kettle = await trade.kettle(19_900)

    async def buy(token: str | None, context: Context) -> Any:
        async def work(tx: Tx) -> list[payments.Payment]:
            wanted = [PaymentInput(provider="store_credit", token=token)]
            order = new_id()
            taken = await payments.authorize(tx, order, wanted, [10_000], "SEK")
            await payments.keep(tx, taken, channel=trade.web.id)
            return taken

        try:
            (taken,) = await trade.db.transaction(work, context)
        except Problem as problem:
            return problem.code
        return taken.status

    customer = Context(actor=Actor(kind="customer", id=kim))
    other = Context(actor=Actor(kind="customer", id=mo))
    clerk = Context(actor=Actor(kind="staff", id=new_id(), permissions=frozenset({credit.PAY})))
    nobody = Context(actor=Actor(kind="staff", id=new_id()))
    assert await buy(None, customer) is PaymentStatus.CAPTURED
    assert await buy(str(kim), other) == "payment-declined", "their own, whatever the token says"
    assert await buy(str(kim), GUEST) == "payment-declined"
    assert await buy("nonsense", clerk) == "payment-declined"
    assert await buy(str(kim), nobody) == "forbidden"
    assert await buy(str(kim), clerk) is PaymentStatus.CAPTURED
    order = await trade.place(
        (await trade.cart((kettle, 1))).id,
        PaymentInput(provider="store_credit", token=str(kim), amount=10_000),
        PaymentInput(provider="test"),
    )
    assert (await credit.of_customer(trade.db, kim))[0].available == 0
    await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    assert (await credit.of_customer(trade.db, kim))[0].available == 10_000
    refund = new_id()
    for first in (True, False):
        assert first == await trade.db.transaction(
            lambda tx: credit.refund_to_credit(tx, kim, 500, "SEK", refund=refund, order=order.id)
        )
    assert (await credit.of_customer(trade.db, kim))[0].available == 10_500
    await books_are_sound(trade.db)
