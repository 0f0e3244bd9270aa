"""Three things that the gift shop makes itself, for what the file has none of: sizes with a chart, lots with a last good day,
a set of other goods, and something that is bought again and again. The file's goods stay as the file has them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec

from samlad import catalog, stock, subscriptions
from samlad.catalog import ProductInput, ProductView, attributes, size_charts
from samlad.catalog.attributes import AttributeInput, AttributeType
from samlad.catalog.size_charts import SizeChartInput
from samlad.channels import Channel, Resource
from samlad.demo import goods
from samlad.kernel.clock import local_day, now
from samlad.kernel.database import Tx
from samlad.stock import Location
from samlad.stock.lots_model import Named
from samlad.subscriptions import Plan, PlanInput

PLAN = "pantry"
SET_OF = ("23170", "23162", "23160")
"""Stock codes of the file's goods that the tea set is made of: a plate, a strainer and a spoon."""
MADE_FOR_SHOP = "The Gift Shop"
LOTS = (("J-2461", 18, 24), ("J-2467", 170, 60))
"""Jars of jam in the warehouse: the lot, days until its last good day, units. The first is sold first."""

_APRON: dict[str, Any] = {
    "title": "Potter's Cotton Apron",
    "handle": "potters-cotton-apron",
    "brand": MADE_FOR_SHOP,
    "category": "kitchen/baking",
    "tags": ["vintage"],
    "description": "<p>Heavy cotton that stands up to clay and to cake. Two deep pockets, cross-over straps, no knot in the"
    " back. Washes at 40 °C.</p>",
    "attributes": {"colour": "Natural", "material": "cotton"},
    "options": [{"name": "Size", "values": ["S", "M", "L", "XL"]}],
    "translations": {
        "sv": {
            "title": "Krukmakarförkläde i bomull",
            "description": "<p>Kraftig bomull som tål både lera och kaksmet. Två djupa fickor, korsade band, ingen knut i"
            " ryggen. Tvättas i 40 °C.</p>",
            "options": {"Size": "Storlek"},
        },
        "nl": {
            "title": "Katoenen pottenbakkersschort",
            "description": "<p>Stevig katoen dat tegen klei en tegen cake kan. Twee diepe zakken, gekruiste banden, geen"
            " knoop op de rug. Wasbaar op 40 °C.</p>",
            "options": {"Size": "Maat"},
        },
    },
}
_APRON_PRICE, _APRONS = 2850, {"S": 6, "M": 9, "L": 0, "XL": 3}
"""Pence, and how many there are: of one size none, so that one can ask to be told."""
_JAM: dict[str, Any] = {
    "title": "Strawberry Jam",
    "handle": "strawberry-jam",
    "brand": MADE_FOR_SHOP,
    "category": "kitchen/baking",
    "tracking": "expiry",
    "min_days_left": 5,
    "description": "<p>Three parts strawberries, two parts sugar, a lemon for each pan. Keeps closed until the day on its"
    " lid; in the fridge two weeks once it is open.</p>",
    "attributes": {"net_content": 340},
    "translations": {
        "sv": {
            "title": "Jordgubbssylt",
            "description": "<p>Tre delar jordgubbar, två delar socker och en citron till varje kok. Håller oöppnad till"
            " dagen på locket, öppnad två veckor i kylen.</p>",
        },
        "nl": {
            "title": "Aardbeienjam",
            "description": "<p>Drie delen aardbeien, twee delen suiker, een citroen per pan. Dicht houdbaar tot de dag op"
            " het deksel, open twee weken in de koelkast.</p>",
        },
    },
}
_SET: dict[str, Any] = {
    "title": "Afternoon Tea for Two",
    "handle": "afternoon-tea-for-two",
    "brand": MADE_FOR_SHOP,
    "category": "kitchen/table",
    "tags": ["regency"],
    "description": "<p>What the table needs besides the tea: two plates, two spoons and the strainer, for less than apart.</p>",
    "translations": {
        "sv": {
            "title": "Eftermiddagste för två",
            "description": "<p>Vad bordet behöver förutom te: två fat, två skedar och silen, för mindre än var för sig.</p>",
        },
        "nl": {
            "title": "Afternoon tea voor twee",
            "description": "<p>Wat er naast de thee op tafel hoort: twee borden, twee lepels en de zeef, voor minder dan"
            " los.</p>",
        },
    },
}
_CHART: dict[str, Any] = {
    "name": "Aprons",
    "measures": ["chest", "length"],
    "rows": [
        {"size": "S", "values": [[80, 89], [74]]},
        {"size": "M", "values": [[90, 99], [78]]},
        {"size": "L", "values": [[100, 111], [82]]},
        {"size": "XL", "values": [[112, 124], [86]]},
    ],
    "note": "Measure around the chest, over what you wear in the kitchen.",
    "translations": {
        "sv": {
            "name": "Förkläden",
            "description": "Mät runt bröstet, utanpå det du har på dig i köket.",
            "words": {"chest": "bröst", "length": "längd"},
        },
        "nl": {
            "name": "Schorten",
            "description": "Meet rond de borst, over wat u in de keuken draagt.",
            "words": {"chest": "borst", "length": "lengte"},
        },
    },
}
_PLAN: dict[str, Any] = {
    "code": PLAN,
    "name": "Pantry, every month",
    "names": {"sv": "Skafferiet, varje månad", "nl": "Voorraadkast, elke maand"},
    "terms": {"prices": [{"percent_off": 1500}, {"from_order": 3, "percent_off": 1000}], "cutoff_hours": 24},
}


