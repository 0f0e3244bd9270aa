"""New goods went out and the old ones never came: charged as it was agreed, else an invoice, a document and a reminder."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from changing import back, make, sold
from test_returns import receive, settle

from fake_bank import FakeBank
from samlad import orders
from samlad.kernel import log
from samlad.kernel.clock import now
from samlad.kernel.database import Database
from samlad.kernel.problems import InvalidInput
from samlad.orders import Order, WrongState, return_claim, return_reasons, returns
from samlad.orders.change_model import ReturnReasonInput
from samlad.orders.model import CancelInput
from samlad.orders.return_model import EndInput, ReceiveInput, Request
from samlad.payments import manual, providers
from samlad.payments.sweepers import reconcile
from trade import Trade, build


class Bank(FakeBank):
    """One that keeps the customer's card and can be asked while they are away."""

    pays_alone = True


@pytest.fixture
def bank() -> Iterator[Bank]:
    """The provider, registered for this test."""
    made = Bank()
    providers.register(made)
    yield made
    del providers._PROVIDERS[made.name]


@pytest.fixture
async def trade(db: Database, bank: Bank) -> Trade:
    return await build(db, payment_providers=["fakebank", "test", "store_credit"])


async def swapped(trade: Trade, **fields: Any) -> tuple[Order, Order, Request]:
    """An order whose new goods went out before its old ones came; what went out, and what is expected."""
    order = await sold(trade, (await trade.kettle(10_000), 1))
    swap = {"kind": "exchange", "position": 1, "quantity": 1, "instant": True}
    done = await make(trade, order, swap, **fields)
    assert done.request is not None
    assert done.placed is not None
    asked = await trade.db.transaction(lambda tx: returns.again(tx, done.request))  # type: ignore[arg-type]
    return order, await orders.read(trade.db, done.placed), asked


async def let_pass(trade: Trade, days: int) -> None:
    await trade.db.rows("UPDATE return_request SET due_on = current_date - $1::int RETURNING 1", days)


async def settled(trade: Trade) -> None:
    """Let the provider answer and what follows happen."""
    for _ in range(3):
        await trade.db.rows(
            "UPDATE payment_operation SET next_at = now() - interval '1 s' WHERE status = 'open' RETURNING 1"
        )
        await reconcile(trade.db)
        await trade.follow()


async def test_after_some_days_of_patience_it_is_an_invoice_once(trade: Trade) -> None:
    order, new, asked = await swapped(trade)
    await let_pass(trade, 5)
    assert await return_claim.charge_overdue(trade.db) == 0, "the channel has patience"
    await let_pass(trade, 9)
    both = await asyncio.gather(*(return_claim.charge_overdue(trade.db) for _ in range(2)))
    assert sorted(both) == [0, 1]
    new = await orders.read(trade.db, new.id)
    assert [(p.provider, p.amount, p.status) for p in new.payments] == [("invoice", 10_000, "pending")]
    assert new.payment_status == "pending"
    await trade.follow()
    papers = await trade.db.rows("SELECT order_id, kind FROM document")
    assert [(row["order_id"], row["kind"]) for row in papers] == [(new.id, "invoice")]
    await manual.remind_of(trade.db, now().date() + timedelta(days=60))
    types = [event.type for event in await log.of_subject(trade.db, new.id)]
    assert types.count("return.charged") == 1
    assert "payment.overdue" in types
    # The goods come after all: their worth pays for what went out, and the invoice is not due any more.
    await receive(trade, asked)
    done = await settle(trade, asked)
    assert (done.preview.transferred, done.preview.refunded) == (10_000, 0)
    new = await orders.read(trade.db, new.id)
    assert (new.payment_status, new.paid) == ("paid", 10_000)
    assert sorted((p.provider, str(p.status)) for p in new.payments) == [
        ("exchange", "captured"),
        ("invoice", "voided"),
    ]
    assert (await orders.read(trade.db, order.id)).status == "returned"
    await trade.agree()


async def test_the_card_that_was_agreed_is_charged(trade: Trade, bank: Bank) -> None:
    order, new, asked = await swapped(trade, if_not_back={"provider": "fakebank", "token": "ok"})
    assert asked.agreed == "fakebank"
    with pytest.raises(InvalidInput):
        await swapped(trade, if_not_back={"provider": "cash"})
    await let_pass(trade, 9)
    assert await return_claim.charge_overdue(trade.db) == 1
    assert bank.calls == [], "nobody is asked inside a transaction"
    await settled(trade)
    new = await orders.read(trade.db, new.id)
    assert (new.payment_status, new.paid, bank.kept) == ("paid", 10_000, 10_000)
    # The goods come after all: their money goes back by the first order's payment.
    await receive(trade, asked)
    done = await settle(trade, asked)
    assert (done.preview.transferred, done.preview.refunded) == (0, 10_000)
    assert (await orders.read(trade.db, order.id)).refunded == 10_000
    await settled(trade)
    await trade.agree()


