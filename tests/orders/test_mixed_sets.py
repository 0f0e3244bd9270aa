"""Sets whose parts are taxed at different rates: each part at its own, in the cart, in the order, in reports and when it comes back."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from changing import make, sold
from hypothesis import given
from hypothesis import strategies as st
from test_arrivals import an_arrival, arrive
from test_set_rules import sellable

from mixed_sets import breakfast, by_rate
from samlad import channels, orders, tax
from samlad.carts import CartView, PriceStep, parcels
from samlad.carts.parcels import Sent
from samlad.carts.quoting import quoted, with_tax
from samlad.catalog import Sellable, SetPart
from samlad.channels import Channel, ChannelChange, ChannelKind, ChannelStatus, OwnValues
from samlad.kernel.ids import new_id
from samlad.orders import CancelInput, Order, tax_report
from samlad.orders.model import FulfilInput, LineKind, LineSelection, ReturnInput
from samlad.tax import Category, Decision, Treatment
from trade import ADDRESS, BUYER, Trade

GERMAN = BUYER | {"address": {**ADDRESS, "country": "DE", "postal_code": "10115", "city": "Berlin"}}
MOMENT = datetime(2026, 11, 26, tzinfo=UTC)


async def settings(trade: Trade, **values: Any) -> None:
    change = ChannelChange(settings={**trade.web.own.settings, **values})
    trade.web = await trade.db.transaction(lambda tx: channels.change(tx, trade.web.id, change))


def ways(cart: CartView) -> list[tuple[int, int, int]]:
    return [(each.tax_rate, each.total, each.tax) for each in cart.lines[0].taxes]


async def test_each_part_is_taxed_at_its_own_rate_from_the_cart_to_its_return(trade: Trade) -> None:
    box, jam, book, bowl = await breakfast(trade)
    cart = await trade.cart((box, 2))
    (line,) = cart.lines
    # 40,000 apart: the box costs three quarters of that, and so does each part of it.
    wanted = {1_200: (7_500, 804), 600: (30_000, 1_698), 2_500: (22_500, 4_500)}
    assert {rate: (total, borne) for rate, total, borne in ways(cart)} == wanted
    assert (line.unit_price, line.total, line.tax) == (30_000, 60_000, 804 + 1_698 + 4_500)
    assert (line.tax_rate, line.tax_category) == (600, "S"), "that of the largest part"
    assert (cart.totals.total, cart.totals.tax) == (60_000, 7_002)
    order = await trade.place(cart.id, total=60_000)
    assert {(each.variant, each.quantity, each.unit_price, each.tax_rate) for each in order.lines} == {
        (jam, 2, 3_750, 1_200),
        (book, 2, 15_000, 600),
        (bowl, 4, 5_625, 2_500),
    }
    assert (order.total, order.tax, by_rate(order)) == (60_000, 7_002, wanted)
    await trade.follow()
    await trade.sound()
    await trade.db.transaction(lambda tx: orders.fulfil(tx, order.id, FulfilInput()))
    assert await reported(trade, order) == {
        (rate, total - borne, borne) for rate, (total, borne) in wanted.items()
    }
    place = next(each.position for each in order.lines if each.variant == book)
    one = ReturnInput(lines=[LineSelection(position=place, quantity=1)])
    back = await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, one))
    assert (back.total, back.tax, back.lines[0].tax_rate) == (-15_000, -849, 600)
    rest = await trade.db.transaction(lambda tx: orders.take_back(tx, order.id, ReturnInput()))
    assert (back.total + rest.total, back.tax + rest.tax) == (-60_000, -7_002)
    await trade.follow()
    await trade.sound()
    assert await reported(trade, order) == set()


async def reported(trade: Trade, order: Order) -> set[tuple[int, int, int]]:
    """What the tax report says of the days since an order: (rate, net, tax), without what came back whole."""
    rows = await tax_report.report(
        trade.db, [trade.web], order.local_day, order.local_day + timedelta(days=2)
    )
    return {(row.rate, row.net, row.tax) for row in rows if row.net or row.tax}


async def test_a_set_of_one_class_is_taxed_as_its_parts_are_whatever_its_own_class(trade: Trade) -> None:
    _box, jam, *_ = await breakfast(trade)
    cart = await trade.cart((await trade.set_of(9_000, (jam, 2)), 1))
    (line,) = cart.lines
    assert (line.tax_rate, line.total, line.tax, line.taxes) == (1_200, 9_000, 964, [])
    order = await trade.place(cart.id, total=9_000)
    assert by_rate(order) == {1_200: (9_000, 964)}


async def test_where_net_prices_stay_each_part_moves_by_its_own_rates(trade: Trade) -> None:
    await settings(trade, tax_foreign_price="net", shipping_flat=5_000, tax_oss=True)
    box, *_ = await breakfast(trade)
    cart = await trade.cart((box, 1), **GERMAN)
    net = {1_200: 3_750 / 1.12, 600: 15_000 / 1.06, 2_500: 11_250 / 1.25}
    there = net[1_200] * 1.07 + net[600] * 1.07 + net[2_500] * 1.19
    assert abs(cart.lines[0].total - there) <= 3
    assert cart.lines[0].unit_price == cart.lines[0].total
    assert {rate for rate, _, _ in ways(cart)} == {700, 1_900}
    assert cart.totals.tax == cart.lines[0].tax + cart.totals.shipping_tax
    order = await trade.place(cart.id, total=cart.totals.total)
    assert (order.total, order.tax) == (cart.totals.total, cart.totals.tax)


async def test_shipping_is_taxed_as_the_goods_are_each_part_of_it(trade: Trade) -> None:
    """3,750 at 12 %, 15,000 at 6 % and 11,250 at 25 %: so are 5,000 of postage. What comes back of it comes back exactly."""
    await settings(trade, shipping_flat=5_000)
    box, *_ = await breakfast(trade)
    cart = await trade.cart((box, 1))
    assert (cart.totals.shipping, cart.totals.shipping_tax) == (5_000, 142 + 375 + 67)
    order = await trade.place(cart.id, total=cart.totals.total)
    postage = [line for line in order.lines if line.kind is LineKind.SHIPPING]
    assert [(line.tax_rate, line.total, line.tax) for line in postage] == [
        (600, 2_500, 142),
        (2_500, 1_875, 375),
        (1_200, 625, 67),
    ]
    assert (order.total, order.tax) == (cart.totals.total, cart.totals.tax)
    assert len(await trade.db.rows("SELECT FROM order_line WHERE order_id = $1", order.id)) == len(
        order.lines
    )
    cancelled = await trade.db.transaction(lambda tx: orders.cancel(tx, order.id, CancelInput()))
    assert cancelled.status == "cancelled"
    await trade.agree()


async def test_a_marketplaces_order_of_a_mixed_set_is_taxed_by_part_unless_it_says_how(trade: Trade) -> None:
    box, *_ = await breakfast(trade)
    line = {"variant": str(box), "quantity": 1, "unit_price": 30_000}
    order = await arrive(trade, an_arrival(trade, line))
    assert by_rate(order) == {1_200: (3_750, 402), 600: (15_000, 849), 2_500: (11_250, 2_250)}
    assert (order.total, order.tax) == (30_000, 3_501)
    told = await arrive(trade, an_arrival(trade, line | {"tax_rate": 2_500}, external_id="told"))
    assert by_rate(told) == {2_500: (30_000, 6_000)}
    await trade.follow()
    await trade.sound()


async def test_a_mixed_set_in_exchange_is_taxed_by_part(trade: Trade) -> None:
    box, *_ = await breakfast(trade)
    kettle = await trade.kettle(30_000)
    order = await sold(trade, (kettle, 1))
    swap = {
        "kind": "exchange", "position": 1, "quantity": 1, "variant": str(box), "instant": False, "keep_price": False,
        "reason": "wrong_item",
    }  # fmt: skip
    done = await make(trade, order, swap)
    assert done.placed is not None
    new = await orders.read(trade.db, done.placed)
    assert by_rate(new) == {1_200: (3_750, 402), 600: (15_000, 849), 2_500: (11_250, 2_250)}
    await trade.follow()
    await trade.sound()


# -- whatever a set costs and wherever it goes ----------------------------------------------------------------------------


def channel(foreign: str, rounding: str = "line") -> Channel:
    return Channel(
        id=new_id(),
        code="web",
        name="Web",
        kind=ChannelKind.WEBSHOP,
        parent=None,
        status=ChannelStatus.ACTIVE,
        country="SE",
        locale="sv",
        currency="SEK",
        time_zone="Europe/Stockholm",
        opening_hours=None,
        settings={"tax_foreign_price": foreign, "tax_rounding": rounding},
        own=OwnValues(),
        pools={},
        version=1,
        created_at=MOMENT,
        updated_at=MOMENT,
    )


def decision(rate: int, country: str) -> Decision:
    return Decision(
        rate=rate, category=Category.STANDARD if rate else Category.ZERO, treatment=Treatment.OSS, country=country
    )  # fmt: skip


PARTS = st.lists(
    st.tuples(
        st.integers(0, 9_000),
        st.integers(1, 12),
        st.sampled_from([0, 600, 1_200, 2_500]),
        st.sampled_from([0, 700, 1_900]),
    ),
    min_size=1,
    max_size=5,
)


@given(
    price=st.integers(0, 90_000),
    quantity=st.integers(1, 9),
    parts=PARTS,
    off=st.lists(st.integers(0, 100), max_size=3),
    included=st.booleans(),
    goes=st.sampled_from(["SE", "DE"]),
    foreign=st.sampled_from(["gross", "net", "net_if_untaxed"]),
    before=st.integers(0, 90_000) | st.none(),
    total_rounding=st.booleans(),
)
def test_a_line_of_sets_and_its_parts_come_to_the_same_by_every_rate(
    price: int,
    quantity: int,
    parts: list[tuple[int, int, int, int]],
    off: list[int],
    included: bool,
    goes: str,
    foreign: str,
    before: int | None,
    total_rounding: bool,
) -> None:
    there: dict[UUID, Decision] = {}
    made = []
    for own, units, home, abroad in parts:
        part = msgspec.structs.replace(sellable(own or None), tax_rate=home, tax_included=included)
        there[part.variant] = decision(home if goes == "SE" else abroad, goes)
        made.append(SetPart(part, units))
    whole = msgspec.structs.replace(sellable(price, tuple(made)), tax_included=included)
    left, steps = price * quantity, []
    for percent in off:
        steps.append(PriceStep(promotion=new_id(), name="Off", amount=left * percent // 100))
        left -= steps[-1].amount

    def decide(sold: Sellable | None) -> Decision:
        assert sold is not None
        return there[sold.variant]

    line = quoted(
        whole, (price, price if before is None else before), quantity, steps, channel(foreign), decide
    )
    rounding = tax.Rounding.TOTAL if total_rounding else tax.Rounding.LINE
    found = with_tax(line, tax.reckon(line.taxables, rounding))
    assert found.amounts.net + found.amounts.tax == found.amounts.total
    paid = found.amounts.total if included else found.amounts.net
    assert found.unit_price * quantity - sum(step.amount for step in found.steps) == paid >= 0
    if goes == "SE" or foreign == "gross" or not included:
        assert (found.unit_price, paid) == (price, left)
        assert [step.amount for step in found.steps] == [step.amount for step in steps]
    if before is None:
        assert found.price_before == found.unit_price
    assert found.amounts == tax.added([each.amounts for each in found.parts])
    assert found.amounts == tax.added([amount for _, amount in found.taxes])
    assert len({way for way, _ in found.taxes}) == len(found.taxes)
    for way, amount in found.taxes:
        mine = [part for part in found.parts if part.decision == way]
        assert tax.added([part.amounts for part in mine]) == amount
        due = amount.total if included else amount.net
        assert amount.tax == tax.amounts(due, 1, way.rate, tax_included=included).tax
    assert {part.sold.variant: part.decision for part in found.parts} == there
    for part in found.parts:
        own = part.unit_price * part.units * quantity - sum(step.amount for step in part.steps)
        assert own == (part.amounts.total if included else part.amounts.net)
        assert 0 <= part.amounts.tax <= part.amounts.total


WAYS = [
    (home, Decision(rate=rate, category=Category.STANDARD, treatment=Treatment.OSS, country="DE"))
    for home, rate in ((2_500, 1_900), (600, 700), (1_200, 700), (0, 1_900))
]


@given(
    st.lists(st.tuples(st.sampled_from(WAYS), st.integers(0, 50_000)), max_size=6),
    st.integers(0, 30_000),
    st.lists(st.integers(0, 10_000), max_size=3),
    st.sampled_from(["gross", "net"]),
)
def test_what_delivery_costs_is_shared_to_the_last_unit(
    goods: list[tuple[tuple[int, Decision], int]], more: int, taken: list[int], keeps: str
) -> None:
    sent = [Sent(home, decision, total) for (home, decision), total in goods]
    steps = [PriceStep(promotion=UUID(int=i), name="x", amount=amount) for i, amount in enumerate(taken)]
    price = more + sum(taken)
    parts = parcels.shared(channel(keeps), sent, price, steps)
    assert len({part.decision for part in parts}) == len(parts)
    for part in parts:
        assert part.left == part.price - sum(step.amount for step in part.steps) >= 0
        assert [step.promotion for step in part.steps] == [step.promotion for step in steps]
    if keeps == "gross":
        assert sum(part.price for part in parts) == price
        assert sum(part.left for part in parts) == more
    whole = sum(total for _, total in goods)
    for part in parts if keeps == "gross" and whole else []:
        worth = sum(total for (_, decision), total in goods if decision == part.decision)
        assert abs(part.left - more * worth / whole) < 1 + len(WAYS)
