"""A large made-up catalogue that looks like a real one: to measure with, never to show."""

import contextlib
import random
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from samlad.catalog import imports
from samlad.catalog.imports import ImportOptions
from samlad.catalog.model import Option, PriceInput, ProductRow, ProductStatus, VariantInput
from samlad.channels import Channel
from samlad.kernel.database import Database

_MATERIALS = [
    "Wool",
    "Cotton",
    "Linen",
    "Steel",
    "Oak",
    "Glass",
    "Leather",
    "Bamboo",
    "Ceramic",
    "Enamel",
    "Copper",
    "Silk",
    "Denim",
    "Cork",
    "Marble",
]
_STYLES = [
    "Vintage",
    "Classic",
    "Modern",
    "Nordic",
    "Rustic",
    "Slim",
    "Heavy",
    "Light",
    "Soft",
    "Striped",
    "Checked",
    "Plain",
    "Folding",
    "Outdoor",
]
_THINGS = [
    "Shirt",
    "Jacket",
    "Kettle",
    "Lamp",
    "Table",
    "Chair",
    "Cushion",
    "Blanket",
    "Mug",
    "Bowl",
    "Knife",
    "Backpack",
    "Scarf",
    "Boots",
    "Sandals",
    "Bottle",
    "Candle",
    "Clock",
    "Mirror",
    "Basket",
    "Rug",
    "Curtain",
    "Towel",
    "Apron",
    "Teapot",
    "Lantern",
    "Vase",
    "Frame",
    "Shelf",
    "Stool",
    "Wallet",
    "Belt",
    "Gloves",
    "Hat",
]
_COLOURS = ["Red", "Blue", "Green", "Black", "White", "Grey", "Yellow", "Pink", "Brown", "Orange"]
_SIZES = ["XS", "S", "M", "L", "XL"]
_SYLLABLES = ["ka", "lo", "mi", "ren", "tus", "vel", "dor", "nia", "sa", "be", "gri", "fal", "on", "ur", "ek"]


def rows(variants: int, *, price_list: str, seed: int = 1) -> Iterator[ProductRow]:
    """Products with one to five variants each until there are this many variants; the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - made-up goods are no secret
    brands = ["".join(dice.choices(_SYLLABLES, k=3)).title() for _ in range(400)]
    vocabulary = ["".join(dice.choices(_SYLLABLES, k=dice.choice((2, 3, 4)))) for _ in range(5000)]
    frequency = [1 / (rank + 10) for rank in range(len(vocabulary))]  # Zipf: few words are most of every text
    number = 0
    while number < variants:
        count = min(dice.choice((1, 3, 3, 5)), variants - number)
        colour = dice.choice(_COLOURS)
        price = round(dice.lognormvariate(5.5, 0.8)) * 100 + 90
        yield ProductRow(
            handle=f"made-up-{seed}-{number}",
            title=f"{dice.choice(_STYLES)} {dice.choice(_MATERIALS)} {dice.choice(_THINGS)} "
            f"{''.join(dice.choices(_SYLLABLES, k=3)).title()}",
            description=f"<p>{' '.join(dice.choices(vocabulary, frequency, k=25))}</p>",
            status=ProductStatus.ACTIVE,
            brand=dice.choice(brands),
            tags=dice.sample(_STYLES, 2),
            options=[Option("Colour", [colour]), Option("Size", _SIZES[:count])],
            variants=[
                VariantInput(
                    sku=f"MU-{seed}-{number + n}",
                    options={"Colour": colour, "Size": _SIZES[n]},
                    weight_g=dice.randrange(50, 5000),
                    prices=[PriceInput(price_list=price_list, amount=price)],
                )
                for n in range(count)
            ],
        )
        number += count


async def fill(database: Database, channel: Channel, variants: int, *, price_list: str) -> int:
    """Import a made-up catalogue into a channel's pools; the number of products."""
    options = ImportOptions(channel=channel, price_list=price_list)
    report = await imports.run(database, rows(variants, price_list=price_list), options)
    return report.products


SEEN = 10_000
"""Variants that are imported before the rest is copied from them."""

# Ids are made of the copied row's and the number of the copy, so that tables find each other again.
_COPIED = "md5({} || '-' || n)::uuid"
_COPIES = (
    ("product", {"id": _COPIED.format("s.id"), "handle": "s.handle || '-' || n"}),
    ("product_search", {"product": _COPIED.format("s.product")}),
    ("search_price", {"product": _COPIED.format("s.product")}),
    (
        "variant",
        {"id": _COPIED.format("s.id"), "product": _COPIED.format("s.product"), "sku": "s.sku || '-' || n"},
    ),
    ("price", {"variant": _COPIED.format("s.variant")}),
    ("price_history", {"variant": _COPIED.format("s.variant")}),
)


async def fill_fast(database: Database, channel: Channel, variants: int, *, price_list: str) -> int:
    """`fill` for many: some are imported, the others are copies of them by one INSERT … SELECT a table.

    Titles and words come again in the copies: who measures searching uses `fill`. Needs a superuser, as triggers rest
    meanwhile. The number of products.
    """
    first = min(SEEN, variants)
    await fill(database, channel, first, price_list=price_list)
    copies = -(-variants // first) - 1
    async with database.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '256MB'"
        )
        for table, differs in _COPIES if copies else ():
            await _copy(connection, table, differs, copies)
    return int(await database.value("SELECT count(*) FROM product"))


@contextlib.asynccontextmanager
async def without_indexes(connection: Any, table: str) -> AsyncIterator[None]:
    """Take the indexes of a table away that only make it quick, and make them anew: a fraction of keeping them row by row."""
    indexes = await connection.fetch(
        """SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS made
           FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
           WHERE i.indrelid = $1::regclass AND NOT i.indisunique AND NOT i.indisexclusion""",
        table,
    )
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    yield
    for index in indexes:
        await connection.execute(index["made"], timeout=600)


async def _copy(connection: Any, table: str, differs: Mapping[str, str], copies: int) -> None:
    """Copy each row of a table so often."""
    columns = [
        row["column_name"]
        for row in await connection.fetch(
            """SELECT column_name FROM information_schema.columns WHERE table_name = $1
               AND table_schema = current_schema() AND is_generated = 'NEVER' ORDER BY ordinal_position""",
            table,
        )
    ]
    values = ", ".join(differs.get(name, f"s.{name}") for name in columns)
    async with without_indexes(connection, table):
        await connection.execute(
            f"""INSERT INTO {table} ({", ".join(columns)})
                SELECT {values} FROM {table} s, generate_series(1, {copies:d}) AS n""",
            timeout=600,
        )
