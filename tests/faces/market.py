"""A small retailer to try faces on: a webshop and two stores over one stock, a few products, and what tests do there."""

import re
from typing import Any
from uuid import UUID

import httpx
import msgspec

from samlad import catalog, channels, delivery, stock
from samlad.catalog import ProductInput, ProductView, categories, prices
from samlad.catalog.categories import CategoryInput
from samlad.channels import Channel, ChannelInput, Resource
from samlad.delivery import Method, MethodInput
from samlad.kernel.database import Database, Tx
from samlad.stock import Location, LocationInput

SHARED = dict.fromkeys(("catalogue", "prices", "stock", "customers", "carts", "promotions", "orders"), "web")


class Market:
    """The retailer. Amounts are öre; prices include 25 % tax."""

    def __init__(self, db: Database, web: Channel, stores: list[Channel], places: list[Location]) -> None:
        self.db = db
        self.web = web
        self.stores = stores
        self.places = places

    async def product(self, **fields: Any) -> ProductView:
        """A product from plain values; ``price`` and ``stock`` (a number for each location) are short for all variants."""
        price, counts = fields.pop("price", 9900), fields.pop("stock", ())
        variants = fields.setdefault("variants", [{"sku": fields.pop("sku", "KETTLE")}])
        for variant in variants:
            variant.setdefault("prices", [{"price_list": "base", "amount": price}])
        data = msgspec.convert({"title": "Kettle", "status": "active", **fields}, ProductInput)
        pool, price_pool = self.web.pools[Resource.CATALOGUE], self.web.pools[Resource.PRICES]
        made = await self.db.transaction(lambda tx: catalog.create(tx, pool, data, price_pool=price_pool))
        for place, count in zip(self.places, counts, strict=False):
            await self.put([v.id for v in made.variants], place, count)
        return made

    async def put(self, variants: list[UUID], place: Location, count: int) -> None:
        """Receive units."""
        if count:
            lines = [(variant, count) for variant in variants]
            await self.db.transaction(lambda tx: stock.receive(tx, place.id, lines))

    async def reprice(self, sku: str, amount: int) -> None:
        """Another price in the base list."""
        pool = self.web.pools[Resource.CATALOGUE]
        found = await catalog.by_skus(self.db, pool, [sku])
        change = msgspec.convert(
            {"variants": [{"sku": sku, "prices": [{"price_list": "base", "amount": amount}]}]},
            catalog.ProductChange,
        )
        await self.db.transaction(
            lambda tx: catalog.change(
                tx, found[sku].product, change, price_pool=self.web.pools[Resource.PRICES]
            )
        )

    async def available(self, variant: UUID) -> int:
        """What the webshop may promise."""
        return (await stock.atp(self.db, self.web, [variant]))[variant]

    async def orders(self) -> list[Any]:
        """Every order: number, status, channel and total."""
        return await self.db.rows(
            "SELECT id, number, status, channel, total, delivery FROM orders ORDER BY placed_at"
        )


async def open_market(db: Database) -> Market:
    """Open the webshop and two stores."""
    web = await _channel(
        db, code="web", name="Hemma", kind="webshop", country="SE", locale="sv", currency="SEK",
        time_zone="Europe/Stockholm", settings={"shipping_flat": 4900},
    )  # fmt: skip
    stores, places = [], []
    for place, (code, city) in enumerate((("soder", "Stockholm"), ("haga", "Göteborg"))):
        store = await _channel(
            db, code=code, name=f"Hemma {code.title()}", kind="store", parent="web", join=SHARED
        )
        stores.append(store)
        address = {"lines": f"Storgatan {place + 1}", "city": city, "country": "SE"}
        data = LocationInput(
            code=code, name=store.name, kind="store", channel=code, address=address, priority=place
        )
        places.append(await db.transaction(lambda tx, data=data: stock.create_location(tx, data)))
    base = prices.PriceListInput(code="base", name="Base", currency="SEK")
    await db.transaction(lambda tx: prices.create_list(tx, web.pools[Resource.PRICES], base))
    for name in ("Kök", "Bad"):
        data = CategoryInput(name=name)
        await db.transaction(lambda tx, data=data: categories.create(tx, web.pools[Resource.CATALOGUE], data))
    return Market(db, web, stores, places)


async def _channel(db: Database, **fields: Any) -> Channel:
    data = msgspec.convert(fields, ChannelInput)
    return await db.transaction(lambda tx: channels.create(tx, data))


# -- reading pages -----------------------------------------------------------------------------------------------------


def hidden(html: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, f"no field {name}"
    return found[1]


def text_of(html: str) -> str:
    """What a reader sees, in one line."""
    body = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body)).replace("&amp;", "&")


async def put_in(guest: httpx.AsyncClient, variant: UUID, quantity: int = 1) -> httpx.Response:
    """Put something into the cart, as the form of a product page does."""
    return await guest.post("/cart/lines", data={"variant": str(variant), "quantity": str(quantity)})


METHODS: list[dict[str, Any]] = [
    {
        "code": "courier", "kind": "ship", "name": "Courier", "names": {"sv": "Bud"}, "position": 1,
        "zones": [{"countries": ["SE"], "transit_min": 1, "transit_max": 1}], "rate": {"kind": "flat", "price": 7900},
    },
    {
        "code": "post", "kind": "ship", "name": "Post", "position": 2, "zones": [{}],
        "rate": {"kind": "flat", "price": 2900},
    },
    {"code": "collect", "kind": "pickup", "name": "Pick up", "names": {"sv": "Hämta"}, "pick_minutes": 0,
     "pack_minutes": 0, "position": 3},
]  # fmt: skip


async def offer(market: Market) -> None:
    """Give the webshop, and so its stores, three delivery methods."""

    async def work(tx: Tx) -> None:
        for method in METHODS:
            await delivery.create_method(tx, msgspec.convert({"channel": "web", **method}, MethodInput))

    await market.db.transaction(work)


async def bring_in_slots(market: Market, capacity: int = 1) -> Method:
    """A same-day method every two hours of each day. Somebody has the second time of the next day at every store."""
    slots = [
        {"start": f"{hour:02d}:00", "end": f"{hour:02d}:45", "capacity": capacity} for hour in range(0, 24, 2)
    ]
    bike = {
        "code": "bike", "kind": "same_day", "name": "Bike", "position": 9, "zones": [{}], "slots": slots,
        "calendar": {"weekdays": [1, 2, 3, 4, 5, 6, 7]}, "pick_minutes": 5, "pack_minutes": 5,
    }  # fmt: skip
    data = msgspec.convert({"channel": "web", "rate": {"kind": "flat", "price": 900}, **bike}, MethodInput)
    method = await market.db.transaction(lambda tx: delivery.create_method(tx, data))
    await market.db.rows(
        """INSERT INTO delivery_slot (method, day, location, start, orders)
           SELECT $1, (now() AT TIME ZONE 'Europe/Stockholm')::date + 1, unnest($2::uuid[]), '04:00', $3 RETURNING 1""",
        method.id,
        [place.id for place in market.places],
        capacity,
    )
    return method
