"""Search: stems, typos, scripts, codes, order; facets against a count by hand."""

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samlad import channels
from samlad.catalog import prices, products
from samlad.catalog.model import ProductChange, ProductRow
from samlad.catalog.search import index
from samlad.catalog.search.query import SearchQuery, SearchResult, search
from samlad.catalog.search.words import edits, mended
from samlad.channels import Channel

from .conftest import Shop, webshop


async def find(shop: Shop, text: str = "", channel: Channel | None = None, **fields: Any) -> SearchResult:
    return await search(shop.db, channel or shop.channel, SearchQuery(text=text, **fields))


async def titles(shop: Shop, text: str, channel: Channel | None = None) -> list[str]:
    return [hit.title for hit in (await find(shop, text, channel)).items]


async def speaking(shop: Shop, locale: str) -> Channel:
    """A channel of the same shop in another language."""
    join = {resource.value: "web" for resource in channels.Resource}
    data = webshop(f"in-{locale.lower()}", locale=locale, join=join)
    return await shop.db.transaction(lambda tx: channels.create(tx, data))


@pytest.mark.parametrize(
    ("locale", "title", "query"),
    [
        ("en", "Running shoes", "shoe"),
        ("en", "Running shoes", "run"),
        ("en", "Enamel kettle", "kettles"),
        ("en-GB", "Knitted jumper", "knitting jumpers"),
        ("sv-SE", "Vattenkokare i stål", "vattenkokarna"),
        ("sv-SE", "Röda skjortor", "skjorta"),
        ("sv-SE", "Barnkläder", "barnkläderna"),
        ("nl-NL", "Koperen lampen", "lamp"),
        ("nl-NL", "Fluitketel", "fluitketels"),
        ("de-DE", "Wasserkocher", "wasserkocher"),
        ("fr-FR", "Théière émaillée", "theiere emaillee"),
        ("sv-SE", "Crème brûlée-skål", "creme brulee"),
        ("ar", "غلاية شاي", "شاي"),
        ("he-IL", "קומקום אמייל", "קומקום"),
        ("zh-CN", "搪瓷 水壶", "水壶"),
        ("ru-RU", "Эмалированный чайник", "ЧАЙНИК"),
        ("el-GR", "Τσαγιέρα", "τσαγιερα"),
    ],
)
async def test_words_are_found_in_their_language(shop: Shop, locale: str, title: str, query: str) -> None:
    await shop.product(title=title, sku="A")
    await shop.product(title="Something else", sku="B")
    assert await titles(shop, query, await speaking(shop, locale)) == [title]


@pytest.mark.parametrize(
    ("title", "query", "corrected"),
    [
        ("Enamel kettle", "ketle", "kettle"),
        ("Enamel kettle", "kettel", "kettle"),
        ("Enamel kettle", "enmael kettle", "enamel kettle"),
        ("Vattenkokare", "vatenkokare", "vattenkokare"),
        ("Regenjas", "reegnjas", "regenjas"),
        ("Bluetooth-högtalare", "hogtalre", "hogtalare"),
        ("Чайник", "чайнык", "чайник"),
    ],
)
async def test_typos_are_mended(shop: Shop, title: str, query: str, corrected: str) -> None:
    await shop.product(title=title, sku="A")
    found = await find(shop, query)
    assert [hit.title for hit in found.items] == [title]
    assert found.corrected == corrected


async def test_nonsense_finds_nothing_and_is_not_mended(shop: Shop) -> None:
    await shop.product(title="Enamel kettle", sku="A")
    for query in ("xyzzyqwert", "kettle xyzzyqwert", "!!!", "'; DROP TABLE product; --", "& | !", "a" * 500):
        found = await find(shop, query)
        assert (found.items, found.total, found.corrected) == ([], 0, None), query


