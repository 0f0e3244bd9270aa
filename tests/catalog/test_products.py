"""Products and variants: what is taken, what is refused and why, what happens on a change."""

import asyncio

import msgspec
import pytest

import horizon
from samlad import catalog
from samlad.catalog import products
from samlad.catalog.model import ProductChange, ProductStatus, VariantChange
from samlad.kernel import log
from samlad.kernel.problems import Conflict, InvalidInput, Outdated

from .conftest import Shop

SHIRT = {
    "title": "Blå skjorta",
    "handle": "bla-skjorta",
    "variants": [
        {"sku": "S-S", "options": {"Size": "S", "Colour": "Blue"}, "gtin": "7310865004703"},
        {"sku": "S-M", "options": {"Size": "M", "Colour": "Blue"}, "weight_g": 250},
    ],
}


async def events_of(shop: Shop, *types: str) -> list[log.Event]:
    """Events of these types; the log is readable once no older transaction is open anywhere in the server."""
    for _ in range(100):
        await horizon.passed(shop.db)
        found, _ = await log.read(shop.db, log.BEGINNING, types=types)
        if found:
            return found
        await asyncio.sleep(0.05)
    return []


async def test_options_grow_from_variants_in_their_order(shop: Shop) -> None:
    made = await shop.product(**msgspec.json.decode(msgspec.json.encode(SHIRT)))
    assert [(o.name, o.values) for o in made.options] == [("Size", ["S", "M"]), ("Colour", ["Blue"])]
    assert [v.option_text for v in made.variants] == ["S / Blue", "M / Blue"]
    refs = await catalog.by_skus(shop.db, shop.pool, ["S-M", "nothing"])
    assert {sku: ref.title for sku, ref in refs.items()} == {"S-M": "Blå skjorta, M / Blue"}


async def test_a_change_touches_only_what_it_names(shop: Shop) -> None:
    made = await shop.product(**SHIRT, brand="Acme", tags=["x"])
    change = msgspec.convert({"brand": None, "variants": [{"sku": "S-M", "weight_g": 300}]}, ProductChange)
    after = await shop.db.transaction(lambda tx: products.change(tx, made.id, change, made.version))
    assert (after.brand, after.tags, after.version) == (None, ["x"], 2)
    assert [(v.sku, v.weight_g, v.version) for v in after.variants] == [("S-S", None, 1), ("S-M", 300, 2)]
    with pytest.raises(Outdated):
        await shop.db.transaction(lambda tx: products.change(tx, made.id, change, made.version))


async def test_a_change_to_the_same_changes_nothing(shop: Shop) -> None:
    made = await shop.product(**SHIRT)
    same = msgspec.convert({"title": "Blå skjorta", "variants": SHIRT["variants"]}, ProductChange)
    after = await shop.db.transaction(lambda tx: products.change(tx, made.id, same))
    assert after == made
    events = await events_of(shop, "product.created", "product.changed")
    assert [e.type for e in events] == ["product.created"]


