"""Which price applies and what it may be compared with: the rules, and that SQL and Python agree on them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from samlad import catalog, channels, tax
from samlad.catalog import listings, prices
from samlad.catalog.checks import CHECKS
from samlad.catalog.price_rules import (
    REFERENCE_PERIOD,
    Applied,
    Candidate,
    applied_amount,
    choose,
    reference_price,
)
from samlad.catalog.prices import PriceListChange, PriceListInput, PriceSetting
from samlad.kernel.checks import run as run_checks
from samlad.kernel.database import Tx

from .conftest import Shop, webshop

DAY = timedelta(days=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
moments = st.integers(0, 120).map(lambda days: START + days * DAY)


def on(day: int) -> datetime:
    return START + day * DAY


async def make_list(shop: Shop, code: str, **fields: object) -> prices.PriceList:
    data = PriceListInput(code=code, name=code, currency="SEK", **fields)  # type: ignore[arg-type]
    return await shop.db.transaction(lambda tx: prices.create_list(tx, shop.price_pool, data))


async def set_price(
    shop: Shop, chosen: prices.PriceList, variant: UUID, amount: int | None, day: int, **more: int
) -> None:
    setting = PriceSetting(variant=variant, amount=amount, **more)
    await shop.db.transaction(lambda tx: prices.set_prices(tx, chosen.id, [setting], at=on(day)))


# -- the rule in words, as examples ------------------------------------------------------------------------------------

ONE, TWO = UUID(int=1), UUID(int=2)
HERE, THERE = UUID(int=11), UUID(int=12)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"priority": 2, "amount": 9}, {"priority": 1, "amount": 1}),
        ({"channel": HERE, "amount": 9}, {"amount": 1}),
        ({"channel": HERE, "customer_group": "staff", "amount": 9}, {"channel": HERE, "amount": 1}),
        ({"min_quantity": 5, "amount": 9}, {"min_quantity": 2, "amount": 1}),
        ({"amount": 1}, {"amount": 9}),
        ({"priority": -1, "amount": 9}, {"priority": 5, "channel": THERE, "amount": 1}),
        ({"amount": 9}, {"priority": 5, "customer_group": "other", "amount": 1}),
        ({"amount": 9}, {"priority": 5, "min_quantity": 6, "amount": 1}),
        ({"amount": 9}, {"priority": 5, "valid_to": START, "amount": 1}),
        ({"amount": 9}, {"priority": 5, "valid_from": START + DAY, "amount": 1}),
        ({"priority": 5, "valid_from": START, "amount": 9}, {"amount": 1}),
    ],
)
def test_which_of_two_applies(better: dict[str, object], worse: dict[str, object]) -> None:
    first = Candidate(price_list=TWO, **better)  # type: ignore[arg-type]
    second = Candidate(price_list=ONE, **worse)  # type: ignore[arg-type]
    for order in ([first, second], [second, first]):
        assert choose(order, channel=HERE, quantity=5, at=START, customer_group="staff") is first


def steps(*amounts: tuple[int, int]) -> list[Applied]:
    """A price that changed on some days: (day, amount)."""
    ends = [on(day) for day, _ in amounts[1:]] + [None]
    return [
        Applied(price_list=ONE, amount=amount, applied_from=on(day), applied_to=end)
        for (day, amount), end in zip(amounts, ends, strict=True)
    ]


@pytest.mark.parametrize(
    ("history", "day", "expected"),
    [
        (steps((0, 100), (50, 80)), 50, 100),  # a plain reduction
        (steps((0, 100), (50, 80)), 110, 100),  # however long it lasts
        (steps((0, 90), (15, 100), (50, 80)), 60, 100),  # 90 is longer ago than 30 days
        (steps((0, 90), (25, 100), (50, 80)), 60, 90),  # 90 still stood within the 30 days
        (steps((0, 100), (40, 80), (45, 100), (50, 80)), 60, 80),  # up just to come down again
        (steps((0, 100), (40, 80), (50, 60)), 60, 80),  # a further reduction is a new one
        (steps((50, 80)), 60, None),  # never offered for more
        (steps((0, 80), (40, 80)), 60, None),  # set again to what it was
        ([], 60, None),
    ],
)
def test_the_prior_price(history: list[Applied], day: int, expected: int | None) -> None:
    assert reference_price(history, HERE, on(day)) == expected


applied = st.builds(
    lambda lst, amount, start, length, priority, channel: Applied(
        price_list=UUID(int=lst),
        amount=amount,
        applied_from=start,
        applied_to=None if length is None else start + length * DAY,
        priority=priority,
        channel=channel,
    ),
    st.integers(1, 4),
    st.integers(1, 5),
    moments,
    st.none() | st.integers(1, 60),
    st.integers(0, 2),
    st.sampled_from([None, HERE, THERE]),
)


@given(history=st.lists(applied, max_size=8), at=moments)
def test_the_prior_price_is_the_lowest_of_thirty_days_before_the_run(
    history: list[Applied], at: datetime
) -> None:
    """Against the definition, hour by hour would be the same as day by day: everything begins at midnight."""
    now = applied_amount(history, HERE, at)
    began = at
    while now is not None and began > START and applied_amount(history, HERE, began - DAY) == now:
        began -= DAY
    before = [applied_amount(history, HERE, began - n * DAY) for n in range(1, REFERENCE_PERIOD.days + 1)]
    expected = min((a for a in before if a is not None), default=None) if now is not None else None
    assert reference_price(history, HERE, at) == expected


# -- the same in the database --------------------------------------------------------------------------------------------


@given(history=st.lists(applied, max_size=8, unique_by=lambda h: (h.price_list, h.applied_from)), at=moments)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_sql_and_python_agree_on_the_prior_price(
    shop: Shop, history: list[Applied], at: datetime
) -> None:
    variant = ONE
    await shop.db.transaction(lambda tx: tx.execute("DELETE FROM price_history"))
    await shop.db.transaction(
        lambda tx: tx.execute_many(
            "INSERT INTO price_history (variant, price_list, pool, channel, currency, kind, priority, tax_included,"
            " amount, applied_from, applied_to) VALUES ($1, $2, $3, $4, 'SEK', 'regular', $5, true, $6, $7, $8)",
            [
                (variant, h.price_list, TWO, h.channel, h.priority, h.amount, h.applied_from, h.applied_to)
                for h in history
            ],
        )
    )
    sql = "SELECT lowest_prior_price($1, $2, $3, 'SEK', true, $4)"
    assert await shop.db.value(sql, variant, TWO, HERE, at) == reference_price(history, HERE, at)


candidate = st.fixed_dictionaries(
    {
        "amount": st.integers(0, 4),
        "priority": st.integers(0, 1),
        "min_quantity": st.integers(1, 3),
        "channel": st.sampled_from(["none", "here", "there"]),
        "customer_group": st.none() | st.sampled_from(["staff", "trade"]),
        "valid_from": st.none() | moments,
        "length": st.none() | st.integers(1, 90),
    }
)


@given(
    made=st.lists(candidate, min_size=1, max_size=5),
    quantity=st.integers(1, 3),
    at=moments,
    group=st.none() | st.just("staff"),
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_sql_and_python_agree_on_the_price(
    shop: Shop, made: list[dict[str, object]], quantity: int, at: datetime, group: str | None
) -> None:
    codes = {c.code for c in await channels.all_channels(shop.db)}
    if "there" not in codes:
        await shop.db.transaction(lambda tx: channels.create(tx, webshop("there", join={"prices": "web"})))
    there = await channels.by_code(shop.db, "there")
    row = await shop.db.row("SELECT id FROM variant LIMIT 1")
    variant = row["id"] if row else (await shop.product(sku="K")).variants[0].id
    await shop.db.transaction(lambda tx: tx.execute("DELETE FROM price"))
    candidates = []
    for each in made:
        values = dict(each)
        length = values.pop("length")
        amount, least = values.pop("amount"), values.pop("min_quantity")
        values["channel"] = {"none": None, "here": shop.channel.id, "there": there.id}[str(values["channel"])]
        begin = values["valid_from"]
        values["valid_to"] = begin + length * DAY if begin and length else None  # type: ignore[operator]
        number = await shop.db.value("SELECT count(*) FROM price_list")
        chosen = await make_list(shop, f"l{number}", **values)
        setting = PriceSetting(variant=variant, amount=amount, min_quantity=least)  # type: ignore[arg-type]
        await shop.db.transaction(
            lambda tx, c=chosen, s=setting: prices.set_prices(tx, c.id, [s], at=at)  # type: ignore[misc]
        )
        candidates.append(Candidate(price_list=chosen.id, amount=amount, min_quantity=least, **values))  # type: ignore[arg-type]
    expected = choose(candidates, channel=shop.channel.id, quantity=quantity, at=at, customer_group=group)
    found = await catalog.sellables(
        shop.db, shop.channel, [variant], customer_group=group, at=at, quantities={variant: quantity}
    )
    assert found[variant].price == (expected.amount if expected else None)
    assert found[variant].is_available is (expected is not None)


async def test_a_sale_shows_its_prior_price_and_only_a_sale(shop: Shop) -> None:
    variant = (await shop.product(sku="K")).variants[0].id
    await set_price(shop, shop.base, variant, 10000, 0)
    sale = await make_list(shop, "sale", kind="sale", priority=1, valid_from=on(50), valid_to=on(60))
    await set_price(shop, sale, variant, 7000, 40)

    async def seen(day: int) -> tuple[int | None, int | None]:
        found = (await catalog.sellables(shop.db, shop.channel, [variant], at=on(day)))[variant]
        return found.price, found.reference_price

    assert await seen(49) == (10000, None)
    assert await seen(50) == (7000, 10000)
    assert await seen(59) == (7000, 10000)
    assert await seen(60) == (10000, None)
    await set_price(shop, shop.base, variant, 6900, 62, compare_at=10000)
    assert await seen(63) == (6900, 7000)


async def test_a_list_that_is_changed_is_cut_in_the_history(shop: Shop) -> None:
    variant = (await shop.product(sku="K")).variants[0].id
    await set_price(shop, shop.base, variant, 100, 0)
    await set_price(shop, shop.base, variant, 100, 5)
    await set_price(shop, shop.base, variant, 90, 10)
    await shop.db.transaction(
        lambda tx: prices.change_list(tx, shop.base.id, PriceListChange(priority=3), at=on(20))
    )
    await set_price(shop, shop.base, variant, None, 30)
    periods = await prices.history(shop.db, variant)
    told = [(p.amount, p.priority, p.applied_from, p.applied_to) for p in periods]
    assert told == [
        (90, 3, on(20), on(30)),
        (90, 0, on(10), on(20)),
        (100, 0, on(0), on(10)),
    ]


async def test_sellables_is_one_statement_and_speaks_the_channels_language(shop: Shop) -> None:
    made = await shop.product(
        title="Kettle",
        translations={"sv": {"title": "Kittel", "options": {"Red": "Röd"}}},
        tax_class="books",
        media=[{"url": "/1.jpg"}, {"url": "/red.jpg", "sku": "K-RED"}],
        variants=[
            {"sku": "K-RED", "options": {"Colour": "Red", "Size": "L / XL"}, "weight_g": 900},
            {"sku": "K-BLUE", "options": {"Colour": "Blue", "Size": "S"}},
        ],
        price=1999,
    )
    red, blue = (v.id for v in made.variants)

    await tax.current(shop.db)  # warm

    async def work(tx: Tx) -> tuple[dict[UUID, catalog.Sellable], int]:
        before = tx.statements
        found = await catalog.sellables(tx, shop.channel, [red, blue, red, UUID(int=5)])
        return found, tx.statements - before

    found, statements = await shop.db.transaction(work)
    assert statements == 1
    assert list(found) == [red, blue] or set(found) == {red, blue}
    assert (found[red].title, found[red].options, found[blue].options) == (
        "Kittel",
        "Röd / L / XL",
        "Blue / S",
    )
    assert (found[red].image, found[blue].image) == ("/red.jpg", "/1.jpg")
    assert (found[red].price, found[red].currency, found[red].tax_included, found[red].tax_rate) == (
        1999,
        "SEK",
        True,
        600,
    )
    assert found[red].weight == 900


async def test_another_catalogue_is_out_of_sight(shop: Shop) -> None:
    made = await shop.product(sku="K", price=100)
    other = await shop.db.transaction(lambda tx: channels.create(tx, webshop("other")))
    assert await catalog.sellables(shop.db, other, [made.variants[0].id]) == {}


async def test_a_marketplace_sells_only_what_is_listed(shop: Shop) -> None:
    made = await shop.product(sku="K", price=100)
    market = await shop.db.transaction(
        lambda tx: channels.create(
            tx, webshop("market", kind="marketplace", join={"catalogue": "web", "prices": "web"})
        )
    )
    variant = made.variants[0].id
    assert not (await catalog.sellables(shop.db, market, [variant]))[variant].is_available
    data = listings.ListingInput(
        products=[made.id], channel=market.id, published_at=on(0), unpublish_at=on(9)
    )
    await shop.db.transaction(lambda tx: listings.put(tx, data))
    days = [
        (await catalog.sellables(shop.db, market, [variant], at=on(day)))[variant].is_available
        for day in (-1, 0, 8, 9)
    ]
    # its price was set only just now, long after those days: what is looked at here is the listing
    assert days == [False, True, True, False]


async def test_doctor_finds_what_is_wrong(shop: Shop) -> None:
    await shop.product(sku="K", price=100)
    assert {r.status for r in await run_checks(shop.db, CHECKS)} == {"ok"}
    for table in ("product_search", "search_price", "price_history"):
        await shop.db.transaction(lambda tx, t=table: tx.execute(f"DELETE FROM {t}"))  # type: ignore[misc]
    assert {r.status for r in await run_checks(shop.db, CHECKS)} == {"failed"}
