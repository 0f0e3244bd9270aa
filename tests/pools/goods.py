"""Goods of a marketplace that has a catalogue and prices of its own."""

from typing import Any
from uuid import UUID

import msgspec
from silo import Silo

from samlad import channels, stock
from samlad.catalog import prices, products
from samlad.catalog.model import ProductInput
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.kernel.database import Tx
from samlad.kernel.ids import new_id
from samlad.stock import LocationInput, LocationKind
from trade import Trade


async def build_apart(trade: Trade) -> Silo:
    """A marketplace that shares nothing, with a warehouse."""

    async def work(tx: Tx) -> Silo:
        market = await channels.create(
            tx,
            ChannelInput(
                code="market",
                name="Market",
                kind=ChannelKind.APP,
                country="SE",
                locale="sv",
                currency="SEK",
                time_zone="Europe/Stockholm",
                settings={"number_prefix": "A"},
            ),
        )
        depot = await stock.create_location(
            tx,
            LocationInput(
                code="depot", name="Depot", kind=LocationKind.MARKETPLACE, pool_of="market", priority=50
            ),
        )
        await prices.create_list(
            tx,
            market.pools[Resource.PRICES],
            prices.PriceListInput(code="market", name="Market", currency="SEK"),
        )
        return Silo(trade, market, depot)

    return await trade.db.transaction(work)


async def product(
    silo: Silo,
    channel: Channel,
    *variants: dict[str, Any],
    price: int = 19_900,
    quantity: int = 0,
    **fields: Any,
) -> list[UUID]:
    """The variants of a new product of a channel, with so many of each in its warehouse."""
    is_market = channel.id == silo.market.id
    data = msgspec.convert(
        {
            "title": "Kettle",
            "handle": f"kettle-{new_id()}",
            "status": "active",
            "variants": [
                {"prices": [{"price_list": "market" if is_market else "base", "amount": price}], **each}
                for each in variants
            ],
            **fields,
        },
        ProductInput,
    )

    async def work(tx: Tx) -> list[UUID]:
        made = await products.create(
            tx, channel.pools[Resource.CATALOGUE], data, price_pool=channel.pools[Resource.PRICES]
        )
        ids = [each.id for each in made.variants]
        place = silo.depot if is_market else silo.trade.warehouse
        if quantity:
            await stock.receive(tx, place.id, [(each, quantity) for each in ids])
        return ids

    return await silo.trade.db.transaction(work)
