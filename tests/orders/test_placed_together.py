"""Orders of a crowd are placed in one transaction: few statements, each with its own verdict."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import msgspec

from samlad import carts
from samlad.carts import LineInput
from samlad.kernel.database import Tx
from samlad.promotions import service as promotions
from samlad.promotions.model import PromotionInput
from trade import Trade


class Crowd:
    """Buyers who come while a first placement is under way."""

    def __init__(self, api: httpx.AsyncClient, trade: Trade) -> None:
        self.api, self.trade = api, trade

    async def ask(self, cart: UUID, key: str | None = None, **fields: Any) -> httpx.Response:
        body = {"cart": str(cart), "payments": [{"provider": "test"}], **fields}
        return await self.api.post("/api/orders", json=body, headers={"Idempotency-Key": key or str(cart)})

    async def buy(self, *requests: tuple[UUID, dict[str, Any]]) -> list[httpx.Response]:
        """All at once; the answers in their order."""
        return await asyncio.gather(*(self.ask(cart, **fields) for cart, fields in requests))


async def test_a_crowd_takes_a_handful_of_statements(
    trade: Trade, api: httpx.AsyncClient, wire: list[str]
) -> None:
    kettle, cup = await trade.kettle(19_900, quantity=50), await trade.kettle(4_950, quantity=50)
    carts = [await trade.cart((kettle, 1), (cup, 2)) for _ in range(13)]
    crowd = Crowd(api, trade)
    assert (await crowd.ask(carts[0].id)).status_code == 201  # what a process reads once is read
    wire.clear()
    answers = await crowd.buy(*((cart.id, {"total": cart.totals.total}) for cart in carts[1:]))
    assert [answer.status_code for answer in answers] == [201] * 12
    assert len({answer.json()["number"] for answer in answers}) == 12
    inserts = [sql for sql in wire if "INSERT INTO orders" in sql]
    assert len(inserts) <= 3, "one was under way, the others came together"
    assert len(wire) <= 30, Counter(" ".join(sql.split())[:70] for sql in wire)
    assert await trade.level(kettle) == (50, 13)
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'order.placed'") == 13
    assert await trade.db.value("SELECT count(*) FROM idempotency") == 13
    for cart, answer in zip(carts[1:], answers, strict=True):
        again = await crowd.ask(cart.id, total=cart.totals.total)
        assert again.headers["idempotent-replay"] == "true"
        assert again.json() == answer.json()
    await trade.sound()


async def test_each_has_its_own_verdict(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle, cup = await trade.kettle(quantity=6), await trade.kettle(quantity=50)
    good = [await trade.cart((kettle, 1), (cup, 1)) for _ in range(9)]
    wrong, empty, twice, paid = [await trade.cart((cup, 1)) for _ in range(4)]
    await trade.db.rows("DELETE FROM cart_line WHERE cart = $1 RETURNING 1", empty.id)
    requests: list[tuple[UUID, dict[str, Any]]] = [(cart.id, {}) for cart in good]
    requests += [
        (wrong.id, {"total": 1}),
        (empty.id, {}),
        (twice.id, {"key": "one"}),
        (twice.id, {"key": "two"}),
        (paid.id, {"payments": [{"provider": "test", "token": "decline"}]}),
    ]
    answers = await Crowd(api, trade).buy(*requests)
    verdicts = Counter(answer.json().get("type", "").rsplit("/", 1)[-1] or "placed" for answer in answers)
    assert verdicts == {
        "placed": 7, "sold-out": 3, "total-changed": 1, "invalid-input": 1, "cart-already-ordered": 1, "payment-declined": 1,
    }  # fmt: skip
    assert await trade.level(kettle) == (6, 6)
    statuses = await trade.db.rows("SELECT status, count(*) FROM cart GROUP BY 1 ORDER BY 1")
    assert dict(tuple(row) for row in statuses) == {"open": 6, "ordered": 7}
    await trade.sound()


async def test_nobody_waits_for_a_cart_that_somebody_else_works_on(
    trade: Trade, api: httpx.AsyncClient
) -> None:
    kettle = await trade.kettle(quantity=50)
    busy, *others = [await trade.cart((kettle, 1)) for _ in range(6)]
    crowd = Crowd(api, trade)
    assert (await crowd.ask(others[0].id)).status_code == 201

    async def work(tx: Tx) -> list[httpx.Response]:
        await carts.add_line(tx, busy.id, LineInput(variant=kettle, quantity=2))
        waiting.append(asyncio.create_task(crowd.ask(busy.id)))
        return await crowd.buy(*((cart.id, {}) for cart in others[1:]))

    waiting: list[asyncio.Task[httpx.Response]] = []
    answers = await trade.db.transaction(work)
    assert [answer.status_code for answer in answers] == [201] * 4
    assert (await waiting[0]).json()["lines"][0]["quantity"] == 3, "as it was when it could be had"
    await trade.sound()


async def test_a_shop_with_promotions_sells_the_same(trade: Trade, api: httpx.AsyncClient) -> None:
    """What takes statements of its own goes alone, with the same outcome, also before anybody has learned that."""
    kettle = await trade.kettle(10_000, quantity=50)
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    data = {"channel": str(trade.web.id), "name": "Week", "terms": terms, "is_automatic": True}
    week = msgspec.convert(data, PromotionInput)
    await trade.db.transaction(lambda tx: promotions.create(tx, week))
    carts = [await trade.cart((kettle, 1)) for _ in range(8)]
    for held in carts[4:]:
        assert (await api.post(f"/api/carts/{held.id}/checkout")).status_code == 200
    assert {cart.totals.reduced for cart in carts} == {1_000}
    answers = await Crowd(api, trade).buy(*((cart.id, {}) for cart in carts))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["total"] for answer in answers} == {carts[0].totals.total}
    assert await trade.db.value("SELECT count(*) FROM promotion_use") == 8
    await trade.sound()


async def test_orders_that_are_paid_later_and_paid_go_together(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle = await trade.kettle(quantity=50)
    carts = [await trade.cart((kettle, 1)) for _ in range(6)]
    ways: list[dict[str, Any]] = [{"pay_later": True, "payments": []}, {}]
    answers = await Crowd(api, trade).buy(*((cart.id, ways[n % 2]) for n, cart in enumerate(carts)))
    assert Counter(answer.json()["payment_status"] for answer in answers) == {"unpaid": 3, "paid": 3}
    await trade.sound()