async def test_declined_it_becomes_a_claim_and_who_says_it_will_not_come_need_not_wait(trade: Trade) -> None:
    _order, new, asked = await swapped(trade, if_not_back={"provider": "fakebank", "token": "decline"})
    await trade.db.transaction(lambda tx: return_claim.charge_now(tx, asked.id))
    with pytest.raises(WrongState):
        await trade.db.transaction(lambda tx: return_claim.charge_now(tx, asked.id))
    await settled(trade)
    new = await orders.read(trade.db, new.id)
    assert [(p.provider, p.status) for p in new.payments] == [("invoice", "pending")]
    asked = await trade.db.transaction(lambda tx: returns.again(tx, asked.id))
    assert (asked.charging, asked.claimed_at is not None) == (None, True)
    await trade.agree()


async def test_new_goods_that_were_called_off_are_paid_by_nobody(trade: Trade) -> None:
    order, new, asked = await swapped(trade)
    await trade.db.transaction(lambda tx: orders.cancel(tx, new.id, CancelInput(reason="keeps the old one")))
    await let_pass(trade, 9)
    assert await return_claim.charge_overdue(trade.db) == 0
    with pytest.raises(WrongState):
        await trade.db.transaction(lambda tx: return_claim.charge_now(tx, asked.id))
    assert (await orders.read(trade.db, new.id)).payments == []
    # The old ones come all the same: then they are a return like any other.
    await receive(trade, asked)
    done = await settle(trade, asked)
    assert (done.preview.transferred, done.preview.refunded) == (0, 10_000)
    assert (await orders.read(trade.db, order.id)).refunded == 10_000
    await trade.agree()


async def test_old_goods_are_free_to_come_back_once_the_new_ones_are_called_off(trade: Trade) -> None:
    order, new, asked = await swapped(trade)
    await trade.db.transaction(lambda tx: orders.cancel(tx, new.id, CancelInput(reason="changed their mind")))
    done = await make(trade, order, back(1, 1), location=trade.at_lund.id)
    assert done.preview.refunded == 10_000
    await trade.db.transaction(lambda tx: returns.end(tx, asked.id, EndInput(reason="came to the store")))
    assert (await orders.read(trade.db, new.id)).payments == []
    await trade.agree()


@pytest.mark.parametrize("what", ["one of two", "a fee"])
async def test_what_the_old_goods_were_worth_less_is_charged(trade: Trade, what: str) -> None:
    if what == "a fee":
        pool, fee = (
            return_reasons.pool_of(trade.web),
            ReturnReasonInput(name="Opened", restock=True, ships="customer", fee_bp=1_000),
        )
        await trade.db.transaction(lambda tx: return_reasons.set_reason(tx, pool, "opened", fee))
    order = await sold(trade, (await trade.kettle(10_000), 2))
    swap = {"kind": "exchange", "position": 1, "quantity": 2, "instant": True}
    reason = {"reason": "opened"} if what == "a fee" else {}
    done = await make(trade, order, swap | reason)
    assert done.placed is not None
    assert done.request is not None
    new, request = done.placed, done.request
    await trade.db.transaction(lambda tx: orders.fulfil(tx, new, orders.FulfilInput()))
    came = 2 if what == "a fee" else 1
    data = msgspec.convert(
        {"location": trade.at_lund.id, "lines": [{"position": 1, "quantity": came}]}, ReceiveInput
    )
    asked = await trade.db.transaction(lambda tx: returns.receive(tx, request, data))
    await settle(trade, asked)
    rest = 2_000 if what == "a fee" else 10_000
    assert (await orders.read(trade.db, new)).paid == 20_000 - rest
    assert await return_claim.charge_overdue(trade.db) == 0, "it is not due yet"
    await let_pass(trade, 9)
    both = await asyncio.gather(*(return_claim.charge_overdue(trade.db) for _ in range(2)))
    assert sorted(both) == [0, 1]
    payments = (await orders.read(trade.db, new)).payments
    assert [(p.provider, p.amount, p.status) for p in payments] == [
        ("exchange", 20_000 - rest, "captured"),
        ("invoice", rest, "pending"),
    ]
    await let_pass(trade, 9)
    assert await return_claim.charge_overdue(trade.db) == 0
    await trade.agree()


async def test_an_exchange_that_was_paid_for_by_what_came_is_never_charged(trade: Trade) -> None:
    _order, new, asked = await swapped(trade)
    await trade.db.transaction(lambda tx: orders.fulfil(tx, new.id, orders.FulfilInput()))
    await receive(trade, asked)
    await settle(trade, asked)
    await let_pass(trade, 9)
    assert await return_claim.charge_overdue(trade.db) == 0
    with pytest.raises(WrongState):
        await trade.db.transaction(lambda tx: return_claim.charge_now(tx, asked.id))
    await trade.agree()
