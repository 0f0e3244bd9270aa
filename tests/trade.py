"""A small retailer for the tests of customers, carts and orders: a webshop and two stores over one of everything."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

import horizon
from samlad import carts, catalog, channels, orders, stock
from samlad.app import CHECKS, FOLLOWERS
from samlad.carts import CartInput, CartView, DetailsInput, LineInput
from samlad.catalog import ProductChange, Tracking, prices, products
from samlad.catalog.model import ProductInput
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.kernel import followers
from samlad.kernel.clock import now
from samlad.kernel.context import Actor, Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.ids import new_id
from samlad.orders import Order, PlaceOrder
from samlad.payments import PaymentInput
from samlad.stock import Location, LocationInput, LocationKind
from samlad.stock.lots_model import Named

ADDRESS = {
    "name": "Kim Berg",
    "line1": "Storgatan 1",
    "postal_code": "211 34",
    "city": "Malmö",
    "country": "SE",
}
BUYER: dict[str, Any] = {"email": "kim@example.org", "address": ADDRESS, "delivery": "ship"}
GUEST = Context(actor=Actor(kind="guest"))


class Trade(msgspec.Struct):
    """The world of the tests, and short ways to act in it."""

    db: Database
    web: Channel
    malmo: Channel
    lund: Channel
    warehouse: Location
    at_malmo: Location
    at_lund: Location

    async def kettle(
        self,
        price: int = 19_900,
        quantity: int = 10,
        at: Location | None = None,
        *,
        title: str = "Kettle",
        **variant: Any,
    ) -> UUID:
        """A new variant at a price in öre (25 % tax in it), with so many at a location (the warehouse)."""
        data = msgspec.convert(
            {
                "title": title,
                "handle": f"kettle-{new_id()}",
                "status": "active",
                "variants": [
                    {"sku": f"K-{new_id()}", "prices": [{"price_list": "base", "amount": price}], **variant}
                ],
            },
            ProductInput,
        )

        async def work(tx: Tx) -> UUID:
            made = await products.create(
                tx,
                self.web.pools[Resource.CATALOGUE],
                data,
                price_pool=self.web.pools[Resource.PRICES],
            )
            variant = made.variants[0].id
            if quantity:
                await stock.receive(tx, (at or self.warehouse).id, [(variant, quantity)])
            return variant

        return await self.db.transaction(work)

    async def set_of(self, price: int, *parts: tuple[UUID, int], title: str = "Tea set") -> UUID:
        """A new set at a price, made of (variant, how many of it)."""
        refs = await catalog.by_ids(self.db, [variant for variant, _ in parts])
        components = [{"sku": refs[variant].sku, "quantity": count} for variant, count in parts]
        return await self.kettle(price, 0, title=title, components=components)

    async def shirts(self) -> list[UUID]:
        """A shirt in two lengths: the short one costs 10,000 öre, the long one 15,000; nine of each at the warehouse."""
        data = msgspec.convert(
            {
                "title": "Shirt",
                "handle": f"shirt-{new_id()}",
                "status": "active",
                "options": [{"name": "Length", "values": ["short", "long"]}],
                "variants": [
                    {
                        "sku": f"{length}-{new_id()}",
                        "options": {"Length": length},
                        "prices": [{"price_list": "base", "amount": price}],
                    }
                    for length, price in (("short", 10_000), ("long", 15_000))
                ],
            },
            ProductInput,
        )
        pools = self.web.pools

        async def work(tx: Tx) -> list[UUID]:
            made = await products.create(
                tx, pools[Resource.CATALOGUE], data, price_pool=pools[Resource.PRICES]
            )
            found = [variant.id for variant in made.variants]
            await stock.receive(tx, self.warehouse.id, [(variant, 9) for variant in found])
            return found

        return await self.db.transaction(work)

    async def by_lot(self, variant: UUID, **lots: int) -> None:
        """Keep a variant by lot, and bring units of lots into the warehouse; the first expires first."""

        async def work(tx: Tx) -> None:
            found = await catalog.by_ids(tx, [variant])
            change = ProductChange(tracking=Tracking.EXPIRY)
            await catalog.change(tx, found[variant].product, change)
            for days, (code, units) in enumerate(lots.items(), 30):
                named = Named(variant, units, code, now().date() + timedelta(days=days))
                of = await stock.resolve_lots(tx, [named])
                await stock.receive(tx, self.warehouse.id, [(variant, units)], lots=of)

        await self.db.transaction(work)

    async def set_price(self, variant: UUID, price: int) -> None:
        await self.db.rows("UPDATE price SET amount = $2 WHERE variant = $1 RETURNING 1", variant, price)

    async def cart(
        self, *lines: tuple[UUID, int], channel: Channel | None = None, **details: Any
    ) -> CartView:
        """A cart made by the system; in the webshop with a buyer who wants it shipped."""
        data = CartInput(
            channel=(channel or self.web).id,
            lines=[LineInput(variant=variant, quantity=quantity) for variant, quantity in lines],
        )
        wanted = details or (BUYER if channel in (None, self.web) else {})

        async def work(tx: Tx) -> CartView:
            made: CartView = await carts.create(tx, data)
            return (
                await carts.set_details(tx, made.id, msgspec.convert(wanted, DetailsInput))
                if wanted
                else made
            )

        return await self.db.transaction(work)

    async def place(self, cart: UUID, *payments: PaymentInput, **fields: Any) -> Order:
        paid = list(payments) or ([] if fields.get("pay_later") else [PaymentInput(provider="test")])
        order = PlaceOrder(cart=cart, payments=paid, **fields)
        return await self.db.transaction(lambda tx: orders.place(tx, order))

    async def buy(self, *lines: tuple[UUID, int], channel: Channel | None = None, **fields: Any) -> Order:
        return await self.place((await self.cart(*lines, channel=channel)).id, **fields)

    async def follow(self) -> None:
        """Let the followers catch up."""
        await followers.register(self.db, FOLLOWERS)
        behind = await horizon.behind(self.db, FOLLOWERS)
        for follower in FOLLOWERS:
            if follower.name in behind:
                await horizon.passed(self.db)
                while await followers.step(self.db, follower):
                    await horizon.passed(self.db)
                behind = await horizon.behind(self.db, FOLLOWERS)
        parked = await self.db.rows("SELECT name, last_error FROM follower WHERE last_error IS NOT NULL")
        assert parked == [], [tuple(row) for row in parked]

    async def level(self, variant: UUID, at: Location | None = None) -> tuple[int, int]:
        """On hand and held."""
        row = await self.db.row(
            "SELECT on_hand, held FROM level WHERE variant = $1 AND location = $2",
            variant,
            (at or self.warehouse).id,
        )
        return (0, 0) if row is None else (row["on_hand"], row["held"])

    async def sound(self) -> None:
        """Every check of ``samlad doctor`` on stock, orders and payments holds."""
        for check in CHECKS:
            if check.name.startswith(("order", "customer", "payment", "stock", "delivery")):
                finding = await check.look(self.db)
                assert finding.status == "ok", f"{check.name}: {finding.message}"

    async def agree(self) -> None:
        """After everything was followed every check of ``samlad doctor`` holds, documents and books too."""
        await self.follow()
        for check in CHECKS:
            if check.name not in ("migrations", "followers", "parked-events", "partitions", "jobs"):
                finding = await check.look(self.db)
                assert finding.status == "ok", f"{check.name}: {finding.message}"


async def build(db: Database, **settings: Any) -> Trade:
    """Make the channels, locations and the price list; ``settings`` are the webshop's."""

    async def work(tx: Tx) -> Trade:
        web = await channels.create(
            tx,
            ChannelInput(
                code="web",
                name="Web",
                kind=ChannelKind.WEBSHOP,
                country="SE",
                locale="sv",
                currency="SEK",
                time_zone="Europe/Stockholm",
                settings={"number_prefix": "W", **settings},
            ),
        )
        stores = []
        for code in ("malmo", "lund"):
            data = ChannelInput(
                code=code,
                name=code.title(),
                kind=ChannelKind.STORE,
                parent="web",
                join=dict.fromkeys(Resource, "web"),
                settings={"number_prefix": code[0].upper()},
            )
            stores.append(await channels.create(tx, data))
        await prices.create_list(
            tx,
            web.pools[Resource.PRICES],
            prices.PriceListInput(code="base", name="Base", currency="SEK"),
        )
        warehouse = await stock.create_location(
            tx,
            LocationInput(
                code="dc", name="Warehouse", kind=LocationKind.WAREHOUSE, pool_of="web", priority=1
            ),
        )
        at_malmo, at_lund = [
            await stock.create_location(
                tx,
                LocationInput(code=c.code, name=c.name, kind=LocationKind.STORE, channel=c.code, priority=n),
            )
            for n, c in enumerate(stores, 10)
        ]
        return Trade(db, web, *stores, warehouse, at_malmo, at_lund)

    return await db.transaction(work)