async def test_half_typed_words_and_words_in_any_order(shop: Shop) -> None:
    await shop.product(title="Enamel kettle with whistle", brand="Nordkök", tags=["stove"], sku="A")
    for query in (
        "kett",
        "enamel ket",
        "whistle enamel",
        "nordko",
        "NORDKÖK",
        "stove",
        "kettle och whistle",
        "och",
    ):
        expected = [] if query == "och" else ["Enamel kettle with whistle"]
        assert await titles(shop, query) == expected, query


async def test_titles_before_descriptions_and_codes_before_all(shop: Shop) -> None:
    await shop.product(title="Filter", description="<p>For any kettle.</p>", sku="A")
    await shop.product(title="Kettle", sku="B")
    await shop.product(title="Box of B", variants=[{"sku": "kettle", "gtin": "7310865004703"}])
    assert await titles(shop, "kettle") == ["Box of B", "Kettle", "Filter"]
    for code in ("7310865004703", "07310865004703"):
        assert await titles(shop, code) == ["Box of B"]
    assert (await titles(shop, "b"))[0] == "Kettle"


async def test_translations_are_found_and_shown(shop: Shop) -> None:
    await shop.product(
        title="Kettle", translations={"sv": {"title": "Kittel"}, "nl": {"title": "Ketel"}}, sku="A"
    )
    assert await titles(shop, "kittel") == ["Kittel"]
    assert await titles(shop, "kettle") == ["Kittel"]
    assert await titles(shop, "ketels", await speaking(shop, "nl-NL")) == ["Ketel"]


async def test_order(shop: Shop) -> None:
    for number, (title, price) in enumerate(
        [("Ärta", 300), ("Öl", 100), ("Apa", 200), ("Zebra", 50), ("Åra", 400)]
    ):
        await shop.product(title=title, price=price, sku=f"S{number}")
    await shop.product(title="Utan pris", sku="U")

    async def by(sort: Any, channel: Channel | None = None) -> list[str]:
        return [hit.title for hit in (await find(shop, sort=sort, channel=channel)).items]

    assert await by("name") == ["Apa", "Utan pris", "Zebra", "Åra", "Ärta", "Öl"]
    assert await by("name", await speaking(shop, "en")) == ["Apa", "Åra", "Ärta", "Öl", "Utan pris", "Zebra"]
    assert await by("-name") == ["Öl", "Ärta", "Åra", "Zebra", "Utan pris", "Apa"]
    assert await by("price") == ["Zebra", "Öl", "Apa", "Ärta", "Åra"]
    assert await by("-price") == ["Åra", "Ärta", "Apa", "Öl", "Zebra"]
    assert (await by("newest"))[0] == (await by(None))[0] == "Utan pris"


async def test_pages_follow_each_other(shop: Shop) -> None:
    for number in range(7):
        await shop.product(title=f"Mugg {number}", sku=f"M{number}", price=number)
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        page = await find(shop, "mugg", limit=3, offset=offset)
        seen += [hit.title for hit in page.items]
        offset = page.next_offset
    assert sorted(seen) == [f"Mugg {n}" for n in range(7)]
    assert page.total == 7


async def test_what_changes_is_found_at_once(shop: Shop) -> None:
    made = await shop.product(title="Kettle", sku="A", price=100)

    async def change(**fields: Any) -> None:
        data = msgspec.convert(fields, ProductChange)
        await shop.db.transaction(lambda tx: products.change(tx, made.id, data, price_pool=shop.price_pool))

    await change(title="Teapot", variants=[{"sku": "A", "prices": [{"price_list": "base", "amount": 70}]}])
    assert (await titles(shop, "kettle"), await titles(shop, "teapot")) == ([], ["Teapot"])
    assert (await find(shop)).items[0].price == 70
    await change(status="draft")
    assert await titles(shop, "teapot") == []
    await change(status="active", variants=[{"sku": "A", "status": "archived"}, {"sku": "B", "options": {}}])
    [hit] = (await find(shop)).items
    assert (hit.variants, hit.price) == (1, None)


