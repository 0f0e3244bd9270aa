"""Builds the demo's shop from the shipped files, by the same import code that users have.

Each step finds out what is there already, so a build that was killed goes on where it was.
"""

from collections.abc import Callable
from uuid import NAMESPACE_URL, uuid5

import duckdb
import msgspec

from samlad import catalog, stock
from samlad.catalog import imports as product_imports
from samlad.catalog.imports import ImportOptions
from samlad.channels import Channel, Resource
from samlad.demo import (
    asked,
    at_counter,
    bazaar,
    goods,
    kim,
    opinions,
    own_range,
    people,
    places,
    retail,
    talks,
)
from samlad.demo.events import DemoBuilt
from samlad.demo.people import SignIn
from samlad.demo.records import ProductRecord
from samlad.demo.stores import stores
from samlad.kernel import log
from samlad.kernel.database import Database, Tx
from samlad.kernel.problems import Problem
from samlad.kernel.runtime import Runtime
from samlad.orders import imports as order_imports

DEMO = uuid5(NAMESPACE_URL, "samlad:demo")
"""Subject of the event that says that the demo is complete."""

SOURCE = "uci-online-retail"
TILL = stores()[0].code
"""The store whose till the demo's proof uses, and whose clerk can sign in."""

ENOUGH = 12
"""So many pieces are on a store's shelf of what the demo rings up there: the rest is for whoever tries it."""

Progress = Callable[[str, int, int | None], None]
"""Called with the name of a step, how much of it is done, and of how much."""


class Built(msgspec.Struct, frozen=True):
    """What the demo has: who can sign in, and whether it had to be built now."""

    people: list[SignIn]
    is_new: bool


async def build(runtime: Runtime, progress: Progress) -> Built:
    """Build what is missing; with everything there it only looks."""
    database = runtime.database
    channel = await database.transaction(places.make_webshop)
    for number, record in enumerate(stores(), 1):
        await database.transaction(lambda tx, r=record, n=number: places.make_store(tx, r, n))  # type: ignore[misc]
    first = await stock.location_by_code(database, TILL)
    staff = await people.hire(database, runtime.settings.home, first)
    if await log.of_subject(database, DEMO, limit=1):
        return Built(staff, is_new=False)
    import samlad.app  # noqa: F401 - it was killed in the middle: from here on every package must have declared its own

    await _fill(database, channel, progress)
    return Built(staff, is_new=True)


async def _fill(database: Database, channel: Channel, progress: Progress) -> None:
    with retail.open_source() as source:
        records = list(retail.products(source))
        await _import_products(database, channel, records, progress)
        sample = bazaar.Sample()
        orders = await _import_orders(database, channel, source, sample, progress)
        await bazaar.open_up(database, list(retail.categories()), records, sample.orders)
    await _open_stock(database, channel, records, orders, progress)


async def _import_products(
    database: Database, channel: Channel, records: list[ProductRecord], progress: Progress
) -> None:
    paths = goods.category_paths(retail.categories())
    rows = [goods.product_row(record, paths) for record in records]

    def told(phase: str, done: int, _total: int | None) -> None:
        if phase == "write":
            progress("Products", done, len(rows))

    options = ImportOptions(channel=channel, price_list=goods.PRICE_LIST)
    report = await product_imports.run(database, rows, options, progress=told)
    if report.refused:
        raise Problem(f"The import of the demo's products refused {report.refused} of them.")


async def _import_orders(
    database: Database,
    channel: Channel,
    source: duckdb.DuckDBPyConnection,
    sample: bazaar.Sample,
    progress: Progress,
) -> int:
    done, total = 0, retail.facts().invoices

    def told(count: int) -> None:
        nonlocal done
        done += count
        progress("Orders of a year", done, total)

    records = sample.watch(retail.orders(source))
    report = await order_imports.run(database, channel, records, source=SOURCE, progress=told)
    return report.orders + report.skipped


async def _open_stock(
    database: Database, channel: Channel, records: list[ProductRecord], orders: int, progress: Progress
) -> None:
    """The opening stock, what the file has none of, and the word that all is done, in one transaction: never half, never twice."""
    plan = list(retail.opening_stock(stores(), records))
    skus = sorted({line.sku for line in plan})
    customer = await kim.arrive(database, channel)

    async def work(tx: Tx) -> None:
        places_of = {
            code: (await stock.location_by_code(tx, code)).id
            for code in sorted({line.location for line in plan})
        }
        variants = await catalog.by_skus(tx, channel.pool(Resource.CATALOGUE), skus)
        rows = [(places_of[line.location], variants[line.sku].id, line.quantity) for line in plan]
        await stock.opening(tx, rows + await bazaar.opening(tx))
        warehouse = await stock.location_by_code(tx, retail.WAREHOUSE)
        own = await own_range.make(tx, channel, warehouse)
        await opinions.tell(tx, channel)
        await asked.tell(tx, channel, customer)
        await kim.trade(tx, channel, customer, own)
        await talks.tell(tx, channel, customer)
        here = [line.sku for line in plan if line.location == TILL and line.quantity >= ENOUGH]
        await at_counter.trade(tx, TILL, [variants[sku].id for sku in here[:3]])
        units = sum(line.quantity for line in plan)
        log.append(tx, DemoBuilt(variants=len(variants), orders=orders, units=units), subject=DEMO)

    await database.transaction(work)
    progress("Opening stock", len(plan), len(plan))
