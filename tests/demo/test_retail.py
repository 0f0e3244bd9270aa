import re
from collections import Counter, defaultdict
from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import msgspec
import pytest
from babel import Locale

from samlad.demo import retail, words
from samlad.demo.source import COUNTRIES, FILE, NON_PRODUCTS
from samlad.demo.stores import stores


@pytest.fixture(scope="module")
def source():
    return retail.open_source()


@pytest.fixture(scope="module")
def catalogue(source):
    return list(retail.products(source))


@pytest.fixture(scope="module")
def history(source):
    return list(retail.orders(source))


@pytest.fixture(scope="module")
def by_code(catalogue):
    return {product.code: product for product in catalogue}


@pytest.fixture(scope="module")
def by_number(history):
    return {order.number: order for order in history}


def test_facts_are_those_the_data_set_is_known_for():
    assert retail.facts() == retail.Facts(
        invoices=25_900,
        cancellations=3_836,
        lines=541_909,
        customers=4_372,
        stock_codes=4_070,
        revenue_minor=974_774_793,
    )


def test_history_arrives_at_the_facts(history):
    facts = retail.facts()
    assert len(history) == len({order.number for order in history}) == facts.invoices
    assert sum(len(order.lines) for order in history) == facts.lines
    assert len({order.customer for order in history} - {None}) == facts.customers
    assert sum(order.total_minor for order in history) == facts.revenue_minor
    assert sum(order.number.startswith("C") for order in history) == facts.cancellations


def test_every_order_is_the_sum_of_its_lines_and_every_line_its_price(history):
    for order in history:
        assert order.total_minor == sum(line.total_minor for line in order.lines)
        for line in order.lines:
            assert abs(line.quantity * Decimal(line.unit_price) * 100 - line.total_minor) < Decimal("0.5")


def test_only_four_lines_are_rounded_at_all(history):
    rounded = [
        (order.number, line.unit_price)
        for order in history
        for line in order.lines
        if line.quantity * Decimal(line.unit_price) * 100 != line.total_minor
    ]
    assert rounded == [(number, "0.001") for number in ("550193", "561226", "568200", "568375")]


def test_orders_come_in_time_order_and_in_utc(history, by_number):
    times = [order.placed_at for order in history]
    assert times == sorted(times)
    assert all(time.utcoffset().total_seconds() == 0 for time in times)
    assert by_number["536365"].placed_at == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)
    summer = next(order for order in history if order.number == "558638")
    local = duckdb.execute(
        "select min(InvoiceDate) from read_parquet(?) where InvoiceNo = '558638'", [str(FILE)]
    ).fetchone()[0]
    assert (local - summer.placed_at.replace(tzinfo=None)).total_seconds() == 3600


def test_first_invoice_reads_as_printed(by_number):
    order = by_number["536365"]
    assert (order.customer, order.country, order.currency, order.kind) == ("17850", "GB", "GBP", "sale")
    assert order.total_minor == 13_912
    assert len(order.lines) == 7
    assert next(line for line in order.lines if line.sku == "85123A") == retail.OrderLine(
        sku="85123A",
        title="White Hanging Heart T-Light Holder",
        kind="item",
        quantity=6,
        unit_price="2.55",
        total_minor=1_530,
    )


def test_every_item_line_has_a_catalogue_entry_and_no_other_line_has_one(history, catalogue):
    known = {variant.sku for product in catalogue for variant in product.variants}
    for order in history:
        for line in order.lines:
            assert (line.sku in known) if line.kind == "item" else line.sku is None
            assert line.title


def test_every_country_is_mapped_to_one_that_babel_can_name(history):
    named = {
        name
        for (name,) in duckdb.execute("select distinct Country from read_parquet(?)", [str(FILE)]).fetchall()
    }
    assert named == set(COUNTRIES)
    assert {order.country for order in history} == set(COUNTRIES.values())
    assert all(code in Locale("en").territories for code in COUNTRIES.values())


def test_money_only_documents_are_adjustments(history, by_number):
    assert by_number["A563185"].kind == "adjustment"
    assert [line.kind for line in by_number["A563185"].lines] == ["adjustment"]
    assert by_number["C536379"].kind == "adjustment"  # a discount
    for order in history:
        goods = [line for line in order.lines if line.kind == "item" and not line.stock_correction]
        assert (order.kind == "adjustment") == (not goods)
        assert (order.kind == "return") == (bool(goods) and order.number.startswith("C"))


def test_stock_corrections_keep_their_remark_and_cost_nothing(history):
    corrections = [line for order in history for line in order.lines if line.stock_correction]
    assert len(corrections) > 1_900
    assert all(line.total_minor == 0 and line.kind == "item" for line in corrections)
    remarks = Counter(line.title for line in corrections)
    assert remarks["damaged"] > 30
    assert remarks["check"] > 100
    found = next(line for line in corrections if line.title == "found")
    assert found.quantity > 0
    for order in history:
        if any(line.stock_correction for line in order.lines):
            assert order.customer is None
            assert order.kind == "adjustment"


