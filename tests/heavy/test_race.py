"""Never sold twice: buyers at once, over HTTP, on four server processes."""

import asyncio
import collections
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio

from samlad import channels, stock
from samlad.bench import shop as shops
from samlad.bench.oversell import rush
from samlad.bench.server import Server, fresh_shop
from samlad.bench.shop import Shop
from samlad.bench.wire import Answer, Connection, request
from samlad.carts import Delivery, DetailsInput
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.stock import LocationInput, LocationKind

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

BUYERS, UNITS, PROCESSES = 200, 50, 4


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[Shop]:
    async with fresh_shop() as runtime:
        yield await shops.open_shop(runtime)


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
    ("buyers", "hot"), [(300, True), (300, False), pytest.param(2000, True, marks=pytest.mark.soak)]
)
async def test_webshop_till_and_marketplace_share_the_last_fifty(
    shop: Shop, server: Server, buyers: int, hot: bool
) -> None:
    """Three ways to buy, for the same units in one store; ``hot``: all at one moment, else as they come."""
    name = f"mixed-{buyers}-{hot}".lower()
    till, store = await open_store(shop, name)
    variant = await stocked(shop, name, 0)
    await shop.runtime.database.transaction(lambda tx: stock.receive(tx, store, [(variant, UNITS)]))
    at_till = DetailsInput(delivery=Delivery.CARRY_OUT, location=store)

    async def wish(number: int) -> bytes:
        headers = {"idempotency-key": str(new_id())}
        if number % 3 == 2:
            body = {
                "channel": str(shop.channel.id),
                "external_id": f"{name}-{number}",
                "placed_at": "2026-11-20T10:00:00Z",
                "lines": [{"variant": str(variant), "unit_price": 100}],
            }
            return request("POST", "/api/orders/arrivals", key=shop.key, body=body, headers=headers)
        if number % 3 == 0:
            return shops.order_request(shop, await shops.add_cart(shop, [variant], checked_out=False))
        cart = await shops.add_cart(
            msgspec.structs.replace(shop, channel=till), [variant], checked_out=False, buyer=at_till
        )
        return shops.order_request(shop, cart)

    wishes = await shops.each(range(buyers), wish)
    connections = await server.connect(buyers if hot else 16)
    answers = await _rush(connections, wishes)
    told = collections.Counter(str(a.status) if a.status == 201 else a.json()["type"] for a in answers)
    assert told == {"201": UNITS, "/problems/sold-out": buyers - UNITS}, _surprises(answers)
    row = await shop.runtime.database.row(
        "SELECT sum(on_hand) AS on_hand, sum(held) AS held FROM level WHERE variant = $1", variant
    )
    assert row is not None
    gone = await shop.runtime.database.value(
        "SELECT coalesce(-sum(quantity), 0) FROM movement WHERE variant = $1 AND cause = 'sale'", variant
    )
    assert (row["on_hand"], row["held"]) == (UNITS - gone, UNITS - gone), "carried out, or held"
    await sound(shop)


def _surprises(answers: list[Answer]) -> list[object]:
    return [a.json() for a in answers if a.status != 201 and a.json()["type"] != "/problems/sold-out"]


async def _rush(connections: list[Connection], wishes: list[bytes]) -> list[Answer]:
    """Every connection asks as soon as it is free, all at the same moment."""
    waiting, answers = iter(wishes), []

    async def go(connection: Connection) -> None:
        for data in waiting:
            answers.append(await connection.ask(data))  # noqa: PERF401 - they share the iterator
        connection.close()

    await asyncio.gather(*map(go, connections))
    return answers


async def open_store(shop: Shop, code: str) -> tuple[Channel, UUID]:
    """A store that sells what the webshop sells, out of the same stock; the channel and its location."""

    async def work(tx: Tx) -> tuple[Channel, UUID]:
        data = ChannelInput(
            code=code,
            name=code,
            kind=ChannelKind.STORE,
            parent=shop.channel.code,
            join=dict.fromkeys(Resource, shop.channel.code),
        )
        channel = await channels.create(tx, data)
        place = LocationInput(code=code, name=code, kind=LocationKind.STORE, channel=code)
        return channel, (await stock.create_location(tx, place)).id

    return await shop.runtime.database.transaction(work)
