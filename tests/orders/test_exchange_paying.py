"""An exchange that costs more is paid by its customer online: once, by whoever sees the money first, or not at all."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from changing import change, sold
from test_returns import receive, settle

from fake_bank import FakeBank
from samlad import orders, stock
from samlad.kernel.clock import now
from samlad.kernel.context import BACKGROUND, GUEST, Actor, Context
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.kernel.problems import Conflict, InvalidInput
from samlad.orders import CHANGE, Order, exchange_paying, exchange_store, returns
from samlad.orders.change_model import ChangeDiffers
from samlad.orders.exchange_paying import ExchangeEnded
from samlad.orders.exchange_store import ExchangeToPay
from samlad.payments import PaymentDeclined, PaymentInput, StartInput, providers
from samlad.payments.sweepers import reconcile
from samlad.stock import SoldOut
from trade import Trade, build

CUSTOMER = Context(actor=Actor(kind="guest", permissions=frozenset({CHANGE})))
"""Whoever has the link of an order: they may change that one."""


@pytest.fixture
def bank() -> Iterator[FakeBank]:
    """The provider, registered for this test."""
    made = FakeBank()
    providers.register(made)
    yield made
    del providers._PROVIDERS[made.name]


@pytest.fixture
async def trade(db: Database, bank: FakeBank) -> Trade:
    return await build(db, payment_providers=["fakebank", "test", "invoice"])


async def wished(trade: Trade, left: int = 5, cost: int = 15_000) -> tuple[Order, UUID, Any]:
    """An order that is with its customer, a dearer thing, and the exchange of one for the other."""
    order = await sold(trade, (await trade.kettle(10_000), 1))
    dearer = await trade.kettle(cost, quantity=left)
    swap = {"kind": "exchange", "position": 1, "quantity": 1, "variant": str(dearer), "instant": True}
    data = change(swap, id=new_id(), note="It is for my aunt")
    said = await orders.preview_change(trade.db, BACKGROUND.actor, order.id, data)
    assert (said.to_pay, said.difference) == (cost - 10_000, cost - 10_000)
    return order, dearer, msgspec.structs.replace(data, fingerprint=said.fingerprint)


async def begun(trade: Trade, order: Order, data: Any) -> ExchangeToPay:
    return await trade.db.transaction(lambda tx: exchange_paying.begin(tx, order.id, data), CUSTOMER)


async def paying(trade: Trade, exchange: UUID, *wanted: StartInput) -> list[UUID]:
    made = await trade.db.transaction(
        lambda tx: exchange_paying.begin_payments(tx, exchange, wanted), CUSTOMER
    )
    return [each.id for each in made]


async def complete(trade: Trade, exchange: UUID, *more: PaymentInput) -> Any:
    return await trade.db.transaction(lambda tx: exchange_paying.complete(tx, exchange, more), CUSTOMER)


async def settled(trade: Trade) -> None:
    """Let the provider answer and what follows happen."""
    for _ in range(3):
        await trade.db.rows(
            "UPDATE payment_operation SET next_at = now() - interval '1 s' WHERE status = 'open' RETURNING 1"
        )
        await reconcile(trade.db)
        await trade.follow()


async def held(trade: Trade, variant: UUID) -> int:
    found: int = await trade.db.value("SELECT sum(held)::int FROM level WHERE variant = $1", variant)
    return found


async def test_the_browser_comes_back_or_not_and_it_is_made_once(trade: Trade, bank: FakeBank) -> None:
    order, dearer, data = await wished(trade)
    first, again = await asyncio.gather(*(begun(trade, order, data) for _ in range(2)))
    assert first.id == again.id == data.id
    assert first.amount == 5_000
    assert await held(trade, dearer) == 1, "nobody else buys it meanwhile"
    asked = await exchange_store.read(trade.db, data.id)
    assert asked is not None
    assert asked.input.note == "It is for my aunt"
    assert "aunt" not in str(await trade.db.rows("SELECT input::text FROM exchange_to_pay"))
    [payment] = await paying(trade, data.id, StartInput(provider="fakebank", token="ok"))
    assert await complete(trade, data.id) is None, "nobody has paid yet"
    seen = await exchange_paying.look(trade.db, data.id, payment)
    assert seen.status == "authorized"
    # The browser and the log see it at once, and the browser once more.
    one, two, _ = await asyncio.gather(complete(trade, data.id), complete(trade, data.id), settled(trade))
    third = await complete(trade, data.id)
    assert one.placed == two.placed == third.placed is not None
    assert one.request == third.request is not None
    new = await orders.read(trade.db, one.placed)
    assert (new.total, new.changes) == (15_000, order.id)
    assert [(p.provider, p.amount) for p in new.payments] == [("fakebank", 5_000)]
    assert await trade.db.value("SELECT count(*) FROM orders WHERE changes = $1", order.id) == 1
    assert await held(trade, dearer) == 1, "now it is the new order's"
    await trade.db.transaction(lambda tx: orders.fulfil(tx, new.id, orders.FulfilInput()))
    await settled(trade)
    assert bank.kept == 5_000
    # The old one comes back: its worth pays the rest.
    request = await trade.db.transaction(lambda tx: returns.again(tx, one.request))
    await receive(trade, request)
    done = await settle(trade, request)
    assert (done.preview.transferred, done.preview.refunded) == (10_000, 0)
    new = await orders.read(trade.db, new.id)
    assert (new.payment_status, new.paid) == ("paid", 15_000)
    assert await exchange_paying.end_stale(trade.db) == 0
    await trade.agree()


async def test_the_window_is_closed_and_the_log_makes_it(trade: Trade, bank: FakeBank) -> None:
    order, _, data = await wished(trade)
    await begun(trade, order, data)
    await paying(trade, data.id, StartInput(provider="fakebank", token="ok", place=True))
    bank.plan.append("deaf")  # it is reserved, and nobody hears of it yet
    await settled(trade)
    await settled(trade)
    placed = await trade.db.value("SELECT id FROM orders WHERE changes = $1", order.id)
    assert placed is not None
    assert (await orders.read(trade.db, placed)).payments[0].amount == 5_000
    await trade.agree()


async def test_declined_another_way_and_at_last_given_up(trade: Trade, bank: FakeBank) -> None:
    order, dearer, data = await wished(trade)
    await begun(trade, order, data)
    [payment] = await paying(trade, data.id, StartInput(provider="fakebank", token="decline"))
    assert (await exchange_paying.look(trade.db, data.id, payment)).status == "declined"
    with pytest.raises(PaymentDeclined):
        await complete(trade, data.id, PaymentInput(provider="test", token="decline"))
    assert await held(trade, dearer) == 1, "it waits for another way to pay"
    with pytest.raises(InvalidInput):  # only what was begun for it pays it
        await complete(trade, data.id, PaymentInput(provider="fakebank", payment=new_id()))
    done = await complete(trade, data.id, PaymentInput(provider="invoice"))
    assert (await orders.read(trade.db, done.placed)).payments[0].provider == "invoice"
    # Another one of another order: given up while the provider is silent, its money goes back when it says something.
    order, dearer, data = await wished(trade)
    await begun(trade, order, data)
    bank.plan.append("deaf")
    [payment] = await paying(trade, data.id, StartInput(provider="fakebank", token="ok"))
    assert (await exchange_paying.look(trade.db, data.id, payment)).status == "pending"
    again = await paying(trade, data.id, StartInput(provider="fakebank"))
    assert again == [payment], "the same wish goes on with the same payment"
    for _ in range(2):
        await trade.db.transaction(lambda tx: exchange_paying.give_up(tx, data.id, "customer"), CUSTOMER)
    assert await held(trade, dearer) == 0
    with pytest.raises(ExchangeEnded):
        await complete(trade, data.id)
    with pytest.raises(ExchangeEnded):
        await paying(trade, data.id, StartInput(provider="fakebank", token="ok"))
    await settled(trade)
    assert bank.kept == 0
    assert await trade.db.value("SELECT count(*) FROM orders WHERE changes = $1", order.id) == 0
    await trade.agree()


async def test_what_cannot_be_made_any_more_lets_go_of_the_money(trade: Trade, bank: FakeBank) -> None:
    order, dearer, data = await wished(trade, left=1)
    # Somebody has the last one: nothing is begun.
    taken = await trade.db.transaction(
        lambda tx: stock.take(
            tx, [stock.HoldLine(dearer, 1)], channel=trade.web, kind=stock.HoldKind.CART, owner=order.id
        )
    )
    assert taken
    with pytest.raises(SoldOut):
        await begun(trade, order, data)
    await trade.db.transaction(lambda tx: stock.release(tx, order.id))
    with pytest.raises(ChangeDiffers):
        await begun(trade, order, msgspec.structs.replace(data, fingerprint="t1"))
    for wrong in ({"id": None}, {"actions": []}):
        with pytest.raises(InvalidInput):
            await begun(trade, order, msgspec.structs.replace(data, **wrong))
    await begun(trade, order, data)
    other = await sold(trade, (await trade.kettle(10_000), 1))
    with pytest.raises(Conflict):
        await begun(trade, other, data)
    # It took too long, the hold ran out and somebody bought it; then the money comes.
    await paying(trade, data.id, StartInput(provider="fakebank", token="ok"))
    late = now() - timedelta(minutes=1)
    await trade.db.rows("UPDATE hold SET expires_at = $2 WHERE owner = $1 RETURNING 1", data.id, late)
    await trade.buy((dearer, 1))
    await settled(trade)
    row = await exchange_store.read(trade.db, data.id)
    assert row is not None
    assert (row.state, row.reason, row.input.note) == ("ended", "sold-out", "")
    await settled(trade)
    assert bank.kept == 0
    # One that nobody pays ends by itself, and of two of one order the later one counts.
    order, dearer, data = await wished(trade)
    await begun(trade, order, data)
    later = msgspec.structs.replace(data, id=new_id())
    await begun(trade, order, later)
    assert await held(trade, dearer) == 1
    with pytest.raises(ExchangeEnded):
        await complete(trade, data.id)
    await trade.db.rows("UPDATE exchange_to_pay SET expires_at = now() - interval '2 hours' RETURNING 1")
    assert sorted(await asyncio.gather(*(exchange_paying.end_stale(trade.db) for _ in range(2))))[1] == 1
    assert await held(trade, dearer) == 0
    await trade.agree()
    assert GUEST.permissions == frozenset()