def test_what_is_negative_was_cancelled_or_written_off(history):
    for order in history:
        if not order.number.startswith("C"):
            for line in order.lines:
                assert line.quantity > 0 or line.total_minor == 0


def test_returns_name_an_earlier_sale_and_never_take_back_more_than_it_sold(history, by_number):
    position = {order.number: at for at, order in enumerate(history)}
    sold, back = Counter(), Counter()
    for order in history:
        for line in order.lines:
            if order.kind == "sale" and line.kind == "item":
                sold[order.number, line.sku, line.unit_price] += line.quantity
            if line.returns:
                sale = by_number[line.returns]
                assert order.kind == "return"
                assert position[sale.number] < position[order.number]
                assert sale.customer == order.customer is not None
                back[line.returns, line.sku, line.unit_price] -= line.quantity
    assert all(sold[key] >= quantity for key, quantity in back.items())


def test_how_many_returns_find_their_sale(history):
    returns = [order for order in history if order.kind == "return"]
    items = [line for order in returns for line in order.lines if line.kind == "item"]
    assert len(returns) == 3_420
    assert sum(line.returns is not None for line in items) / len(items) > 0.8
    assert sum(order.returns is not None for order in returns) / len(returns) > 0.7
    for order in returns:
        if order.returns:
            assert {line.returns for line in order.lines if line.kind == "item"} == {order.returns}


def test_the_largest_cancellation_finds_its_sale(by_number):
    # 80,995 paper birdies, bought and cancelled within a quarter of an hour.
    assert by_number["C581484"].returns == "581483"
    assert by_number["C581484"].lines[0].quantity == -80_995


def test_letters_are_variants_of_one_product(by_code):
    doilies = by_code["84509"]
    assert (doilies.title, doilies.option_name) == (
        "Set of 4 Placemats",
        "Variant",
    )  # two fairy cakes: letters it is
    clock = by_code["84660"]
    assert (clock.title, clock.option_name) == ("Stitched Wall Clock", "Colour")
    assert {variant.sku: variant.option_value for variant in clock.variants} == {
        "84660A": "White",
        "84660B": "Black",
        "84660C": "Pink",
    }
    tape = by_code["46776"]
    assert tape.option_name == "Style"
    assert [variant.option_value for variant in tape.variants][:2] == ["Bubble Gum", "Berries"]
    assert [variant.sku for variant in by_code["85123"].variants] == ["85123A"]
    assert by_code["85123"].option_name is None
    assert [variant.sku for variant in by_code["15056"].variants] == ["15056BL", "15056N", "15056P"]


def test_no_two_products_share_a_handle_and_no_two_variants_a_code_or_value(catalogue):
    handles = [product.handle for product in catalogue]
    assert len(set(handles)) == len(handles)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", handle) for handle in handles)
    codes = [variant.sku for product in catalogue for variant in product.variants]
    assert len(set(codes)) == len(codes)
    for product in catalogue:
        values = [variant.option_value for variant in product.variants]
        assert (product.option_name is None) == (values == [None])
        assert len({(value or "").lower() for value in values}) == len(values)
        assert "" not in values


def test_what_is_no_product_is_in_no_catalogue(catalogue):
    codes = {variant.sku for product in catalogue for variant in product.variants}
    assert not codes & set(NON_PRODUCTS)
    remarks = re.compile(r"damage|\?|thrown|\blost\b|^check$|voucher|postage|^next day", re.IGNORECASE)
    for product in catalogue:
        for variant in product.variants:
            assert not remarks.search(variant.title), variant


def test_prices_are_what_was_charged_most_often(by_code):
    heart = by_code["85123"].variants[0]
    count = """
        select UnitPrice from read_parquet(?) where upper(StockCode) = '85123A' and UnitPrice > 0
        group by 1 order by count(*) desc limit 1
    """
    assert heart.price_minor == round(duckdb.execute(count, [str(FILE)]).fetchone()[0] * 100)
    assert heart.first_sold.isoformat() == "2010-12-01"
    assert heart.last_sold.isoformat() == "2011-12-09"


def test_prices_and_dates_make_sense(catalogue):
    for product in catalogue:
        assert (product.currency, product.tax_included, product.tax_rate) == ("GBP", True, "0.20")
        for variant in product.variants:
            assert variant.price_minor > 0
            assert variant.first_sold <= variant.last_sold


