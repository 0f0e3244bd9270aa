"""Which size is right: by what was kept and sent back, and by the chart."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from samlad import orders, recommendations, stock
from samlad.catalog import products
from samlad.catalog.model import ProductInput
from samlad.catalog.size_charts import SizeChart, SizeRow
from samlad.channels import Resource
from samlad.kernel.database import Database
from samlad.kernel.ids import new_id
from samlad.recommendations import Tried, by_measures
from samlad.recommendations.rules import advise
from trade import build

SIZES = ["S", "M", "L", "XL"]
START = datetime(2026, 1, 1, tzinfo=UTC)


def had(size: str, kept: int = 1, returned: int = 0, day: int = 0, **more: object) -> Tried:
    fields = {"brand": "Aurin", "category": "shirts", "reasons": (), **more}
    return Tried(size=size, kept=kept, returned=returned, at=START + timedelta(days=day), **fields)  # type: ignore[arg-type]


def test_what_was_kept_of_the_brand_says_most() -> None:
    tried = [had("M"), had("L", brand="Other", kept=5), had("S", category="trousers", kept=3)]
    found = advise(tried, SIZES, brand="Aurin", category="shirts")
    assert found
    assert (found.size, found.basis, found.brand) == ("M", "kept", "Aurin")
    other = advise(tried, SIZES, brand="New", category="shirts")
    assert other
    assert (other.size, other.brand) == ("L", None), "of another brand the kind of goods decides"
    assert advise(tried, SIZES, brand="New", category="hats") is None
    equal = advise([had("M", day=1), had("L", day=2)], SIZES, brand="Aurin", category="shirts")
    assert equal
    assert equal.size == "L", "of equals the latest"


def test_what_was_sent_back_points_the_other_way() -> None:
    small = had("M", kept=0, returned=1, reasons=("too_small",))
    found = advise([small], SIZES, brand="Aurin", category="shirts")
    assert found
    assert (found.size, found.basis, found.tried) == ("L", "larger", "M")
    large = had("XL", kept=0, returned=1, reasons=("too_large",))
    back = advise([large], SIZES, brand="Aurin", category="shirts")
    assert back
    assert (back.size, back.basis) == ("L", "smaller")
    assert (
        advise([had("XL", kept=0, reasons=("too_small",))], SIZES, brand="Aurin", category="shirts") is None
    )
    assert advise([had("M", kept=0, returned=1)], SIZES, brand="Aurin", category="shirts") is None


def chart(*rows: tuple[str, list[list[float] | None]]) -> SizeChart:
    return SizeChart(
        id=new_id(), pool=new_id(), name="Shirts", unit="cm", measures=["chest", "waist"],
        rows=[SizeRow(size, values) for size, values in rows], note="", products=[], categories=[], brands=[],
        translations={}, version=1, created_at=START, updated_at=START,
    )  # fmt: skip


SHIRTS = chart(("S", [[88, 95], [72, 79]]), ("M", [[96, 103], [80, 87]]), ("L", [[104, 111], [88, 95]]))


def test_measures_find_the_smallest_size_that_all_go_into() -> None:
    found = by_measures(SHIRTS, {"chest": 98, "waist": 90})
    assert found
    assert (found.size, found.basis, found.measure) == ("L", "measured", "waist")
    between = by_measures(SHIRTS, {"chest": 95.5})
    assert between
    assert (between.size, between.basis) == ("M", "between")
    assert by_measures(SHIRTS, {"chest": 120}) is None
    assert by_measures(SHIRTS, {"head": 57}) is None
    assert by_measures(SHIRTS, {}) is None


@given(st.floats(60, 111), st.floats(60, 95))
def test_a_size_is_never_too_small_for_any_measure(chest: float, waist: float) -> None:
    found = by_measures(SHIRTS, {"chest": chest, "waist": waist})
    assert found
    row = next(row for row in SHIRTS.rows if row.size == found.size)
    assert all(value <= (span or [0])[-1] for value, span in zip((chest, waist), row.values, strict=True))
    smaller = SHIRTS.rows[: SHIRTS.rows.index(row)]
    for each in smaller:
        assert any(value > (span or [0])[-1] for value, span in zip((chest, waist), each.values, strict=True))


async def test_what_somebody_kept_is_read_from_their_orders(db: Database) -> None:
    trade = await build(db)
    data = msgspec.convert(
        {
            "title": "Shirt",
            "handle": "shirt",
            "brand": "Aurin",
            "status": "active",
            "options": [{"name": "Size", "values": ["S", "M"]}],
            "variants": [
                {
                    "sku": f"SH-{size}",
                    "options": {"Size": size},
                    "prices": [{"price_list": "base", "amount": 9900}],
                }
                for size in ("S", "M")
            ],
        },
        ProductInput,
    )
    pools = trade.web.pools
    made = await db.transaction(
        lambda tx: products.create(tx, pools[Resource.CATALOGUE], data, price_pool=pools[Resource.PRICES])
    )
    small, medium = (variant.id for variant in made.variants)
    await db.transaction(lambda tx: stock.receive(tx, trade.warehouse.id, [(small, 5), (medium, 5)]))
    order = await trade.buy((small, 1), (medium, 1))
    await trade.follow()
    kim = await db.value("SELECT customer FROM orders WHERE id = $1", order.id)

    async def advice() -> str | None:
        found = await recommendations.size_for(db, kim, "Size", ["S", "M"], brand="Aurin", category=None)
        return found.size if found else None

    assert await advice() is None, "nothing has gone out yet"
    await db.transaction(lambda tx: orders.fulfil(tx, order.id, orders.FulfilInput()))
    back = msgspec.convert(
        {"lines": [{"position": 1, "quantity": 1}], "location": trade.warehouse.id}, orders.ReturnInput
    )
    await db.transaction(lambda tx: orders.take_back(tx, order.id, back))
    assert await advice() == "M"
    assert (
        await recommendations.size_for(db, new_id(), "Size", ["S", "M"], brand="Aurin", category=None) is None
    )
