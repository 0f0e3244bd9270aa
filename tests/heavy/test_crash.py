"""``kill -9`` of the server and of PostgreSQL in the middle of purchases: nothing is lost, nothing done twice."""

import asyncio
import collections
import os
import random
import time
from uuid import UUID

import msgspec
import pytest

from memory import memory
from samlad import stock
from samlad.bench import shop as shops
from samlad.bench.server import Server, fresh_shop, kill_postgres
from samlad.bench.shop import Shop
from samlad.bench.wire import Answer, request
from samlad.kernel.embedded import Embedded

AT_ONCE = 16
PATIENCE_SECONDS = 240.0


class Buyer:
    """Somebody who buys one of the scarce goods and one of the plentiful, and asks again until they know."""

    def __init__(
        self, shop: Shop, server: Server, number: int, goods: list[UUID], dice: random.Random
    ) -> None:
        self._shop, self._server, self._number, self._goods = shop, server, number, goods
        self._dice = random.Random(dice.random())
        self.order_request = b""
        self.cart: str | None = None
        self.order: dict[str, object] | None = None
        self.refusal: str | None = None
        self.asked_again = 0

    async def buy(self) -> None:
        lines = [{"variant": str(variant), "quantity": 1} for variant in self._goods]
        made = await self._insist(
            "POST", "/api/carts", {"channel": str(self._shop.channel.id), "lines": lines}
        )
        assert made.status == 201, made
        self.cart = made.json()["id"]
        told = await self._insist("PATCH", f"/api/carts/{self.cart}", msgspec.to_builtins(shops.BUYER))
        assert told.status == 200, told
        held = await self._insist("POST", f"/api/carts/{self.cart}/checkout")
        if held.status == 200:
            body = {
                "cart": self.cart,
                "payments": [{"provider": "test"}],
                "total": held.json()["totals"]["total"],
            }
            placed = await self._insist("POST", "/api/orders", body)
            assert placed.status == 201, placed
            self.order = placed.json()
        else:
            assert held.status == 409, held
            self.refusal = held.json()["type"]

    async def _insist(self, method: str, path: str, body: object = None) -> Answer:
        """Ask with one Idempotency-Key until there is an answer that is one."""
        headers = {"idempotency-key": f"{self._number}-{method}-{path.rsplit('/', 1)[-1]}"}
        data = request(method, path, key=self._shop.key, body=body, headers=headers)
        if path == "/api/orders":
            self.order_request = data
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                async with asyncio.timeout(20):
                    answer = await self._server.ask(data)
            except (OSError, TimeoutError):
                pass
            else:
                if answer.status < 500 and b"/problems/idempotency-still-running" not in answer.body:
                    return answer
                assert answer.status in (409, 503), (answer, self._server.complaints())
            self.asked_again += 1
            await asyncio.sleep(self._dice.uniform(0.05, 0.3))
        raise AssertionError(f"no answer for {PATIENCE_SECONDS} s: {method} {path}")


async def crash(shop: Shop, server: Server, victims: str) -> None:
    """Kill, and bring back what nobody else does: a supervisor watches over PostgreSQL, none over ``serve``."""
    if "p" in victims:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while Embedded(server.home).pid() is None:  # the last kill was a moment ago
                await asyncio.sleep(0.02)
        kill_postgres(server.home)
    if "s" in victims:
        server.kill()
        await server.start()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("purchases", "units", "crashes"),
    [(200, 180, 3), pytest.param(1500, 1400, 40, marks=pytest.mark.soak)],
)
@pytest.mark.timeout(600)
async def test_kill_9_loses_nothing_and_doubles_nothing(purchases: int, units: int, crashes: int) -> None:
    seed = int(os.environ.get("SAMLAD_CRASH_SEED", random.randrange(2**32)))
    print(f"again with SAMLAD_CRASH_SEED={seed}")  # noqa: T201 - shown when it fails
    dice = random.Random(seed)
    async with fresh_shop(memory()) as runtime:
        shop = await shops.open_shop(runtime)
        [scarce] = await shops.add_goods(shop, 1, units=units, prefix="scarce")
        plenty = await shops.add_goods(shop, 20, units=1_000, prefix="plenty")
        async with Server(runtime.settings.home, workers=2) as server:
            buyers = [Buyer(shop, server, n, [scarce, dice.choice(plenty)], dice) for n in range(purchases)]
            await _buy_while_crashing(shop, server, buyers, _schedule(dice, purchases, crashes), dice)
            await _same_answers_again(server, buyers, dice)
        await _judge(shop, buyers, units)


