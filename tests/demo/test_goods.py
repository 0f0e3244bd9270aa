"""The demo's records become what the import takes, nothing lost."""

from samlad.demo import goods, retail, words


def test_every_record_becomes_a_product_with_its_variants_and_prices() -> None:
    paths = goods.category_paths(retail.categories())
    records = list(retail.products())
    rows = [goods.product_row(record, paths) for record in records]
    assert [len(row.variants) for row in rows] == [len(record.variants) for record in records]
    for record, row in zip(records, rows, strict=True):
        assert row.category in paths.values()
        for variant, made in zip(record.variants, row.variants, strict=True):
            assert made.sku == variant.sku
            assert made.prices[0].amount == variant.price_minor
            assert set(made.options.values()) == ({variant.option_value} - {None})


def test_paths_name_the_parents() -> None:
    nodes = retail.categories()
    paths = goods.category_paths(nodes)
    for node in nodes:
        assert paths[node.slug].endswith(node.slug)
        assert ("/" in paths[node.slug]) == (node.parent is not None)


def test_every_category_has_a_name_in_each_language_of_the_shop() -> None:
    slugs = {node.slug for node in retail.categories()}
    assert set(words.CATEGORY_NAMES) == slugs
    assert all(all(names) for names in words.CATEGORY_NAMES.values())
