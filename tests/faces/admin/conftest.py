"""A small retailer with goods, stock and orders, and the browser fixture."""

from uuid import UUID

import msgspec
import pytest

from samlad import carts, stock
from samlad.carts import CartInput, DetailsInput, LineInput
from samlad.catalog import products
from samlad.catalog.model import ProductInput
from samlad.channels import Resource
from samlad.kernel.database import Database, Tx
from trade import BUYER, Trade, build

__all__ = ["Shop", "shop"]

GOODS = (
    ("Copper kettle, 1.5 l", "KTL-150", 89_900, 12),
    ("Stoneware mug, moss", "MUG-032", 14_500, 318),
    ("Linen tea towel", "LIN-TT2", 22_000, 2),
    ("Cast iron casserole", "CAS-470", 189_000, 0),
)


class Shop(msgspec.Struct):
    """A webshop and two stores over one stock, four products."""

    trade: Trade
    variants: dict[str, UUID]
    products: dict[str, UUID]

    @property
    def db(self) -> Database:
        return self.trade.db

    async def buy(self, sku: str, quantity: int = 1, **fields):
        """An order of one line in the webshop."""
        return await self.trade.buy((self.variants[sku], quantity), **fields)

    async def cart(self, sku: str, **details):
        """A cart in the webshop by a named buyer."""
        lines = [LineInput(variant=self.variants[sku], quantity=1)]

        async def work(tx: Tx):
            made = await carts.create(tx, CartInput(channel=self.trade.web.id, lines=lines))
            return await carts.set_details(tx, made.id, msgspec.convert({**BUYER, **details}, DetailsInput))

        return await self.db.transaction(work)


@pytest.fixture
async def shop(db: Database) -> Shop:
    """The retailer with goods on the shelves."""
    trade = await build(db)
    made = Shop(trade, {}, {})

    async def work(tx: Tx) -> None:
        for title, sku, price, quantity in GOODS:
            data = msgspec.convert(
                {
                    "title": title,
                    "status": "active",
                    "variants": [{"sku": sku, "prices": [{"price_list": "base", "amount": price}]}],
                },
                ProductInput,
            )
            product = await products.create(
                tx, trade.web.pools[Resource.CATALOGUE], data, price_pool=trade.web.pools[Resource.PRICES]
            )
            made.variants[sku], made.products[sku] = product.variants[0].id, product.id
            if quantity:
                await stock.receive(tx, trade.warehouse.id, [(product.variants[0].id, quantity)])

        await stock.receive(tx, trade.at_malmo.id, [(made.variants["MUG-032"], 20)])

    await db.transaction(work)
    return made
