"""A marketplace that stands apart: goods, prices, customers, stock and orders of its own, ready to be joined.

It sells some of the shop's real goods, most under the shop's stock codes and some under its own, at prices that often
differ, to people half of whom the shop knows by the same number. Some codes of its own match by GTIN, some match nothing,
and a few numbers contradict each other, so that whoever plans its joining has something to decide. Its orders are the
file's last small baskets, told once more under its own numbers.
"""

import contextlib
from collections import deque
from collections.abc import Iterable, Iterator
from uuid import UUID

import msgspec

from samlad import catalog, channels, stock
from samlad.catalog import imports as product_imports
from samlad.catalog.imports import ImportOptions
from samlad.catalog.model import PriceInput
from samlad.channels import Channel, ChannelInput, ChannelKind, Resource
from samlad.demo import goods
from samlad.demo.records import CategoryRecord, OrderRecord, ProductRecord
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import NotFound
from samlad.orders import imports as order_imports
from samlad.orders.model import OrderKind
from samlad.stock import LocationInput, LocationKind

CODE, DEPOT, SOURCE = "bazaar", "bazaar-depot", "bazaar"
PRODUCTS, ORDERS, UNITS = 60, 120, 24
OWN_CODE_EACH = 4
"""Every so manyth of its goods has a code of its own; every second of these has lost its GTIN and matches nothing."""
WRONG_EACH, DEARER_EACH, DEARER_PERCENT = 15, 3, 12
"""Every so manyth of its goods has somebody else's GTIN; every so manyth costs so much more than in the shop."""
SMALL = 12
"""Lines of a basket at most."""


class Sample:
    """Passes orders on and remembers the last small baskets of known customers."""

    def __init__(self) -> None:
        self.orders: deque[OrderRecord] = deque(maxlen=ORDERS)

    def watch(self, records: Iterable[OrderRecord]) -> Iterator[OrderRecord]:
        """The same records."""
        for record in records:
            if record.kind is OrderKind.SALE and record.customer and len(record.lines) <= SMALL:
                self.orders.append(record)
            yield record


async def open_up(
    database: Database,
    nodes: list[CategoryRecord],
    records: list[ProductRecord],
    orders: Iterable[OrderRecord],
) -> None:
    """Make the marketplace and all that it has. What is there already stays as it is."""
    channel = await database.transaction(lambda tx: _make(tx, nodes))
    chosen = records[:: max(len(records) // PRODUCTS, 1)][:PRODUCTS]
    paths = goods.category_paths(nodes)
    rows = [_as_it_sells_it(goods.product_row(record, paths), place) for place, record in enumerate(chosen)]
    await product_imports.run(database, rows, ImportOptions(channel=channel, price_list=goods.PRICE_LIST))
    await order_imports.run(database, channel, _told_again(orders), source=SOURCE)


async def _make(tx: Tx, nodes: list[CategoryRecord]) -> Channel:
    with contextlib.suppress(NotFound):
        return await channels.by_code(tx, CODE)
    channel = await channels.create(
        tx,
        ChannelInput(
            code=CODE,
            name="Bazaar",
            kind=ChannelKind.MARKETPLACE,
            country="GB",
            locale="en",
            currency="GBP",
            time_zone="Europe/London",
            settings={"number_prefix": "BZ-"},
        ),
    )
    await goods.prepare(tx, channel, nodes)
    await stock.create_location(
        tx,
        LocationInput(code=DEPOT, name="Bazaar depot, Daventry", kind=LocationKind.MARKETPLACE, pool_of=CODE),
    )
    return channel


def _as_it_sells_it(row: catalog.ProductRow, place: int) -> catalog.ProductRow:
    variants = []
    for variant in row.variants:
        sku, gtin, prices = variant.sku, variant.gtin, variant.prices
        if place % OWN_CODE_EACH == 0:
            sku = f"BZ-{sku}"
            gtin = None if place % (2 * OWN_CODE_EACH) == 0 else gtin
        elif place % WRONG_EACH == 1:
            gtin = goods.in_store_number(f"{10_000 + place}")
        if place % DEARER_EACH == 0 and prices:
            prices = [_dearer(each) for each in prices]
        variants.append(msgspec.structs.replace(variant, sku=sku, gtin=gtin, prices=prices))
    return msgspec.structs.replace(row, variants=variants)


def _dearer(price: PriceInput) -> PriceInput:
    amount = None if price.amount is None else price.amount * (100 + DEARER_PERCENT) // 100
    return msgspec.structs.replace(price, amount=amount)


def _told_again(orders: Iterable[OrderRecord]) -> Iterator[OrderRecord]:
    for place, order in enumerate(orders):
        known = place % 2 == 0
        customer = order.customer if known else f"BZ-{order.customer}"
        yield msgspec.structs.replace(order, number=f"BZ-{order.number}", customer=customer)


async def opening(tx: Tx) -> list[tuple[UUID, UUID, int]]:
    """What lies in its depot at first: (location, variant, units)."""
    channel, depot = await channels.by_code(tx, CODE), await stock.location_by_code(tx, DEPOT)
    rows = await tx.rows(
        "SELECT id FROM variant WHERE pool = $1 ORDER BY id", channel.pool(Resource.CATALOGUE)
    )
    return [(depot.id, row["id"], UNITS) for row in rows]
