"""What a benchmark's shop has in it: a webshop with a warehouse, a key, goods with stock, carts ready to be ordered."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar
from uuid import UUID

import msgspec

from samlad import carts, channels, stock
from samlad.access import keys
from samlad.access.keys import KeyInput
from samlad.access.permissions import permissions
from samlad.app import CHECKS
from samlad.bench.wire import request
from samlad.carts import Address, CartInput, Delivery, DetailsInput, LineInput
from samlad.catalog import ProductRow, prices, products
from samlad.catalog.model import PriceInput, ProductStatus, VariantInput
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.kernel import checks
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.kernel.runtime import Runtime
from samlad.promotions import service as promotions
from samlad.promotions.model import PromotionInput
from samlad.stock import LocationInput, LocationKind

T = TypeVar("T")
R = TypeVar("R")

PRICE_LIST = "base"
CONCURRENCY = 8
"""Transactions at once while a shop is filled."""

BUYER = DetailsInput(
    email="kim@example.com",
    name="Kim Berg",
    address=Address(name="Kim Berg", line1="Storgatan 1", postal_code="211 34", city="Malmö", country="SE"),
    delivery=Delivery.SHIP,
)


class Shop(msgspec.Struct, frozen=True):
    """A webshop, its warehouse and the secret of a key that may do everything."""

    runtime: Runtime
    channel: Channel
    location: UUID
    key: str


class ReadyCart(msgspec.Struct, frozen=True):
    """A cart that only needs to be ordered; ``total`` in minor units."""

    id: UUID
    version: int
    total: int


async def open_shop(runtime: Runtime) -> Shop:
    """An empty webshop in Sweden."""

    async def work(tx: Tx) -> Shop:
        channel = await channels.create(
            tx,
            ChannelInput(
                code="web",
                name="Webshop",
                kind=ChannelKind.WEBSHOP,
                country="SE",
                locale="en",
                currency="SEK",
                time_zone="Europe/Stockholm",
                settings={"number_prefix": "B"},
            ),
        )
        price_list = prices.PriceListInput(code=PRICE_LIST, name="Base", currency="SEK")
        await prices.create_list(tx, channel.pools[Resource.PRICES], price_list)
        warehouse = await stock.create_location(
            tx, LocationInput(code="dc", name="Warehouse", kind=LocationKind.WAREHOUSE, pool_of=channel.code)
        )
        key = await keys.create(tx, KeyInput(name="bench", scopes=list(permissions())))
        return Shop(runtime, channel, warehouse.id, key.secret)

    return await runtime.database.transaction(work)


async def open_channel(shop: Shop, code: str, kind: ChannelKind) -> Channel:
    """A channel that sells what the webshop sells, out of the same stock."""
    data = ChannelInput(
        code=code,
        name=code.title(),
        kind=kind,
        parent=shop.channel.code,
        join=dict.fromkeys(Resource, shop.channel.code),
    )
    return await shop.runtime.database.transaction(lambda tx: channels.create(tx, data))


async def open_store(shop: Shop, code: str) -> tuple[Channel, UUID]:
    """A store that sells what the webshop sells; its channel and the location where it stands."""
    channel = await open_channel(shop, code, ChannelKind.STORE)
    place = LocationInput(code=code, name=channel.name, kind=LocationKind.STORE, channel=code)
    location = await shop.runtime.database.transaction(lambda tx: stock.create_location(tx, place))
    return channel, location.id


async def add_goods(
    shop: Shop, count: int, *, units: int, prefix: str = "thing", at: UUID | None = None
) -> list[UUID]:
    """So many products of one variant with so many units of each, in the warehouse unless ``at`` says where; the variants.

    Their SKUs are the prefix in capitals and a number from 0: ``THING-0``.
    """
    rows = [
        ProductRow(
            handle=f"{prefix}-{number}",
            title=f"{prefix.title()} {number}",
            status=ProductStatus.ACTIVE,
            variants=[
                VariantInput(
                    sku=f"{prefix.upper()}-{number}",
                    prices=[PriceInput(price_list=PRICE_LIST, amount=(number % 50 + 1) * 100)],
                )
            ],
        )
        for number in range(count)
    ]

    async def work(tx: Tx) -> list[UUID]:
        pools = shop.channel.pools
        plans = await products.apply(tx, pools[Resource.CATALOGUE], rows, price_pool=pools[Resource.PRICES])
        made = [plan.variants[0].id for plan in plans if not isinstance(plan, Exception)]
        assert len(made) == count, "all of these rows are right"
        if units:
            await stock.receive(tx, at or shop.location, [(variant, units) for variant in made])
        return made

    return await shop.runtime.database.transaction(work)


async def begin_campaign(shop: Shop) -> None:
    """Ten per cent off everything, for everybody."""
    given = {
        "channel": shop.channel.id,
        "name": "Campaign",
        "terms": {"effect": {"kind": "percent", "percent": 1_000}},
        "is_automatic": True,
    }
    data = msgspec.convert(given, PromotionInput)
    await shop.runtime.database.transaction(lambda tx: promotions.create(tx, data))


async def add_cart(
    shop: Shop, variants: Sequence[UUID], *, checked_out: bool, buyer: DetailsInput = BUYER
) -> ReadyCart:
    """A cart with one unit of each variant, a buyer and an address; with ``checked_out`` its stock is held."""

    async def work(tx: Tx) -> ReadyCart:
        lines = [LineInput(variant=variant) for variant in variants]
        made = await carts.create(tx, CartInput(channel=shop.channel.id, lines=lines))
        shown = await carts.set_details(tx, made.id, buyer)
        if checked_out:
            shown = await carts.checkout(tx, made.id)
        return ReadyCart(shown.id, shown.version, shown.totals.total)

    return await shop.runtime.database.transaction(work)


def order_request(shop: Shop, cart: ReadyCart, idempotency_key: str | None = None) -> bytes:
    """The request that places a cart's order and pays it with the test provider."""
    return request(
        "POST",
        "/api/orders",
        key=shop.key,
        body=order_body(cart),
        headers={"idempotency-key": idempotency_key or str(new_id())},
    )


def order_body(cart: ReadyCart) -> dict[str, object]:
    """What is sent to place the order of a cart."""
    return {"cart": str(cart.id), "payments": [{"provider": "test"}], "total": cart.total}


async def each(items: Iterable[T], work: Callable[[T], Awaitable[R]], at_once: int = CONCURRENCY) -> list[R]:
    """Do something with each item, so many at once; the results in any order."""
    waiting, results = iter(items), []

    async def take() -> None:
        for item in waiting:
            results.append(await work(item))  # noqa: PERF401 - several take from the same iterator

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(take())
    return results


async def settle(runtime: Runtime) -> None:
    """Let PostgreSQL know its tables as it does some minutes after they were filled."""
    async with runtime.database.pool.acquire() as connection:
        await connection.execute("VACUUM ANALYZE", timeout=300)


async def unsound(runtime: Runtime) -> list[str]:
    """What ``samlad doctor`` finds wrong with stock, orders and payments."""
    looked = [check for check in CHECKS if check.name.startswith(("stock-", "order-", "payment-"))]
    async with runtime.database.patient() as database:
        results = await checks.run(database, looked)
    return [f"{result.name}: {result.message}" for result in results if result.status == "failed"]