async def test_lists_that_begin_and_end_are_noticed(shop: Shop) -> None:
    from datetime import timedelta

    from samlad.kernel.clock import now

    made = await shop.product(sku="A", price=100)
    begin, end = now() + timedelta(hours=1), now() + timedelta(hours=2)
    data = prices.PriceListInput(
        code="sale",
        name="Sale",
        currency="SEK",
        kind="sale",
        priority=1,
        valid_from=begin,
        valid_to=end,  # type: ignore[arg-type]
    )
    sale = await shop.db.transaction(lambda tx: prices.create_list(tx, shop.price_pool, data))
    setting = prices.PriceSetting(variant=made.variants[0].id, amount=50)
    await shop.db.transaction(lambda tx: prices.set_prices(tx, sale.id, [setting]))

    async def seen() -> tuple[int | None, bool]:
        [hit] = (await find(shop)).items
        return hit.price, hit.is_reduced

    assert await index.refresh_due(shop.db) == 0
    assert await seen() == (100, False)
    assert await index.refresh_due(shop.db, at=begin) == 1
    assert await seen() == (50, True)
    assert await index.refresh_due(shop.db, at=end) == 1
    assert await seen() == (100, False)


async def test_prices_of_one_channel_are_its_own(shop: Shop) -> None:
    made = await shop.product(sku="A", price=100)
    other = await speaking(shop, "en")
    data = prices.PriceListInput(code="en", name="En", currency="SEK", channel=other.id)
    own = await shop.db.transaction(lambda tx: prices.create_list(tx, shop.price_pool, data))
    setting = prices.PriceSetting(variant=made.variants[0].id, amount=80)
    await shop.db.transaction(lambda tx: prices.set_prices(tx, own.id, [setting]))
    assert ((await find(shop)).items[0].price, (await find(shop, channel=other)).items[0].price) == (100, 80)


# -- facets, by hand --------------------------------------------------------------------------------------------------

BRANDS, COLOURS, SIZES, TAGS = ["Acme", "Bo", "Cé"], ["Red", "Blue"], ["S", "M", "L"], ["gift", "new", "eco"]

goods = st.fixed_dictionaries(
    {
        "brand": st.none() | st.sampled_from(BRANDS),
        "category": st.none() | st.sampled_from(["home", "home/kitchen", "garden"]),
        "tags": st.lists(st.sampled_from(TAGS), unique=True, max_size=2),
        "variants": st.lists(
            st.tuples(st.sampled_from(COLOURS), st.sampled_from(SIZES)), unique=True, min_size=1, max_size=3
        ),
        "material": st.none() | st.sampled_from(["wool", "oak"]),
        "price": st.none() | st.integers(1, 5),
    }
)
chosen = st.fixed_dictionaries(
    {},
    optional={
        "brand": st.lists(st.sampled_from([*BRANDS, "none"]), min_size=1, max_size=2, unique=True),
        "category": st.just(["home"]) | st.just(["garden"]),
        "tag": st.lists(st.sampled_from(TAGS), min_size=1, max_size=2, unique=True),
        "option.Colour": st.lists(st.sampled_from(COLOURS), min_size=1, max_size=1),
        "attribute.material": st.just(["wool"]),
    },
)


def values_of(each: dict[str, Any]) -> dict[str, set[str]]:
    path = (each["category"] or "").split("/")
    return {
        "brand": {each["brand"]} - {None},
        "category": {"/".join(path[: n + 1]) for n in range(len(path))} - {""},
        "tag": set(each["tags"]),
        "option.Colour": {colour for colour, _ in each["variants"]},
        "option.Size": {size for _, size in each["variants"]},
        "attribute.material": {each["material"]} - {None},
    }