async def test_variants_may_swap_their_options(shop: Shop) -> None:
    made = await shop.product(**SHIRT)
    swap = msgspec.convert(
        {
            "variants": [
                {"sku": "S-S", "options": {"Size": "M", "Colour": "Blue"}},
                {"sku": "S-M", "options": {"Size": "S", "Colour": "Blue"}},
            ]
        },
        ProductChange,
    )
    after = await shop.db.transaction(lambda tx: products.change(tx, made.id, swap))
    assert [v.options["Size"] for v in after.variants] == ["M", "S"]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"variants": [{"sku": "A", "gtin": "7310865004704"}]}, "variants/0/gtin"),
        ({"variants": [{"sku": "A"}, {"sku": "A"}]}, "variants/1/sku"),
        ({"variants": [{"sku": "A"}, {"sku": "B"}]}, "variants"),
        ({"variants": [{"sku": "A", "options": {"Size": "S"}}, {"sku": "B"}]}, "variants"),
        ({"category": "no/such"}, "category"),
        ({"tax_class": "unheard"}, "tax_class"),
        ({"attributes": {"unheard": 1}}, "attributes/unheard"),
        ({"title": "   "}, "title"),
        (
            {"variants": [{"sku": "A", "prices": [{"price_list": "nope", "amount": 1}]}]},
            "variants/0/prices/0/price_list",
        ),
        ({"variants": [{"sku": "A", "components": [{"sku": "A"}]}]}, "variants/0/components"),
        ({"variants": [{"sku": "A", "components": [{"sku": "nothing"}]}]}, "variants/components"),
        ({"media": [{"url": "https://a.example/b.jpg", "sku": "Z"}]}, "media/0/sku"),
    ],
)
async def test_what_is_wrong_is_named(shop: Shop, fields: dict[str, object], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await shop.product(**fields)
    assert where in [error.field for error in caught.value.errors]
    assert await shop.db.value("SELECT count(*) FROM product") == 0


async def test_a_sku_belongs_to_one_product(shop: Shop) -> None:
    await shop.product(**SHIRT)
    with pytest.raises(InvalidInput) as caught:
        await shop.product(title="Other", sku="S-M")
    assert caught.value.errors[0].field == "variants/0/sku"


async def test_handles_are_made_and_numbered(shop: Shop) -> None:
    handles = [(await shop.product(title="Blå kittel!", sku=f"K{n}")).handle for n in range(3)]
    assert handles == ["bla-kittel", "bla-kittel-2", "bla-kittel-3"]
    assert (await shop.product(title="غلاية", sku="AR")).handle == "غلاية"
    with pytest.raises(Conflict):
        await shop.product(title="Again", sku="K9", handle="bla-kittel")


async def test_bundles_know_their_parts_and_do_not_nest(shop: Shop) -> None:
    await shop.product(title="Cup", sku="CUP")
    made = await shop.product(
        title="Set", variants=[{"sku": "SET", "components": [{"sku": "CUP", "quantity": 6}]}]
    )
    assert [(c.sku, c.quantity) for c in made.components] == [("CUP", 6)]
    with pytest.raises(InvalidInput):
        await shop.product(title="Sets", variants=[{"sku": "SETS", "components": [{"sku": "SET"}]}])
    change = msgspec.convert({"components": [{"sku": "SET"}]}, VariantChange)
    cup = (await catalog.by_skus(shop.db, shop.pool, ["CUP"]))["CUP"]
    with pytest.raises(InvalidInput):
        await shop.db.transaction(lambda tx: products.change_variant(tx, cup.id, change))


async def test_a_variant_gets_another_sku(shop: Shop) -> None:
    made = await shop.product(**SHIRT)
    change = VariantChange(sku="S-L", weight_g=5)
    after = await shop.db.transaction(lambda tx: products.change_variant(tx, made.variants[1].id, change))
    assert (after.id, after.sku, after.weight_g) == (made.variants[1].id, "S-L", 5)
    with pytest.raises(Conflict):
        await shop.db.transaction(
            lambda tx: products.change_variant(tx, made.variants[1].id, VariantChange(sku="S-S"))
        )


async def test_scanned_codes_find_variants(shop: Shop) -> None:
    made = await shop.product(**SHIRT)
    upc = await shop.product(title="Soup", variants=[{"sku": "SOUP", "gtin": "036000291452"}])
    found = await catalog.variant_by_code(shop.db, shop.pool, "7310865004703")
    assert found is not None
    assert found.id == made.variants[0].id
    for code in ("036000291452", "0036000291452", "00036000291452", " SOUP "):
        found = await catalog.variant_by_code(shop.db, shop.pool, code)
        assert found is not None
        assert found.id == upc.variants[0].id
    assert await catalog.variant_by_code(shop.db, shop.pool, "36000291452") is not None
    assert await catalog.variant_by_code(shop.db, shop.pool, "nothing") is None


async def test_archived_products_are_not_for_sale(shop: Shop) -> None:
    made = await shop.product(title="Kettle", sku="K", price=1000)
    ids = [made.variants[0].id]
    assert (await catalog.sellables(shop.db, shop.channel, ids))[ids[0]].is_available
    after = await shop.db.transaction(lambda tx: products.archive(tx, made.id))
    assert after.status is ProductStatus.ARCHIVED
    assert not (await catalog.sellables(shop.db, shop.channel, ids))[ids[0]].is_available
    [event] = await events_of(shop, "product.archived")
    assert event.payload["products"] == [str(made.id)]


async def test_descriptions_lose_what_runs(shop: Shop) -> None:
    made = await shop.product(description='<p onclick="x()">Hi<script>alert(1)</script></p>', sku="K")
    assert made.description == "<p>Hi</p>"


async def test_twins_at_the_same_moment_one_wins(shop: Shop) -> None:
    outcomes = await asyncio.gather(
        *(shop.product(title="Kettle", handle="kettle", sku=f"K{n}") for n in range(4)),
        return_exceptions=True,
    )
    assert sum(isinstance(o, catalog.ProductView) for o in outcomes) == 1
    assert all(isinstance(o, catalog.ProductView | Conflict) for o in outcomes)
