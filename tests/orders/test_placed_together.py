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
from trade import BUYER, Trade


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


async def offer(trade: Trade, **fields: Any) -> UUID:
    """A promotion that everybody has: ten per cent."""
    terms = {"effect": {"kind": "percent", "percent": 1_000}}
    data = {"channel": str(trade.web.id), "name": "Week", "terms": terms, "is_automatic": True, **fields}
    made = await trade.db.transaction(lambda tx: promotions.create(tx, msgspec.convert(data, PromotionInput)))
    return made.id


async def counted(trade: Trade, promotion: UUID) -> tuple[int, int, int, int]:
    """Uses and money as the promotion counts them, and as the ledger of uses says."""
    row = await trade.db.row(
        """SELECT p.uses, p.spent, count(u.*), coalesce(sum(u.amount), 0)::bigint FROM promotion p
           LEFT JOIN promotion_use u ON u.promotion = p.id AND u.released_at IS NULL WHERE p.id = $1 GROUP BY p.id""",
        promotion,
    )
    assert row is not None
    return (row[0], row[1], row[2], row[3])


async def test_a_shop_with_a_promotion_serves_a_crowd_by_as_few_statements(
    trade: Trade, api: httpx.AsyncClient, wire: list[str]
) -> None:
    kettle = await trade.kettle(10_000, quantity=50)
    week = await offer(trade, currency="SEK", budget=1_000_000)
    carts = [await trade.cart((kettle, 1)) for _ in range(17)]
    for held in carts[9:]:
        assert (await api.post(f"/api/carts/{held.id}/checkout")).status_code == 200
    assert {cart.totals.reduced for cart in carts} == {1_000}
    crowd = Crowd(api, trade)
    assert (await crowd.ask(carts[0].id)).status_code == 201  # what a process reads once is read
    wire.clear()
    answers = await crowd.buy(*((cart.id, {"total": cart.totals.total}) for cart in carts[1:]))
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json()["total"] for answer in answers} == {carts[0].totals.total}
    inserts = [sql for sql in wire if "INSERT INTO orders" in sql]
    assert len(inserts) <= 3, "one was under way, the others came together"
    assert len(wire) <= 40, Counter(" ".join(sql.split())[:70] for sql in wire)
    assert await counted(trade, week) == (17, 17_000, 17, 17_000)
    assert await trade.db.value("SELECT count(*) FROM event WHERE type = 'promotion.used'") == 17
    await trade.sound()


async def test_of_a_crowd_as_many_have_a_promotion_as_there_are(trade: Trade, api: httpx.AsyncClient) -> None:
    """The last ones of a limit are not enough for all who come together: then it goes one after the other."""
    kettle = await trade.kettle(10_000, quantity=50)
    few = await offer(trade, limit_total=5)
    carts = [await trade.cart((kettle, 1)) for _ in range(12)]
    answers = await Crowd(api, trade).buy(*((cart.id, {"total": cart.totals.total}) for cart in carts))
    assert Counter(answer.status_code for answer in answers) == {201: 5, 409: 7}
    [reason] = {
        each["reason"]
        for answer in answers
        if answer.status_code == 409
        for each in answer.json()["promotions"]
    }
    assert reason == "used-up"
    assert await counted(trade, few) == (5, 5_000, 5, 5_000)
    async with asyncio.timeout(15):  # what was held for those who were refused is given back soon
        while await trade.level(kettle) != (50, 5):
            await asyncio.sleep(0.01)
    await trade.sound()


async def test_who_buys_twice_at_once_has_once_what_is_for_once(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle = await trade.kettle(10_000, quantity=50)
    once = await offer(trade, limit_customer=1)
    carts = [await trade.cart((kettle, 1), **(BUYER | {"email": f"{n % 4}@example.com"})) for n in range(8)]
    answers = await Crowd(api, trade).buy(*((cart.id, {"total": cart.totals.total}) for cart in carts))
    assert Counter(answer.status_code for answer in answers) == {201: 4, 409: 4}
    used = await trade.db.rows("SELECT uses FROM promotion_customer WHERE promotion = $1", once)
    assert [row["uses"] for row in used] == [1] * 4
    await trade.sound()


async def test_orders_that_are_paid_later_and_paid_go_together(trade: Trade, api: httpx.AsyncClient) -> None:
    kettle = await trade.kettle(quantity=50)
    carts = [await trade.cart((kettle, 1)) for _ in range(6)]
    ways: list[dict[str, Any]] = [{"pay_later": True, "payments": []}, {}]
    answers = await Crowd(api, trade).buy(*((cart.id, ways[n % 2]) for n, cart in enumerate(carts)))
    assert Counter(answer.json()["payment_status"] for answer in answers) == {"unpaid": 3, "paid": 3}
    await trade.sound()
