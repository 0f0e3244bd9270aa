"""What sets come to in their parts, as a property: whatever a set costs, its parts cost exactly that."""

from collections import Counter
from datetime import date
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from samlad import tax
from samlad.carts import CartLine, PriceStep, set_prices, set_rules
from samlad.catalog import Sellable, SetPart
from samlad.kernel.ids import new_id
from samlad.orders import sets
from samlad.orders.model import LineKind, OrderLine
from samlad.orders.rules import returned_line
from samlad.stock import Incoming, Level, ShortLine
from samlad.stock import rules as stock_rules
from samlad.stock import sets as stock_sets

PARTS = st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 12)), min_size=1, max_size=6)


def sellable(price: int | None, parts: tuple[SetPart, ...] = ()) -> Sellable:
    variant = new_id()
    return Sellable(
        variant=variant,
        product=variant,
        sku=str(variant)[-8:],
        title="Cup",
        options="",
        image=None,
        price=price,
        compare_at=None,
        reference_price=None,
        currency="SEK",
        tax_included=True,
        tax_rate=2500,
        tax_class="standard",
        is_available=True,
        weight=None,
        requires_shipping=True,
        handle="cup",
        parts=parts,
    )


@given(price=st.integers(0, 100_000), parts=PARTS)
def test_prices_of_parts_come_to_the_price_of_the_set(price: int, parts: list[tuple[int, int]]) -> None:
    found = set_prices.part_prices(price, parts)
    assert sum(each * units for _index, each, units in found) == price
    counted: Counter[int] = Counter()
    for index, each, units in found:
        assert each >= 0
        assert units > 0
        counted[index] += units
    assert counted == {index: quantity for index, (_own, quantity) in enumerate(parts)}
    assert len(found) <= len(parts) + 1


def test_parts_share_by_what_they_cost_apart_and_evenly_where_nobody_knows() -> None:
    assert set_prices.part_prices(900, [(500, 1), (250, 2)]) == [(0, 450, 1), (1, 225, 2)]
    assert set_prices.part_prices(1_000, [(0, 1), (250, 3)]) == [(0, 250, 1), (1, 250, 3)]
    assert set_prices.part_prices(100, [(10, 3)]) == [(0, 34, 1), (0, 33, 2)]  # a cent is on one of them
    assert set_prices.part_prices(100, [(10, 1), (10, 3)]) == [(0, 25, 1), (1, 25, 3)]


