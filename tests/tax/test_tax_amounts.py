"""What tax comes to, for any price, quantity, rate and way of rounding: nothing is lost, nothing is made."""

from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel.money import share
from samlad.tax import WHOLE, Amounts, Rounding, Taxable, amounts, keeps_net, moved, reckon, rounding_of

prices = st.integers(0, 10**9)
quantities = st.integers(1, 9_999)
rates = st.integers(0, 10_000)
taxables = st.lists(
    st.builds(Taxable, prices, st.sampled_from([0, 550, 600, 1_900, 2_500, 2_550]), st.booleans()),
    max_size=30,
)


@given(prices, quantities, rates, st.booleans())
def test_net_and_tax_are_the_total_and_never_below_zero(
    price: int, quantity: int, rate: int, tax_included: bool
) -> None:
    line = amounts(price, quantity, rate, tax_included=tax_included)
    assert line.net + line.tax == line.total
    assert min(line.net, line.tax, line.total) >= 0
    assert (line.total if tax_included else line.net) == price * quantity
    assert abs(line.tax * 10_000 - line.net * rate) <= 10_000 + rate, (
        "tax is the rate of the net, but for rounding"
    )


def test_tax_is_rounded_by_line_and_not_by_unit() -> None:
    assert amounts(99, 3, 2_500, tax_included=True).tax == 59  # 59.4; three times 19.8 rounded would be 60
    assert amounts(99, 3, 2_500, tax_included=False).total == 371  # 371.25


@given(taxables, st.sampled_from(Rounding))
def test_whichever_way_is_rounded_net_and_tax_are_the_total(lines: list[Taxable], rounding: Rounding) -> None:
    found = reckon(lines, rounding)
    assert len(found) == len(lines)
    for line, each in zip(lines, found, strict=True):
        assert each.net + each.tax == each.total
        assert (each.total if line.included else each.net) == line.quoted, "what is quoted stands"
        exact = line.quoted * line.rate / (WHOLE + line.rate if line.included else WHOLE)
        assert abs(each.tax - exact) <= 1
        assert each.tax >= 0


@given(taxables)
def test_by_total_the_tax_of_a_rate_is_that_of_its_sum(lines: list[Taxable]) -> None:
    found = reckon(lines, Rounding.TOTAL)
    for key in {(line.rate, line.included) for line in lines}:
        members = [i for i, line in enumerate(lines) if (line.rate, line.included) == key]
        quoted = sum(lines[i].quoted for i in members)
        whole = share(quoted, key[0], WHOLE + key[0] if key[1] else WHOLE)
        assert sum(found[i].tax for i in members) == whole


@given(taxables)
def test_by_line_a_line_does_not_depend_on_the_others(lines: list[Taxable]) -> None:
    assert reckon(lines) == [reckon([line])[0] for line in lines]


def test_the_two_ways_differ_where_many_lines_round_alike() -> None:
    lines = [Taxable(99, 2_500, True)] * 10  # each 19.8 of tax
    assert sum(each.tax for each in reckon(lines)) == 200
    assert sum(each.tax for each in reckon(lines, Rounding.TOTAL)) == 198
    assert sum(each.total for each in reckon(lines, Rounding.TOTAL)) == 990


@given(prices, rates, rates)
def test_a_price_that_moves_keeps_its_net(price: int, rate: int, to: int) -> None:
    there = moved(price, rate, to)
    net, net_there = price * WHOLE / (WHOLE + rate), there * WHOLE / (WHOLE + to)
    assert abs(net - net_there) <= 0.5
    assert moved(price, rate, rate) == price
    assert abs(moved(there, to, rate) - price) <= 1


def test_which_prices_keep_their_net() -> None:
    assert [keeps_net("gross", 0), keeps_net("net", 1_900), keeps_net("net_if_untaxed", 1_900)] == [
        False,
        True,
        False,
    ]
    assert keeps_net("net_if_untaxed", 0)


def test_rounding_is_the_countrys_unless_the_shop_says() -> None:
    assert [rounding_of(each, "country") for each in ("SE", "PL", "IT")] == ["line", "total", "total"]
    assert rounding_of("PL", "line") == "line"
    assert rounding_of("SE", "total") == "total"


def test_nothing_is_taxed_as_nothing() -> None:
    assert reckon([], Rounding.TOTAL) == []
    assert reckon([Taxable(0, 2_500, False)] * 2, Rounding.TOTAL) == [Amounts(0, 0, 0)] * 2