class OwnRange(msgspec.Struct, frozen=True):
    """What was made: the products, and the plan by which the jam can be bought."""

    apron: ProductView
    jam: ProductView
    tea: ProductView
    plan: Plan


async def make(tx: Tx, channel: Channel, warehouse: Location) -> OwnRange:
    """Make them all, with chart, plan and stock. Once: who calls it holds that."""
    pool = channel.pool(Resource.CATALOGUE)
    content = {"sv": {"name": "Innehåll"}, "nl": {"name": "Inhoud"}}
    weighed = {"code": "net_content", "name": "Content", "unit": "g", "translations": content}
    await attributes.create(
        tx, pool, msgspec.convert(weighed | {"type": AttributeType.NUMBER}, AttributeInput)
    )
    sizes = [_variant(f"APRON-{size}", _APRON_PRICE, options={"Size": size}) for size in _APRONS]
    apron = await _create(tx, channel, _APRON | {"variants": sizes})
    jam = await _create(tx, channel, _JAM | {"variants": [_variant("JAM-340", 495, weight_g=520)]})
    parts = [{"sku": sku, "quantity": 1 if sku == SET_OF[1] else 2} for sku in SET_OF]
    tea = await _create(tx, channel, _SET | {"variants": [_variant("TEA-FOR-TWO", 795, components=parts)]})
    chart = msgspec.convert(_CHART | {"products": [apron.id]}, SizeChartInput)
    await size_charts.create(tx, pool, chart)
    plan = _PLAN | {"channels": [channel.code], "products": [str(jam.id)]}
    made = await subscriptions.create_plan(tx, msgspec.convert(plan, PlanInput))
    await _stock(tx, warehouse, apron, jam.variants[0].id)
    return OwnRange(apron, jam, tea, made)


def _variant(sku: str, price: int, **more: Any) -> dict[str, Any]:
    return {"sku": sku, "prices": [{"price_list": goods.PRICE_LIST, "amount": price}], **more}


async def _create(tx: Tx, channel: Channel, fields: dict[str, Any]) -> ProductView:
    given = msgspec.convert({"status": "active", **fields}, ProductInput)
    pool, prices = channel.pool(Resource.CATALOGUE), channel.pool(Resource.PRICES)
    return await catalog.create(tx, pool, given, price_pool=prices)


async def _stock(tx: Tx, warehouse: Location, apron: ProductView, jam: UUID) -> None:
    there = [(each.id, _APRONS[each.options["Size"]]) for each in apron.variants]
    await stock.receive(tx, warehouse.id, [line for line in there if line[1]])
    lots = _named(jam, warehouse)
    found = await stock.resolve_lots(tx, lots)
    await stock.receive(tx, warehouse.id, [(jam, lot.units) for lot in lots], lots=found)


def _named(jam: UUID, warehouse: Location) -> Sequence[Named]:
    today = local_day(now(), warehouse.time_zone)
    return [Named(jam, units, code, today + timedelta(days=days)) for code, days, units in LOTS]
