"""A large made-up catalogue that looks like a real one: to measure with, never to show."""

import random
from collections.abc import Iterator

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