def test_categories_are_a_small_tree_and_few_products_are_left_over(catalogue):
    tree = {category.slug: category for category in retail.categories()}
    assert 12 <= len(tree) <= 20
    assert all(category.parent is None or tree[category.parent].parent is None for category in tree.values())
    filled = Counter(product.category for product in catalogue)
    parents = {category.parent for category in tree.values()} - {None}
    assert set(filled) == set(tree) - parents, "every leaf is used, no parent is"
    assert filled["other"] / len(catalogue) < 0.05
    assert max(filled.values()) / len(catalogue) < 0.2


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("WHITE HANGING HEART T-LIGHT HOLDER", "White Hanging Heart T-Light Holder"),
        ("S/4 PINK FLOWER CANDLES IN BOWL", "Set of 4 Pink Flower Candles in Bowl"),
        ("SET/6 IVORY BIRD T-LIGHT CANDLES", "Set of 6 Ivory Bird T-Light Candles"),
        ("BAG 125g SWIRLY MARBLES", "Bag 125g Swirly Marbles"),
        ("POLYESTER FILLER PAD 45x45cm", "Polyester Filler Pad 45x45cm"),
        ("CHARLIE+LOLA PINK HOT WATER BOTTLE", "Charlie & Lola Pink Hot Water Bottle"),
        ("CHARLIE AND LOLA TABLE TINS", "Charlie & Lola Table Tins"),
        ("WRAP 50'S  CHRISTMAS", "Wrap 50's Christmas"),
        ("ENGLISH ROSE NOTEBOOK A7 SIZE", "English Rose Notebook A7 Size"),
        ("WINE BOTTLE DRESSING LT.BLUE", "Wine Bottle Dressing Light Blue"),
        ("YELLOW FELT HANGING HEART W FLOWER", "Yellow Felt Hanging Heart with Flower"),
        ("3D SHEET OF DOG STICKERS", "3D Sheet of Dog Stickers"),
        ('LETTER "A" BLING KEY RING', 'Letter "A" Bling Key Ring'),
        ("PACK OF SIX LED TEA LIGHTS", "Pack of Six LED Tea Lights"),
        ("DECORATION,BLUE", "Decoration, Blue"),
    ],
)
def test_titles(description, expected):
    assert words.title(description) == expected


def test_what_a_title_tells():
    assert words.colour("Pink/White Christmas Tree 30cm") == "Pink & White"
    assert words.colour("Jumbo Bag Strawberry") is None
    assert words.material("Heart Wooden Christmas Decoration") == "wood"
    assert words.pieces("Set of 4 English Rose Placemats") == 4
    assert words.pieces("12 Pencils Tall Tube Woodland") is None
    assert words.is_colour("Sky Blue")
    assert not words.is_colour("Rose")
    assert not words.is_colour("Dusty")
    assert words.tags("Red Retrospot Paisley Bag") == ("retrospot", "paisley")


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Jumbo Bag Red Retrospot", "bags"),
        ("Gardeners Kneeling Pad Cup of Tea", "garden"),
        ("Regency Cakestand 3 Tier", "table"),
        ("Black Tea Towel Classic Design", "baking"),
        ("Set of 10 Cards Christmas Tree 16955", "christmas"),
        ("White Hanging Heart T-Light Holder", "lighting"),
        ("Mixed Nuts Light Green Bowl", "table"),
        ("Something Nobody Knows", "other"),
    ],
)
def test_category_by_words(title, expected):
    assert words.category(title) == expected


def test_opening_stock_has_plenty_little_and_none(catalogue):
    plan = list(retail.opening_stock(stores(), catalogue))
    variants = {variant.sku: variant for product in catalogue for variant in product.variants}
    at = defaultdict(dict)
    for line in plan:
        assert line.sku not in at[line.location], "one row a place and code"
        at[line.location][line.sku] = line.quantity
    warehouse = at[retail.WAREHOUSE]
    assert set(at) == {retail.WAREHOUSE} | {store.code for store in stores()}
    assert set(warehouse) == set(variants)
    best = max(variants.values(), key=lambda variant: variant.recent_units)
    assert warehouse[best.sku] >= best.recent_units * 8 // 13
    assert sum(quantity == 0 for quantity in warehouse.values()) > 300
    assert sum(0 < quantity < 5 for quantity in warehouse.values()) > 300
    assert all(quantity >= 0 for quantity in warehouse.values())
    ranges = [set(at[store.code]) for store in stores()]
    assert all(len(each) > 1_000 for each in ranges)
    assert len({frozenset(each) for each in ranges}) == 5
    assert all(line.quantity >= 2 for line in plan if line.location != retail.WAREHOUSE)


def test_two_readings_are_the_same(catalogue, history):
    again = retail.open_source()
    assert list(retail.products(again)) == catalogue
    encode = msgspec.json.encode
    assert all(encode(one) == encode(two) for one, two in zip(retail.orders(again), history, strict=True))


def test_orders_stream_while_other_questions_are_asked(source):
    stream = retail.orders(source)
    first = next(stream)
    assert len(list(retail.products(source))) > 3_000
    rest = sum(1 for _ in stream)
    assert (first.number, rest) == ("536365", 25_899)
