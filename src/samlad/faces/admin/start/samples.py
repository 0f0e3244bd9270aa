"""An example assortment: a few goods to try a shop with, which one act takes away again.

They are known by their tag. Taken away they are archived and their stock is written off: what was sold of them in tests
keeps its names and numbers.
"""

from typing import Any

import msgspec

from samlad import catalog, stock
from samlad.catalog import ProductChange, ProductInput, product_store
from samlad.catalog.product_store import PRODUCTS
from samlad.channels import Channel, Resource
from samlad.faces.admin.start.guesses import typical
from samlad.kernel.database import Reader, Tx
from samlad.kernel.ids import new_id
from samlad.kernel.listing import ListQuery
from samlad.stock import Cause, Location
from samlad.stock.permissions import ADJUST

TAG = "example"
EACH = 12
"""Units of each that the first location gets."""

_GOODS: tuple[tuple[str, float, str, str, str], ...] = (
    ("EXAMPLE-KETTLE", 49.0, "Copper kettle", "Kopparkittel", "Koperen ketel"),
    ("EXAMPLE-MUG", 12.0, "Stoneware mug", "Mugg i stengods", "Mok van steengoed"),
    ("EXAMPLE-TOWEL", 9.0, "Linen tea towel", "Kökshandduk i linne", "Linnen theedoek"),
    ("EXAMPLE-BOARD", 35.0, "Oak chopping board", "Skärbräda i ek", "Eikenhouten snijplank"),
    ("EXAMPLE-CANDLE", 15.0, "Beeswax candle", "Bivaxljus", "Kaars van bijenwas"),
    ("EXAMPLE-CARAFE", 29.0, "Glass carafe", "Karaff i glas", "Glazen karaf"),
)


async def there(reader: Reader, shop: Channel, status: str = "active") -> list[Any]:
    """The examples of a shop's catalogue."""
    query = ListQuery(limit=len(_GOODS), filters={"tag": TAG, "status": status})
    return list((await PRODUCTS.page(reader, query, [shop.pools[Resource.CATALOGUE]])).items)


async def add(tx: Tx, shop: Channel, place: Location | None) -> int:
    """Put the examples onto the shelf, those again that were taken away before. Returns how many came.

    Raises:
        Conflict: somebody does the same at this moment.
    """
    catalogue, prices = shop.pools[Resource.CATALOGUE], shop.pools[Resource.PRICES]
    known = await catalog.by_skus(tx, catalogue, [each[0] for each in _GOODS])
    came = []
    for sku, euros, english, swedish, dutch in _GOODS:
        if sku in known:
            found = await catalog.view(tx, known[sku].product)
            if found.status == "active":
                continue
            back = msgspec.convert({"status": "active"}, ProductChange)
            await catalog.change(tx, found.id, back)
            came.append(known[sku].id)
            continue
        data = {
            "title": english,
            "status": "active",
            "tags": [TAG],
            "translations": {"sv": {"title": swedish}, "nl": {"title": dutch}},
            "variants": [
                {"sku": sku, "prices": [{"price_list": "base", "amount": typical(shop.currency, euros)}]}
            ],
        }
        made = await catalog.create(tx, catalogue, msgspec.convert(data, ProductInput), price_pool=prices)
        came.append(made.variants[0].id)
    if place is not None and came:
        await stock.receive(tx, place.id, [(variant, EACH) for variant in sorted(came)])
    return len(came)


async def remove(tx: Tx, shop: Channel) -> int:
    """Take all examples away: off the shop, and their stock written off as far as nobody has it in hand. How many went."""
    found = await there(tx, shop)
    for each in sorted(found, key=lambda row: str(row.id)):
        await catalog.archive(tx, each.id)
    variants = [one.id for one in await product_store.variants_of(tx, [each.id for each in found])]
    tx.actor.require(ADJUST)
    lines = [
        (level.location, level.variant, level.available)
        for level in await stock.levels_of(tx, variants)
        if level.available > 0
    ]
    if lines:
        reason = "example goods"
        await stock.write_off(tx, sorted(lines), cause=Cause.CORRECTION, reason=reason, reference=new_id())
    return len(found)
