"""What lines come to, for any price, quantity and rate."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.carts import Address
from samlad.carts.rules import address_errors, tidy, totals
from samlad.tax import amounts

prices = st.integers(0, 10**9)
quantities = st.integers(1, 9_999)
rates = st.integers(0, 10_000)
lines = st.lists(st.tuples(prices, quantities, rates), max_size=20)


@given(lines, st.integers(0, 100_000), rates, st.booleans())
def test_totals_add_up(
    given_lines: list[tuple[int, int, int]], price: int, shipping_tax: int, tax_included: bool
) -> None:
    counted = [
        (quantity, amounts(price, quantity, rate, tax_included=tax_included))
        for price, quantity, rate in given_lines
    ]
    shipping = amounts(price, 1, shipping_tax, tax_included=tax_included)
    sums = totals(counted, shipping)
    assert sums.total == sums.subtotal + sums.shipping
    assert sums.subtotal == sum(line.total for _, line in counted)
    assert sums.tax == sum(line.tax for _, line in counted) + sums.shipping_tax
    assert 0 <= sums.tax <= sums.total
    assert sums.items == sum(quantity for quantity, _ in counted)


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
