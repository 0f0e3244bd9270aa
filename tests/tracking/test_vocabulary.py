"""Segment's ecommerce names and ours, both ways."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.kernel.ids import new_id
from samlad.kernel.log import declared
from samlad.tracking.vocabulary import MEANINGS, from_segment, to_segment

currencies = st.sampled_from(["SEK", "JPY", "KWD", "EUR"])
lines = st.lists(
    st.builds(
        lambda quantity, price: {
            "variant": str(new_id()),
            "sku": "K-1",
            "quantity": quantity,
            "total": quantity * price,
        },
        st.integers(1, 50),
        st.integers(0, 10_000_000),
    ),
    min_size=1,
    max_size=5,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def test_every_meaning_is_an_event_of_ours() -> None:
    assert {meaning.type for meaning in MEANINGS} <= set(declared())
    assert len({meaning.name for meaning in MEANINGS}) == len(MEANINGS)


@given(lines=lines, currency=currencies, tax=st.integers(0, 10**8))
def test_an_order_there_and_back(lines: list[dict[str, Any]], currency: str, tax: int) -> None:
    total = sum(line["total"] for line in lines) + 4_900
    payload = {"number": "1001", "currency": currency, "total": total, "tax": tax, "lines": lines}
    told = to_segment("order.placed", payload, currency="USD")
    assert told is not None
    assert told.name == "Order Completed"
    back = from_segment(told.name, told.properties, currency="USD")
    assert back is not None
    assert (back.type, back.payload) == ("order.placed", payload)


@given(lines=lines, currency=currencies)
def test_a_return_there_and_back(lines: list[dict[str, Any]], currency: str) -> None:
    returned = [line | {"quantity": -line["quantity"], "total": -line["total"]} for line in lines]
    payload = {
        "number": "1001",
        "currency": currency,
        "total": sum(line["total"] for line in returned),
        "tax": -5,
        "refunded": 100,
        "lines": returned,
    }
    told = to_segment("order.returned", payload, currency="USD")
    assert told is not None
    back = from_segment(told.name, told.properties, currency="USD")
    assert back is not None
    assert (back.type, back.payload) == ("order.returned", payload)


@given(before=st.integers(0, 99), after=st.integers(0, 99), price=st.integers(0, 10**8), currency=currencies)
def test_a_line_there_and_back(before: int, after: int, price: int, currency: str) -> None:
    payload = {"variant": str(new_id()), "quantity_before": before, "quantity": after, "unit_price": price}
    told = to_segment("cart.line_changed", payload, currency=currency, subject="c1")
    if before == after:
        assert told is None
        return
    assert told is not None
    assert told.name == ("Product Added" if after > before else "Product Removed")
    back = from_segment(told.name, told.properties, currency="USD")
    assert back is not None
    assert back.type == "cart.line_changed"
    assert back.payload == {
        "variant": payload["variant"],
        "unit_price": price,
        "quantity_change": after - before,
        "currency": currency,
    }


@pytest.mark.parametrize("meaning", MEANINGS, ids=lambda meaning: meaning.name)
@given(properties=st.dictionaries(st.sampled_from(
    ["order_id", "total", "tax", "currency", "products", "product_id", "sku", "price", "quantity", "refunded"]),
    json_values))  # fmt: skip
def test_whatever_is_sent_is_read_or_left_out(meaning: Any, properties: dict[str, Any]) -> None:
    found = from_segment(meaning.name, properties, currency="SEK")
    assert found is not None
    assert found.type == meaning.type


def test_what_has_no_name_has_none() -> None:
    assert to_segment("stock.moved", {}, currency="SEK") is None
    assert from_segment("Song Played", {}, currency="SEK") is None
    started = to_segment(
        "cart.checkout_started", {"total": 100, "currency": "SEK", "held": True}, currency="SEK", subject="c"
    )
    assert started is not None
    assert started.properties == {"currency": "SEK", "cart_id": "c", "total": 1}
