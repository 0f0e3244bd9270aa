"""Never sold twice: buyers at once, over HTTP, on four server processes."""

import asyncio
import collections
import os
import signal
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import psutil
import pytest
import pytest_asyncio

from memory import memory
from samlad.bench import doors
from samlad.bench import shop as shops
from samlad.bench.doors import Doors, Wish
from samlad.bench.oversell import WAYS, gone, rush
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import Answer, request
from samlad.kernel.ids import new_id

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

BUYERS, UNITS, PROCESSES = 200, 50, 4


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[Shop]:
    async with fresh_shop(memory()) as runtime:
        yield await shops.open_shop(runtime)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_at(shop: Shop) -> Doors:
    return await doors.open_doors(shop)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(shop: Shop) -> AsyncIterator[Server]:
    async with Server(shop.runtime.settings.home, workers=PROCESSES) as running:
        yield running


async def stocked(shop: Shop, handle: str, units: int) -> UUID:
    [variant] = await shops.add_goods(shop, 1, units=units, prefix=handle)
    return variant


async def level(shop: Shop, variant: UUID) -> tuple[int, int]:
    """On hand, held."""
    row = await shop.runtime.database.row("SELECT on_hand, held FROM level WHERE variant = $1", variant)
    assert row is not None
    return row["on_hand"], row["held"]


async def sound(shop: Shop) -> None:
    assert await shops.unsound(shop.runtime) == []


async def test_the_server_has_four_processes(server: Server) -> None:
    assert len(server.listening()) == PROCESSES


async def test_fifty_units_are_sold_fifty_times(shop: Shop, server: Server) -> None:
    variant = await stocked(shop, "hot", UNITS)
    verdicts = await rush(shop, server, [variant], BUYERS)
    assert collections.Counter(v.outcome for v in verdicts) == {"sold": UNITS, "sold-out": BUYERS - UNITS}
    assert await level(shop, variant) == (UNITS, UNITS), "held for the orders until they are shipped"
    await sound(shop)


async def test_two_goods_wanted_in_either_order_do_not_lock_each_other_out(
    shop: Shop, server: Server
) -> None:
    one, two = await stocked(shop, "one", 30), await stocked(shop, "two", 60)
    verdicts = await asyncio.gather(rush(shop, server, [one, two], 50), rush(shop, server, [two, one], 50))
    outcomes = collections.Counter(v.outcome for part in verdicts for v in part)
    assert outcomes == {"sold": 30, "sold-out": 70}
    assert await level(shop, one) == (30, 30)
    assert await level(shop, two) == (60, 30), "who got no one of the first holds none of the second"
    await sound(shop)


async def test_the_whole_way_from_cart_to_order(shop: Shop, server: Server) -> None:
    variant = await stocked(shop, "way", 20)

    async def say(method: str, path: str, body: object = None) -> Answer:
        headers = {"idempotency-key": str(new_id())}
        return await server.ask(request(method, path, key=shop.key, body=body, headers=headers))

    async def buy(_: int) -> str:
        lines = [{"variant": str(variant), "quantity": 1}]
        cart = (await say("POST", "/api/carts", {"channel": str(shop.channel.id), "lines": lines})).json()[
            "id"
        ]
        await say("PATCH", f"/api/carts/{cart}", msgspec.to_builtins(shops.BUYER))
        held = await say("POST", f"/api/carts/{cart}/checkout")
        if held.status != 200:
            return held.json()["type"]
        answer = await say("POST", "/api/orders", {"cart": cart, "payments": [{"provider": "test"}]})
        return str(answer.status)

    outcomes = collections.Counter(await asyncio.gather(*map(buy, range(60))))
    assert outcomes == {"201": 20, "/problems/sold-out": 40}
    assert await level(shop, variant) == (20, 20)
    await sound(shop)


async def test_one_key_sent_many_times_at_once_is_one_order(shop: Shop, server: Server) -> None:
    variant = await stocked(shop, "once", 10)
    cart = await shops.add_cart(shop, [variant], checked_out=True)
    data = shops.order_request(shop, cart, "one-and-the-same")
    answers = await asyncio.gather(*(server.ask(data) for _ in range(24)))
    assert {a.status for a in answers} <= {201, 409}
    assert {a.json()["type"] for a in answers if a.status == 409} <= {"/problems/idempotency-still-running"}
    assert len({a.json()["id"] for a in answers if a.status == 201}) == 1
    assert (await server.ask(data)).status == 201
    assert await shop.runtime.database.value("SELECT count(*) FROM orders WHERE cart = $1", cart.id) == 1
    assert await level(shop, variant) == (10, 1)
    await sound(shop)