def _schedule(dice: random.Random, purchases: int, crashes: int) -> list[tuple[int, str]]:
    """After how many purchases what is killed: the server, PostgreSQL, both. So many have not bought yet that it is felt."""
    moments = sorted(dice.sample(range(purchases // 20, purchases - 4 * AT_ONCE), crashes))
    victims = (["s", "p", "sp"] * crashes)[:crashes]
    dice.shuffle(victims)
    return list(zip(moments, victims, strict=True))


async def _buy_while_crashing(
    shop: Shop, server: Server, buyers: list[Buyer], schedule: list[tuple[int, str]], dice: random.Random
) -> None:
    done = 0

    async def buy(buyer: Buyer) -> None:
        nonlocal done
        await buyer.buy()
        done += 1

    async def crash_on_time() -> None:
        for moment, victims in schedule:
            while done < moment:
                await asyncio.sleep(0.005)
            await asyncio.sleep(dice.uniform(0, 0.05))
            await crash(shop, server, victims)

    async with asyncio.TaskGroup() as group:
        group.create_task(crash_on_time())
        group.create_task(shops.each(buyers, buy, at_once=AT_ONCE))
    assert sum(buyer.asked_again for buyer in buyers) > len(schedule), "the crashes were felt"


async def _same_answers_again(server: Server, buyers: list[Buyer], dice: random.Random) -> None:
    """The key of an order gives the same order for ever after."""
    happy = [buyer for buyer in buyers if buyer.order is not None]
    for buyer in dice.sample(happy, 20):
        again = await server.ask(buyer.order_request)
        assert again.status == 201
        assert again.json() == buyer.order


async def _judge(shop: Shop, buyers: list[Buyer], units: int) -> None:
    db = shop.runtime.database
    acknowledged = {str(b.order["id"]): b.cart for b in buyers if b.order is not None}
    assert len(acknowledged) == units
    assert collections.Counter(b.refusal for b in buyers if b.order is None) == {
        "/problems/sold-out": len(buyers) - units
    }
    rows = await db.rows("SELECT id, cart, number FROM orders")
    assert {str(r["id"]): str(r["cart"]) for r in rows} == acknowledged, "each there once, and no other"
    assert len({r["number"] for r in rows}) == units
    told = await db.rows("SELECT subject, count(*) FROM event WHERE type = 'order.placed' GROUP BY 1")
    assert {str(r["subject"]): r["count"] for r in told} == dict.fromkeys(acknowledged, 1)
    paid = await db.rows("SELECT order_id, count(*) FROM payment GROUP BY 1")
    assert {str(r["order_id"]): r["count"] for r in paid} == dict.fromkeys(acknowledged, 1)

    carts = await db.rows("SELECT status, order_id IS NULL AS is_free, count(*) FROM cart GROUP BY 1, 2")
    assert {(r["status"], r["is_free"]): r["count"] for r in carts} == {
        ("ordered", False): units,
        ("open", True): len(buyers) - units,
    }, "no cart is stuck"
    await stock.sweep(db)  # what a killed process had taken for a purchase that then was not
    holds = await db.rows("SELECT kind, count(*), sum(quantity) AS units FROM hold GROUP BY 1")
    assert [tuple(r) for r in holds] == [("order", 2 * units, 2 * units)], "none lost, none orphaned"
    assert await shops.unsound(shop.runtime) == []