@given(
    price=st.integers(0, 50_000),
    parts=PARTS,
    quantity=st.integers(1, 7),
    shares=st.lists(st.integers(0, 100), max_size=3),
    included=st.booleans(),
    agreed=st.integers(0, 300) | st.none(),
)
def test_a_line_of_sets_is_its_parts_to_the_minor_unit(
    price: int,
    parts: list[tuple[int, int]],
    quantity: int,
    shares: list[int],
    included: bool,
    agreed: int | None,
) -> None:
    whole = sellable(price, tuple(SetPart(sellable(each or None), count) for each, count in parts))
    left, steps = price * quantity, []
    for share in shares:
        steps.append(PriceStep(promotion=new_id(), name="Off", amount=left * share // 100))
        left -= steps[-1].amount
    worth = tax.amounts(left if agreed is None else agreed, 1, 2500, tax_included=included)
    line = OrderLine(
        position=1,
        kind=LineKind.ITEM,
        variant=whole.variant,
        sku="SET",
        title="Tea set",
        quantity=quantity,
        unit_price=price,
        tax_included=included,
        tax_rate=2500,
        tax=worth.tax,
        total=worth.total,
        reductions=steps,
        gift_note="For you",
    )
    found = sets.in_parts([(line, whole), (line, None)], sets.as_told, 5)
    *made, plain = found
    assert [each.position for each in found] == list(range(5, 5 + len(found)))
    assert plain.set_of is None
    assert (sum(each.total for each in made), sum(each.tax for each in made)) == (line.total, line.tax)
    for step in steps:
        taken = [one.amount for each in made for one in each.reductions if one.promotion == step.promotion]
        assert sum(taken) == step.amount
    for each in made:
        assert each.total >= 0
        assert each.set_of is not None
        assert (each.set_of.group, each.set_of.sku, each.set_of.quantity) == (5, "SET", quantity)
        if agreed is None:
            off = sum(step.amount for step in each.reductions)
            paid = each.total if included else each.total - each.tax
            assert each.unit_price * each.quantity - off == paid
    assert [each.gift_note for each in made if each.gift_note] == ["For you"]
    assert sets.parts_of_sets(found) == {
        whole.variant: {part.sold.variant: part.quantity for part in whole.parts}
    }
    back = [returned_line(each, each.quantity, 1, new_id()) for each in made]
    assert -sum(each.total for each in back) == line.total


RATED = st.lists(
    st.tuples(st.integers(0, 5_000), st.integers(1, 7), st.sampled_from([0, 600, 1_200, 2_500])),
    min_size=1,
    max_size=5,
)


def rated(price: int, parts: list[tuple[int, int, int]]) -> Sellable:
    """A set of parts of (own price, how many, rate)."""
    made = [(sellable(own or None), count, rate) for own, count, rate in parts]
    return sellable(
        price,
        tuple(SetPart(msgspec.structs.replace(one, tax_rate=rate), count) for one, count, rate in made),
    )


def of_rate(part: Sellable) -> sets.Taxed:
    return {"tax_rate": part.tax_rate, "tax_category": "S" if part.tax_rate else "Z"}


@given(
    price=st.integers(0, 50_000),
    parts=RATED,
    quantity=st.integers(1, 7),
    included=st.booleans(),
    off=st.integers(0, 100),
)
def test_each_part_is_taxed_at_its_own_rate(
    price: int, parts: list[tuple[int, int, int]], quantity: int, included: bool, off: int
) -> None:
    whole = rated(price, parts)
    step = PriceStep(promotion=new_id(), name="Off", amount=price * quantity * off // 100)
    quoted = price * quantity - step.amount
    line = OrderLine(
        position=1, kind=LineKind.ITEM, title="Box", quantity=quantity, unit_price=price, tax_included=included,
        total=quoted, reductions=[step] if step.amount else [],
    )  # fmt: skip
    made = sets.in_parts([(line, whole)], sets.taxed_by(of_rate))
    assert sum(each.total - (0 if included else each.tax) for each in made) == quoted
    rate_of = {part.sold.variant: part.sold.tax_rate for part in whole.parts}
    for each in made:
        assert each.variant is not None
        assert each.tax_rate == rate_of[each.variant]
        assert 0 <= each.tax <= each.total
    for rate in {each.tax_rate for each in made}:
        mine = [each for each in made if each.tax_rate == rate]
        paid = sum(each.total - (0 if included else each.tax) for each in mine)
        assert sum(each.tax for each in mine) == tax.amounts(paid, 1, rate, tax_included=included).tax
    some = [returned_line(each, each.quantity, 1, new_id()) for each in made]
    assert -sum(each.total for each in some) == sum(each.total for each in made)
    for each in made:  # one by one, too, a part gives back exactly what was paid for it
        back = total = 0
        for _ in range(each.quantity):
            one = returned_line(msgspec.structs.replace(each, returned=back), 1, 1, new_id())
            back, total = back + 1, total - one.total
        assert total == each.total


@given(
    price=st.integers(0, 50_000),
    parts=RATED,
    quantity=st.integers(1, 7),
    told=st.dictionaries(st.sampled_from([0, 600, 1_200, 2_500]), st.integers(0, 30_000), min_size=1),
    agree=st.booleans(),
    included=st.booleans(),
)
def test_what_a_till_told_of_each_rate_is_what_its_parts_come_to(
    price: int,
    parts: list[tuple[int, int, int]],
    quantity: int,
    told: dict[int, int],
    agree: bool,
    included: bool,
) -> None:
    whole = rated(price, parts)
    rates = {part.sold.tax_rate for part in whole.parts}
    if agree:
        told = {rate: next(iter(told.values())) + rate for rate in rates}
    sums = {rate: (tax.amounts(paid, 1, rate, tax_included=True).tax, paid) for rate, paid in told.items()}
    line = OrderLine(
        position=1, kind=LineKind.ITEM, title="Box", quantity=quantity, unit_price=price, tax_included=included,
        tax=sum(borne for borne, _ in sums.values()), total=sum(told.values()),
    )  # fmt: skip
    made = sets.in_parts([(line, whole)], sets.as_told_by_rate(sums, of_rate))
    assert sum(each.total for each in made) == line.total
    assert all(each.total >= 0 for each in made)
    if told.keys() == rates:
        assert sum(each.tax for each in made) == line.tax
        for rate, (borne, paid) in sums.items():
            mine = [each for each in made if each.tax_rate == rate]
            assert (sum(each.tax for each in mine), sum(each.total for each in mine)) == (borne, paid)


ONE, TWO, SET, OTHER = (UUID(int=n) for n in range(1, 5))


def line(variant: UUID, quantity: int, parts: dict[UUID, int] | None = None) -> CartLine:
    return CartLine(id=new_id(), variant=variant, quantity=quantity, unit_price=1, parts=parts)


def test_a_set_and_its_part_in_one_cart_want_the_same_goods() -> None:
    lines = [line(SET, 2, {ONE: 1, TWO: 2}), line(TWO, 3), line(OTHER, 1)]
    assert set_rules.demand(lines) == {ONE: 2, TWO: 7, OTHER: 1}
    free = {ONE: 9, TWO: 6, OTHER: 0}
    assert set_rules.possible(lines, free) == {SET: 1, TWO: 2, OTHER: 0}
    short = [ShortLine(TWO, 7, 6), ShortLine(OTHER, 1, 0)]
    told = {each.variant: each.available for each in set_rules.of_lines(lines, short)}
    assert told == {SET: 1, TWO: 2, OTHER: 0}
    assert [each.variant for each in set_rules.of_lines(lines, short[:1], {TWO})] == [TWO]


def level(place: UUID, variant: UUID, available: int, **more: object) -> Level:
    return Level(place, variant, available, 0, available, 0, **more)  # type: ignore[arg-type]


def test_a_set_is_promised_as_often_as_each_of_its_parts_suffices_and_comes_with_the_last_of_them() -> None:
    here, there = new_id(), new_id()
    soon, later = date(2027, 1, 5), date(2027, 1, 9)
    of = {SET: {ONE: ("POT", 1), TWO: ("CUP", 2)}}
    levels = [
        level(here, ONE, 1, later=2, sells_incoming=True, incoming=[Incoming(None, 2, soon)]),
        level(here, TWO, 3, later=4, sells_incoming=True, incoming=[Incoming(None, 4, later)]),
        level(there, TWO, 4),
    ]
    found = stock_sets.with_sets(stock_rules.promise(levels, 0), of, [SET, TWO], 0)
    whole, cup = found
    assert (cup.variant, cup.available) == (TWO, 7)
    assert (whole.available, whole.backorder) == (1, 2)  # of pots there is one, and two come
    assert [(each.expected_on, each.units) for each in whole.later] == [(soon, 2)]  # cups lie elsewhere
    assert {each.sku: (each.sets, each.is_limiting) for each in whole.parts} == {
        "POT": (1, True),
        "CUP": (3, False),
    }
    at_here = next(each for each in whole.locations if each.location == here)
    assert (at_here.available, at_here.later) == (1, 2)
    assert stock_rules.dated(at_here) == [(later, 2)]  # a level's own cups come then
    nothing = stock_sets.with_sets(stock_rules.promise(levels[1:], 0), of, [SET], 0)[0]
    assert (nothing.available, nothing.backorder, nothing.locations) == (0, 0, [])


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(1, 5), st.lists(st.integers(1, 9), max_size=3)),
        min_size=1,
        max_size=4,
    )
)
def test_what_comes_later_is_what_all_parts_make_then(
    parts: list[tuple[int, int, list[int]]],
) -> None:
    days = [date(2027, 1, day) for day in (3, 2, 1)]
    told = stock_sets._later(
        [(free, list(zip(days, coming, strict=False)), quantity) for free, quantity, coming in parts]
    )
    now = min(free // quantity for free, quantity, _ in parts)
    whole = min((free + sum(coming)) // quantity for free, quantity, coming in parts)
    assert sum(each.units for each in told) == whole - now
    on = [each.expected_on for each in told]
    assert on == sorted(on)
    assert all(each.units > 0 for each in told)
