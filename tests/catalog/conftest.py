"""A shop to test the catalogue in."""

from uuid import UUID

import msgspec
import pytest

from samlad import channels
from samlad.catalog import prices, products
from samlad.catalog.model import ProductInput, ProductView
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.kernel.database import Database


class Shop:
    """A Swedish webshop with a base price list, and short words for what tests do with it."""

    def __init__(self, db: Database, channel: Channel, base: prices.PriceList) -> None:
        self.db = db
        self.channel = channel
        self.base = base

    @property
    def pool(self) -> UUID:
        return self.channel.pools[Resource.CATALOGUE]

    @property
    def price_pool(self) -> UUID:
        return self.channel.pools[Resource.PRICES]

    async def product(self, **fields: object) -> ProductView:
        """A product from plain values; ``price`` is a shorthand for all its variants."""
        price = fields.pop("price", None)
        if "variants" not in fields:
            fields["variants"] = [{"sku": fields.pop("sku", "SKU")}]
        if price is not None:
            for variant in fields["variants"]:  # type: ignore[attr-defined]
                variant.setdefault("prices", [{"price_list": "base", "amount": price}])
        data = msgspec.convert({"title": "Kettle", "status": "active"} | fields, ProductInput)
        return await self.db.transaction(
            lambda tx: products.create(tx, self.pool, data, price_pool=self.price_pool)
        )


def webshop(code: str = "web", **fields: object) -> ChannelInput:
    return msgspec.convert(
        {
            "code": code,
            "name": "Webshop",
            "kind": ChannelKind.WEBSHOP,
            "country": "SE",
            "locale": "sv-SE",
            "currency": "SEK",
            "time_zone": "Europe/Stockholm",
        }
        | fields,
        ChannelInput,
    )


@pytest.fixture
async def shop(db: Database) -> Shop:
    channel = await db.transaction(lambda tx: channels.create(tx, webshop()))
    base = await db.transaction(
        lambda tx: prices.create_list(
            tx,
            channel.pools[Resource.PRICES],
            prices.PriceListInput(code="base", name="Base", currency="SEK"),
        )
    )
    return Shop(db, channel, base)