@given(
    made=st.lists(goods, min_size=1, max_size=8),
    filters=chosen,
    prices_asked=st.tuples(st.none() | st.integers(1, 5), st.none() | st.integers(1, 5)),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_facets_are_what_one_would_count_by_hand(
    shop: Shop,
    made: list[dict[str, Any]],
    filters: dict[str, list[str]],
    prices_asked: tuple[int | None, int | None],
) -> None:
    await _stock_up(shop, made)
    low, high = prices_asked
    found = await find(shop, filters=filters, price_from=low, price_to=high, limit=100)

    def fits(each: dict[str, Any], *, without: str | None = None, price: bool = True) -> bool:
        has = values_of(each)
        costs = each["price"]
        in_range = (low is None or (costs is not None and costs >= low)) and (
            high is None or (costs is not None and costs <= high)
        )
        named = all(has[name] & set(values) for name, values in filters.items() if name != without)
        return named and (in_range or not price)

    assert found.total == len(found.items) == sum(fits(each) for each in made)
    counted: dict[str, dict[str, int]] = {}
    for name in ("brand", "category", "tag", "option.Colour", "option.Size", "attribute.material"):
        for each in made:
            if fits(each, without=name):
                for value in values_of(each)[name]:
                    counted.setdefault(name, {}).setdefault(value, 0)
                    counted[name][value] += 1
    assert {f.name: {v.value: v.count for v in f.values} for f in found.facets} == counted
    costs = [each["price"] for each in made if fits(each, price=False) and each["price"] is not None]
    expected = (min(costs), max(costs)) if costs else None
    assert (found.price_range and (found.price_range.low, found.price_range.high)) == expected
    for facet in found.facets:
        for value in facet.values:
            assert value.is_selected == (value.value in filters.get(facet.name, []))


async def _stock_up(shop: Shop, made: list[dict[str, Any]]) -> None:
    """A catalogue of exactly these, in place of the one before."""

    async def work(tx: Any) -> None:
        for table in ("price", "media", "variant", "product", "facet"):
            await tx.execute(f"DELETE FROM {table}")
        from samlad.catalog import attributes, categories

        await categories.ensure(tx, shop.pool, ["home/kitchen", "garden"])
        if not await attributes.all_attributes(tx, shop.pool):
            data = attributes.AttributeInput(
                code="material", name="Material", type=attributes.AttributeType.TEXT
            )
            await attributes.create(tx, shop.pool, data)
        rows = [_row(n, each) for n, each in enumerate(made)]
        await products.apply(tx, shop.pool, rows, price_pool=shop.price_pool)

    await shop.db.transaction(work)


def _row(number: int, each: dict[str, Any]) -> ProductRow:
    price = [] if each["price"] is None else [{"price_list": "base", "amount": each["price"]}]
    values = {k: each[k] for k in ("brand", "category", "tags")}
    return msgspec.convert(
        values
        | {
            "handle": f"p{number}",
            "title": f"P{number}",
            "status": "active",
            "attributes": {"material": each["material"]} if each["material"] else {},
            "variants": [
                {"sku": f"{number}-{n}", "options": {"Colour": c, "Size": s}, "prices": price}
                for n, (c, s) in enumerate(each["variants"])
            ],
        },
        ProductRow,
    )


# -- mending, pure ----------------------------------------------------------------------------------------------------


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_edits_are_a_measure(a: str, b: str) -> None:
    assert edits(a, b) == edits(b, a)
    assert (edits(a, b) == 0) == (a == b)
    assert abs(len(a) - len(b)) <= edits(a, b) <= max(len(a), len(b))


@given(st.text("abcdefgh", min_size=5, max_size=10), st.data())
def test_one_slip_is_always_mended(word: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(word) - 1))
    slip = data.draw(st.sampled_from(["drop", "double", "change", "swap"]))
    wrong = {
        "drop": word[:at] + word[at + 1 :],
        "double": word[:at] + word[at] * 2 + word[at + 1 :],
        "change": word[:at] + "x" + word[at + 1 :],
        "swap": word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
    }[slip]
    assert mended(wrong, [word, "zzzzzzz"]) == word
