"""The demo's thirteen channels and their places: a web shop with a warehouse, and a dozen stores that share all with it."""

import contextlib

from samlad import channels, stock
from samlad.channels import Channel, ChannelInput, ChannelKind, Interval, OpeningHours, Resource
from samlad.demo import goods, ways
from samlad.demo.retail import WAREHOUSE, categories
from samlad.demo.stores import StoreRecord
from samlad.kernel.database import Tx
from samlad.kernel.problems import NotFound
from samlad.stock import LocationInput, LocationKind

WEBSHOP = "web"
SHOP_NAME = "The Gift Shop"


async def make_webshop(tx: Tx) -> Channel:
    """The web shop with its warehouse and what its catalogue needs. The second time it is there already."""
    with contextlib.suppress(NotFound):
        return await channels.by_code(tx, WEBSHOP)
    channel = await channels.create(
        tx,
        ChannelInput(
            code=WEBSHOP,
            name=SHOP_NAME,
            kind=ChannelKind.WEBSHOP,
            country="GB",
            locale="en",
            currency="GBP",
            time_zone="Europe/London",
            settings={
                "shipping_flat": 395,
                "number_prefix": "W-",
                "contact_email": "hello@gift-shop.example",
            },
        ),
    )
    await stock.create_location(
        tx,
        LocationInput(
            code=WAREHOUSE,
            name="Warehouse, Leicester",
            kind=LocationKind.WAREHOUSE,
            pool_of=WEBSHOP,
            address={
                "lines": "4 Meridian East",
                "city": "Leicester",
                "postal_code": "LE19 1WZ",
                "country": "GB",
            },
            latitude=52.5976,
            longitude=-1.1790,
            priority=10,
        ),
    )
    await goods.prepare(tx, channel, categories())
    await ways.offer(tx, channel.code)
    return channel


async def make_store(tx: Tx, record: StoreRecord, number: int) -> Channel:
    """A store channel that inherits from the web shop and shares every resource with it, and its location."""
    with contextlib.suppress(NotFound):
        return await channels.by_code(tx, record.code)
    weekly = [[Interval(opens, closes) for opens, closes in day] for day in record.opening_hours]
    channel = await channels.create(
        tx,
        ChannelInput(
            code=record.code,
            name=record.name,
            kind=ChannelKind.STORE,
            parent=WEBSHOP,
            time_zone=record.time_zone,
            opening_hours=OpeningHours(weekly),
            settings={
                "number_prefix": f"S{number:02}-",
                "tips": number == 1,
                "payment_providers": ["cash", "terminal", "gift_card", "store_credit", "test"],
            },
            join=dict.fromkeys(Resource, WEBSHOP),
        ),
    )
    await stock.create_location(tx, _location(record))
    return channel


def _location(record: StoreRecord) -> LocationInput:
    return LocationInput(
        code=record.code,
        name=record.name,
        kind=LocationKind.STORE,
        channel=record.code,
        address={
            "lines": ", ".join(record.address_lines),
            "city": record.city,
            "region": record.region,
            "postal_code": record.postal_code,
            "country": record.country,
        },
        latitude=record.latitude,
        longitude=record.longitude,
        time_zone=record.time_zone,
    )
