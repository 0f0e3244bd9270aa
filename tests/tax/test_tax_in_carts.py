"""Carts and orders with tax: where it goes, who buys, what is kept of it, and what the buyer is told."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from fake_vies import FakeVies
from hypothesis import given
from hypothesis import strategies as st

from samlad import carts, channels
from samlad.carts import CartView, DetailsInput, PriceStep
from samlad.carts.quoting import moved_steps
from samlad.channels import ChannelChange
from samlad.kernel.clock import local_day, now
from samlad.kernel.context import Context
from samlad.kernel.problems import InvalidInput
from samlad.orders import TotalChanged
from samlad.orders.model import LineKind
from samlad.promotions import service as promotions
from samlad.promotions.model import PromotionInput
from samlad.tax import checking, moved, service
from samlad.tax.model import RegistrationInput, TaxRateInput
from trade import ADDRESS, BUYER, Trade

GERMAN = BUYER | {"address": {**ADDRESS, "country": "DE", "postal_code": "10115", "city": "Berlin"}}
NORWEGIAN = BUYER | {"address": {**ADDRESS, "country": "NO", "postal_code": "0150", "city": "Oslo"}}
DUTCH = BUYER | {
    "address": {**ADDRESS, "country": "NL", "postal_code": "3528 BJ", "city": "Utrecht"},
    "vat_number": "NL004495445B01",
}


async def settings(trade: Trade, **values: Any) -> None:
    change = ChannelChange(settings={**trade.web.own.settings, **values})
    trade.web = await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))


async def details(trade: Trade, cart: CartView, **values: Any) -> CartView:
    data = msgspec.convert(values, DetailsInput)
    return await trade.db.transaction(lambda tx: carts.set_details(tx, cart.id, data))


async def test_a_gross_price_stays_and_its_tax_is_the_destinations(trade: Trade) -> None:
    kettle = await trade.kettle(19_900)
    cart = await trade.cart((kettle, 1), **GERMAN)
    line = cart.lines[0]
    assert (line.unit_price, line.total, line.tax, line.tax_rate) == (19_900, 19_900, 3_177, 1_900)
    assert (line.tax_category, line.tax_treatment, line.tax_country) == ("S", "oss", "DE")
    home = await details(trade, cart, address=ADDRESS)
    assert (home.totals.total, home.totals.tax) == (19_900, 3_980)


async def test_a_net_price_stays_where_the_channel_says_so(trade: Trade) -> None:
    await settings(trade, tax_foreign_price="net", shipping_flat=5_000)
    cart = await trade.cart((await trade.kettle(19_900), 3), **GERMAN)
    line = cart.lines[0]
    assert line.unit_price == 18_945, "15,920 net with 19 % on it"
    assert (line.net + line.tax, line.total) == (line.total, 3 * 18_945)
    assert cart.totals.shipping == 4_760
    order = await trade.place(cart.id, total=cart.totals.total)
    assert [(each.kind, each.unit_price, each.tax_rate, each.tax_country) for each in order.lines] == [
        (LineKind.ITEM, 18_945, 1_900, "DE"),
        (LineKind.SHIPPING, 4_760, 1_900, "DE"),
    ]
    assert order.total == cart.totals.total == sum(each.total for each in order.lines)
    await trade.sound()


async def test_what_leaves_the_union_bears_no_tax(trade: Trade) -> None:
    await settings(trade, tax_foreign_price="net_if_untaxed")
    cart = await trade.cart((await trade.kettle(19_900), 1), **NORWEGIAN)
    assert (cart.totals.total, cart.totals.tax, cart.tax_notes) == (15_920, 0, ["export"])
    german = await details(trade, cart, address=GERMAN["address"])
    assert (german.totals.total, german.totals.tax) == (19_900, 3_177)


async def test_below_the_threshold_the_sellers_tax_is_right(trade: Trade) -> None:
    await settings(trade, tax_oss=False)
    cart = await trade.cart((await trade.kettle(), 1), **GERMAN)
    assert [(line.tax_rate, line.tax_treatment, line.tax_country) for line in cart.lines] == [
        (2_500, "origin", "SE")
    ]
    data = RegistrationInput(channel="web", country="DE", number="DE136695976", valid_from=date(2020, 1, 1))
    await trade.db.transaction(lambda tx: service.register(tx, data))
    cart = await details(trade, cart, name="Kim")
    assert [(line.tax_rate, line.tax_treatment, line.tax_country) for line in cart.lines] == [
        (1_900, "registered", "DE")
    ]


async def test_pick_up_and_till_are_taxed_where_they_are(trade: Trade) -> None:
    kettle = await trade.kettle(at=trade.at_malmo)
    cart = await trade.cart((kettle, 1), **GERMAN)
    picked = await details(trade, cart, delivery="pickup", location=str(trade.at_malmo.id))
    assert (picked.lines[0].tax_rate, picked.lines[0].tax_treatment) == (2_500, "domestic")
    sold = await trade.buy((kettle, 1), channel=trade.malmo)
    assert [(line.tax_rate, line.tax_category, line.tax_country) for line in sold.lines] == [
        (2_500, "S", "SE")
    ]


async def test_a_checked_firm_abroad_buys_without_tax_and_the_order_has_the_proof(
    trade: Trade, vies: FakeVies
) -> None:
    own = RegistrationInput(channel="web", country="SE", number="SE556012579001", valid_from=date(2020, 1, 1))
    await trade.db.transaction(lambda tx: service.register(tx, own))
    await checking.check(trade.db, "NL004495445B01")
    cart = await trade.cart((await trade.kettle(19_900), 1), **DUTCH)
    assert (cart.vat_number, cart.vat_check, cart.tax_notes) == ("NL004495445B01", "valid", ["intra-eu"])
    order = await trade.place(cart.id, total=cart.totals.total)
    line = order.lines[0]
    assert (line.tax, line.tax_category, line.tax_note, line.tax_country) == (0, "K", "intra-eu", "SE")
    assert (order.vat_number, order.vat_check, order.vat_consultation) == (
        "NL004495445B01",
        "valid",
        "WAPIAAAAY1",
    )
    assert order.vat_checked is not None


@pytest.mark.parametrize(("trusts", "rate"), [("consumer", 2_100), ("business", 0)])
async def test_while_vies_is_silent_the_order_goes_on_as_the_setting_says(
    trade: Trade, vies: FakeVies, trusts: str, rate: int
) -> None:
    await settings(trade, tax_unchecked_number=trusts)
    vies.mood = "down"
    await checking.check(trade.db, "NL004495445B01")
    cart = await trade.cart((await trade.kettle(), 1), **DUTCH)
    assert (cart.vat_check, cart.lines[0].tax_rate) == ("format", rate)
    order = await trade.place(cart.id, total=cart.totals.total)
    assert (order.vat_check, order.vat_checked, order.lines[0].tax_rate) == ("format", None, rate)
    vies.mood = "ok"
    await trade.db.rows("UPDATE tax_number_check SET next_at = now() RETURNING 1")
    assert await checking.check_due(trade.db) == 1, "it is asked again though the order has gone on"


async def test_a_number_that_vies_denies_buys_as_a_consumer(trade: Trade, vies: FakeVies) -> None:
    await settings(trade, tax_unchecked_number="business")
    vies.invalid.add("NL004495445B01")
    cart = await trade.cart((await trade.kettle(), 1), **DUTCH)
    assert cart.lines[0].tax_rate == 0, "trusted until it is known better"
    await checking.check(trade.db, "NL004495445B01")
    seen = await carts.view(trade.db, Context().actor, cart.id)
    assert (seen.vat_check, seen.lines[0].tax_rate) == ("invalid", 2_100)
    assert seen.tax_news is not None
    assert (seen.tax_news.reason, seen.tax_news.tax_before) == ("vat-number", 0)
    assert seen.tax_news.tax == seen.totals.tax > 0


async def test_numbers_are_refused_at_their_field(trade: Trade) -> None:
    cart = await trade.cart((await trade.kettle(), 1))
    with pytest.raises(InvalidInput) as caught:
        await details(trade, cart, vat_number="NL123")
    assert [error.field for error in caught.value.errors] == ["vat_number"]


async def test_an_order_of_the_day_after_a_change_has_the_new_rate(trade: Trade) -> None:
    kettle = await trade.kettle(10_000)
    today = local_day(now(), "Europe/Stockholm")
    tomorrow = await trade.buy((kettle, 1))
    assert tomorrow.lines[0].tax_rate == 2_500
    for start, end, rate in ((date(2020, 1, 1), today, 2_000), (today, None, 3_000)):
        data = TaxRateInput(
            country="SE", tax_class="standard", rate_bp=rate, valid_from=start, valid_to=end, name="Own", channel="web"
        )  # fmt: skip
        await trade.db.transaction(lambda tx, data=data: service.create_rate(tx, data))
    cart = await trade.cart((kettle, 1))
    assert (cart.lines[0].tax_rate, cart.tax_news) == (3_000, None)
    await trade.db.rows("UPDATE cart SET updated_at = updated_at - interval '1 day' RETURNING 1")
    seen = await carts.view(trade.db, Context().actor, cart.id)
    assert seen.tax_news is not None
    assert (seen.tax_news.reason, seen.tax_news.since) == ("rate", today - timedelta(days=1))
    assert (seen.tax_news.tax_before, seen.tax_news.tax) == (1_667, 2_308)
    accepted = await trade.db.transaction(lambda tx: carts.accept_prices(tx, cart.id))
    assert accepted.tax_news is None, "who has agreed has been told"
    order = await trade.place(cart.id, total=10_000)
    assert (order.lines[0].tax_rate, order.lines[0].tax) == (3_000, 2_308)


async def test_another_tax_that_makes_it_dearer_is_not_taken_silently(trade: Trade) -> None:
    await settings(trade, tax_foreign_price="net")
    cart = await trade.cart((await trade.kettle(19_900), 1), **GERMAN)
    data = TaxRateInput(
        country="DE", tax_class="standard", rate_bp=3_000, valid_from=date(2020, 1, 1), name="Own", channel="web"
    )  # fmt: skip
    await trade.db.transaction(lambda tx: service.create_rate(tx, data))
    with pytest.raises(TotalChanged):
        await trade.place(cart.id, total=cart.totals.total)


async def test_rounding_by_total_is_what_the_lines_of_the_order_come_to(trade: Trade) -> None:
    await settings(trade, tax_rounding="total")
    kettles = [(await trade.kettle(99), 1) for _ in range(10)]
    order = await trade.buy(*kettles)
    assert (order.total, order.tax) == (990, 198)
    assert sum(line.tax for line in order.lines) == 198
    await trade.sound()


async def test_rates_of_goods_in_one_cart_are_each_their_own(trade: Trade) -> None:
    kettle, book = await trade.kettle(10_000), await trade.kettle(5_000)
    await trade.db.rows("UPDATE product SET tax_class = 'books' WHERE id = (SELECT product FROM variant WHERE id = $1) RETURNING 1", book)  # fmt: skip
    cart = await trade.cart((kettle, 1), (book, 1), **GERMAN)
    assert sorted(line.tax_rate for line in cart.lines) == [700, 1_900]
    assert cart.totals.tax == sum(line.tax for line in cart.lines)


@given(
    st.lists(st.integers(0, 10_000), min_size=1, max_size=4),
    st.integers(0, 40_000),
    st.sampled_from([0, 600, 2_500]),
    st.sampled_from([0, 700, 1_900, 2_700]),
)
def test_reductions_never_go_below_nothing_and_free_stays_free(
    taken: list[int], more: int, home: int, to: int
) -> None:
    price = sum(taken) + more
    there = moved(price, home, to)
    steps = [PriceStep(promotion=UUID(int=i), name="x", amount=amount) for i, amount in enumerate(taken)]
    found = moved_steps(steps, price, there, home, to)
    assert [step.promotion for step in found] == [step.promotion for step in steps]
    assert all(step.amount >= 0 for step in found)
    off = sum(step.amount for step in found)
    assert off <= there
    if more == 0:
        assert off == there
    left = (price - sum(taken)) * (10_000 + to) / (10_000 + home)
    assert abs(there - off - left) <= 1


async def test_a_reduced_net_price_adds_up_in_the_cart_and_the_order(trade: Trade) -> None:
    await settings(trade, tax_foreign_price="net", shipping_flat=4_900)
    data = {
        "channel": str(trade.web.id),
        "name": "Kettle week",
        "terms": {"effect": {"kind": "percent", "percent": 1_000}},
        "is_automatic": True,
    }
    week = msgspec.convert(data, PromotionInput)
    await trade.db.transaction(lambda tx: promotions.create(tx, week))
    cart = await trade.cart((await trade.kettle(19_990), 3), **GERMAN)
    line = cart.lines[0]
    assert line.steps
    assert line.total == line.unit_price * 3 - sum(step.amount for step in line.steps)
    assert cart.totals.reduced == sum(each.amount for each in cart.promotions)
    assert [each.amount for each in cart.promotions] == [sum(step.amount for step in line.steps)]
    order = await trade.place(cart.id, total=cart.totals.total)
    assert order.total == cart.totals.total
    await trade.sound()
