"""What lines come to, for any price, quantity and rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.carts import Address, amounts, totals
from samlad.carts.rules import address_errors, shipping_rate, tidy

prices = st.integers(0, 10**9)
quantities = st.integers(1, 9_999)
rates = st.integers(0, 10_000)
lines = st.lists(st.tuples(prices, quantities, rates), max_size=20)


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


@given(lines, st.integers(0, 100_000), st.booleans())
def test_totals_add_up(given_lines: list[tuple[int, int, int]], shipping: int, tax_included: bool) -> None:
    counted = [
        (quantity, amounts(price, quantity, rate, tax_included=tax_included), rate)
        for price, quantity, rate in given_lines
    ]
    sums = totals(counted, shipping, tax_included=tax_included)
    assert sums.total == sums.subtotal + sums.shipping
    assert sums.subtotal == sum(line.total for _, line, _ in counted)
    assert sums.tax == sum(line.tax for _, line, _ in counted) + sums.shipping_tax
    assert 0 <= sums.tax <= sums.total
    if not given_lines:
        assert sums.total == 0, "nothing is shipped for an empty cart"
    elif tax_included:
        assert sums.shipping == shipping


def test_shipping_is_taxed_like_most_of_the_goods() -> None:
    assert shipping_rate([(100, 2_500), (300, 1_200), (250, 2_500)]) == 2_500
    assert shipping_rate([(100, 600), (100, 2_500)]) == 2_500
    assert shipping_rate([]) == 0


@pytest.mark.parametrize(
    ("country", "code", "is_right"),
    [
        ("SE", "211 34", True),
        ("SE", "21134", True),
        ("SE", "2113", False),
        ("NL", "1012 ab", True),
        ("NL", "0012 AB", False),
        ("GB", "SW1A 1AA", True),
        ("GB", "12345", False),
        ("IE", None, True),
        ("DE", None, False),
        ("ZZ", "1", False),
    ],
)
def test_postal_codes(country: str, code: str | None, is_right: bool) -> None:
    address = Address(name="Kim", line1="Storgatan 1", city="Malmö", postal_code=code, country=country)
    assert (address_errors(address) == []) is is_right


def test_an_address_is_tidied() -> None:
    address = Address(
        name=" Kim ", line1="Dam 1 ", line2="  ", city="Amsterdam", postal_code=" 1012ab", country="NL"
    )
    tidied = tidy(address)
    assert (tidied.name, tidied.line1, tidied.line2, tidied.postal_code) == ("Kim", "Dam 1", None, "1012AB")
