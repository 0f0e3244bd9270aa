"""Renewals that a provider on the network is asked for: between two transactions, whatever its line does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from subscribing import Clock, Shop, open_shop

from fake_bank import FakeBank
from samlad import stock, subscriptions
from samlad.kernel.database import Database
from samlad.payments import providers
from samlad.payments.sweepers import reconcile
from samlad.subscriptions import ChangeInput, PauseInput, Status


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
async def shop(db: Database, clock: Clock, bank: Bank) -> Shop:
    """The shop at the time of its database, whose clock says when a payment has run out."""
    clock.at = datetime.now(UTC)
    return await open_shop(db, clock, payment_providers=["fakebank", "test"], subscription_hour=0)


async def settle(shop: Shop) -> None:
    """Let the provider answer and what follows happen."""
    for _ in range(3):
        await shop.db.rows(
            "UPDATE payment_operation SET next_at = now() - interval '1 s' WHERE status = 'open' RETURNING 1"
        )
        await reconcile(shop.db)
        await shop.trade.follow()


PAID: dict[str, Any] = {"provider": "fakebank", "token": "ok"}


async def test_the_order_comes_when_the_money_is_reserved(shop: Shop, bank: Bank) -> None:
    kettle = await shop.trade.kettle(10_000, 5)
    found = await shop.start((kettle, 1), payment=PAID)
    await shop.sweep()
    waiting = await shop.read(found)
    assert waiting.charging is not None
    assert await shop.orders(found) == []
    assert await shop.trade.level(kettle) == (5, 1)  # held meanwhile
    await shop.sweep()
    assert (await shop.read(found)).charging == waiting.charging
    await settle(shop)
    assert await shop.orders(found) == [(0, 9_000)]
    assert (await shop.read(found)).charging is None
    assert bank.kept == 9_000
    order = await shop.db.row("SELECT customer, payment_status FROM orders")
    assert dict(order or {}) == {"customer": shop.kim, "payment_status": "paid"}
    await shop.agree()


async def test_its_customer_does_not_shop_on_in_the_cart_that_is_being_paid(shop: Shop) -> None:
    kettle = await shop.trade.kettle(10_000, 5)
    await shop.start((kettle, 1), payment=PAID)
    await shop.sweep()
    assert await shop.db.value("SELECT count(*) FROM cart WHERE customer = $1", shop.kim) == 0
    await settle(shop)
    assert await shop.db.value("SELECT count(*) FROM cart WHERE customer = $1", shop.kim) == 1


async def test_declined_by_the_bank_and_paid_with_another_card(shop: Shop, bank: Bank) -> None:
    kettle = await shop.trade.kettle(10_000, 5)
    found = await shop.start((kettle, 1), payment={"provider": "fakebank", "token": "decline"})
    await shop.sweep()
    await settle(shop)
    found = await shop.read(found)
    assert (found.trouble, found.attempts, found.charging) == ("declined", 1, None)
    assert [e.payload["reason"] for e in await shop.told(found, "payment_failed")] == ["declined-by-bank"]
    assert await shop.trade.level(kettle) == (5, 0)
    await shop.do(subscriptions.change, found, msgspec.convert({"payment": PAID}, ChangeInput))
    await shop.sweep()
    await settle(shop)
    assert (await shop.orders(found), bank.kept) == ([(0, 9_000)], 9_000)
    await shop.agree()


@pytest.mark.parametrize("step", ["lost", "deaf", "slow"])
async def test_a_bad_line_charges_once(shop: Shop, bank: Bank, step: str) -> None:
    kettle = await shop.trade.kettle(10_000, 5)
    found = await shop.start((kettle, 1), payment=PAID)
    bank.plan.extend([step, step])
    await shop.sweep()
    await settle(shop)
    await settle(shop)
    assert (await shop.orders(found), bank.kept, len(bank.accounts)) == ([(0, 9_000)], 9_000, 1)
    await shop.agree()


async def test_paused_while_the_bank_thinks_nothing_is_ordered_or_kept(shop: Shop, bank: Bank) -> None:
    kettle = await shop.trade.kettle(10_000, 5)
    found = await shop.start((kettle, 1), payment=PAID)
    await shop.sweep()
    found = await shop.do(subscriptions.pause, found, PauseInput(), as_customer=True)
    assert (found.status, found.charging) == (Status.PAUSED, None)
    assert await shop.trade.level(kettle) == (5, 0)
    await settle(shop)
    assert (await shop.orders(found), bank.kept, bank.reserved) == ([], 0, 0)
    await shop.agree()


async def test_what_was_reserved_for_goods_that_went_is_let_go(shop: Shop, bank: Bank) -> None:
    kettle = await shop.trade.kettle(10_000, 1)
    found = await shop.start((kettle, 1), payment=PAID)
    await shop.sweep()
    cart = (await shop.read(found)).charging_cart
    assert cart is not None

    async def take_away(tx: Any) -> None:  # the hold ran out, and somebody else bought the last one
        await stock.release(tx, cart)

    await shop.db.transaction(take_away)
    await shop.trade.buy((kettle, 1))
    await settle(shop)
    found = await shop.read(found)
    assert (await shop.orders(found), found.trouble, bank.kept, bank.reserved) == ([], "out_of_stock", 0, 0)
    await shop.agree()