@pytest.mark.parametrize(
    ("buyers", "way"),
    [
        (300, "barrier"),
        (300, "race"),
        pytest.param(2000, "barrier", marks=pytest.mark.soak),
        pytest.param(2000, "race", marks=pytest.mark.soak),
    ],
)
async def test_webshop_till_and_marketplace_share_the_last_fifty(
    shop: Shop, open_at: Doors, server: Server, buyers: int, way: str
) -> None:
    """Three doors for the same units in one store, all at one moment or each as they come; a till has leased some."""
    name = f"mixed-{buyers}-{way}"
    [variant] = await shops.add_goods(shop, 1, units=UNITS, prefix=name, at=open_at.location)
    await doors.lease(open_at, variant, 5)
    wanted = await doors.wishes(open_at, variant, f"{name.upper()}-0", buyers)
    verdicts = await WAYS[way](server, wanted)
    told = collections.Counter(verdict.outcome for verdict in verdicts)
    assert told == {"sold": UNITS, "sold-out": buyers - UNITS}
    assert sum(v.outcome == "sold" for v in verdicts if v.door == "till") >= 5, "what it had leased, and more"
    assert await gone(shop, variant) == UNITS
    left = await shop.runtime.database.value(
        "SELECT coalesce(-sum(quantity), 0)::int FROM movement WHERE variant = $1 AND cause = 'sale'", variant
    )
    assert await level(shop, variant) == (UNITS - left, UNITS - left), "carried out, or held"
    assert server.complaints() == []
    await sound(shop)


async def test_each_door_alone_tells_who_comes_too_late(shop: Shop, open_at: Doors, server: Server) -> None:
    for door in doors.DOORS:
        prefix = f"only-{door}"
        [variant] = await shops.add_goods(shop, 1, units=3, prefix=prefix, at=open_at.location)
        wanted = await doors.wishes(open_at, variant, f"{prefix.upper()}-0", 12, at=[door])
        verdicts = await WAYS["barrier"](server, wanted)
        assert collections.Counter(v.outcome for v in verdicts) == {"sold": 3, "sold-out": 9}, door
    await sound(shop)


async def test_a_process_killed_amid_the_crowd_loses_nothing(
    shop: Shop, open_at: Doors, server: Server
) -> None:
    """``kill -9`` of one web process: whoever hears nothing asks again, with the same key, order number or ticket.

    Some have bought. All others wait for the stock, which somebody holds until the process with the most of them is dead.
    """
    [variant] = await shops.add_goods(shop, 1, units=UNITS, prefix="killed", at=open_at.location)
    wanted = await doors.wishes(open_at, variant, "KILLED-0", 150)
    early, late = wanted[:30], wanted[30:]
    assert {each.outcome for each in await WAYS["barrier"](server, early)} == {"sold"}
    async with shop.runtime.database.pool.acquire() as holder, holder.transaction():
        await holder.execute("SELECT FROM level WHERE variant = $1 FOR UPDATE", variant)
        connections = await server.connect(len(late))
        asked = [asyncio.ensure_future(c.ask(w.data)) for c, w in zip(connections, late, strict=True)]
        os.kill(await _busiest(server, shop), signal.SIGKILL)
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for connection in connections:
        connection.close()
    said = [
        (w, None if isinstance(a, BaseException) or a.status == 503 else doors.outcome(w, a))
        for w, a in zip(late, answers, strict=True)
    ]
    assert any(isinstance(answer, OSError) for answer in answers), "somebody was cut off"
    async with asyncio.timeout(120):
        outcomes = await asyncio.gather(*(_until_told(server, w) if o is None else _same(o) for w, o in said))
    told = collections.Counter(outcomes)
    assert told == {"sold": UNITS - len(early), "sold-out": len(wanted) - UNITS}
    assert await gone(shop, variant) == UNITS
    await sound(shop)


async def _busiest(server: Server, shop: Shop) -> int:
    """The web process with the most open connections, once a transaction waits for what somebody else holds."""
    async with asyncio.timeout(60):
        while True:
            waits = await shop.runtime.database.value("SELECT count(*) FROM pg_locks WHERE NOT granted")
            open_at = {
                pid: sum(
                    each.status == psutil.CONN_ESTABLISHED
                    for each in psutil.Process(pid).net_connections("tcp")
                )
                for pid in server.listening()
            }
            if waits and (most := max(open_at.values())):
                return next(pid for pid, count in open_at.items() if count == most)
            await asyncio.sleep(0.01)


async def _same(outcome: str) -> str:
    return outcome


async def _until_told(server: Server, wish: Wish) -> str:
    """Ask again, as clients do, until somebody answers."""
    while True:
        try:
            outcome = doors.outcome(wish, await server.ask(wish.data))
        except OSError:
            continue
        if outcome in ("sold", "sold-out"):
            return outcome
        await asyncio.sleep(0.1)  # its first request is still being ended, or the process comes up
