"""Segment's ecommerce names and ours."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.carts import CartKind
from samlad.catalog import Measure
from samlad.catalog.measures import UNITS
from samlad.kernel.ids import new_id
from samlad.kernel.log import declared
from samlad.tracking.vocabulary import AS_THEY_COME, BY_PAGES, MEANINGS, decimal, to_segment

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


def test_every_meaning_is_an_event_of_ours() -> None:
    assert {meaning.type for meaning in MEANINGS} <= set(declared())
    assert len({meaning.name for meaning in MEANINGS}) == len(MEANINGS)
    page = (Path(__file__).parents[2] / "docs/concepts/event-names.md").read_text()
    for name in (*(meaning.name for meaning in MEANINGS), *BY_PAGES, *AS_THEY_COME):
        assert f"| {name} |" in page, f"{name} is not in the table of the documentation"


SPEC = """
Products Searched, Product List Viewed, Product List Filtered, Promotion Viewed, Promotion Clicked, Product Clicked,
Product Viewed, Product Added, Product Removed, Cart Viewed, Checkout Started, Checkout Step Viewed, Checkout Step Completed,
Payment Info Entered, Order Updated, Order Completed, Order Refunded, Order Cancelled, Coupon Entered, Coupon Applied,
Coupon Denied, Coupon Removed, Product Added to Wishlist, Product Removed from Wishlist, Wishlist Product Added to Cart,
Product Shared, Cart Shared, Product Reviewed
"""
"""Segment's ecommerce spec, v2."""
EMAILS = (
    "Email Delivered, Email Opened, Email Link Clicked, Email Bounced, Email Marked as Spam, Unsubscribed"
)
"""Segment's spec of e-mail."""


@pytest.mark.parametrize(
    ("kind", "payload", "name", "properties"),
    [
        (
            "cart.details_set",
            {"fields": ["delivery", "email"]},
            "Checkout Step Completed",
            {"checkout_id": "c1", "step": 2, "step_name": "delivery"},
        ),
        ("cart.details_set", {"fields": ["label"]}, None, {}),
        (
            "payment.authorized",
            {"provider": "card", "amount": 1999, "currency": "SEK", "cart": "c9"},
            "Payment Info Entered",
            {"payment_method": "card", "currency": "SEK", "value": 19.99, "checkout_id": "c9"},
        ),
        ("promotion.granted", {"name": "Ten off", "source": "link"}, "Promotion Clicked", {"name": "Ten off", "promotion_id": "c1"}),
        ("promotion.granted", {"name": "Ten off", "source": "shown"}, "Promotion Viewed", {"name": "Ten off", "promotion_id": "c1"}),
        ("promotion.granted", {"name": "Ten off", "source": "code"}, "Coupon Applied", {"name": "Ten off", "coupon_id": "c1"}),
        ("promotion.granted", {"name": "Ten off", "source": "staff"}, None, {}),
        ("cart.offered", {"until": "2026-12-01"}, "Cart Shared", {"cart_id": "c1", "share_via": "link", "share_until": "2026-12-01"}),
        ("consent.recorded", {"purpose": "email_marketing", "answer": "denied"}, "Unsubscribed", {"list_id": "email_marketing"}),
        ("consent.recorded", {"purpose": "email_marketing", "answer": "granted"}, None, {}),
        ("consent.recorded", {"purpose": "targeting", "answer": "denied"}, None, {}),
        ("mail.bounced", {"kind": "order", "status": 550, "recipient": "a@b.c"}, "Email Bounced", {"email_kind": "order", "status": 550}),
    ],
)  # fmt: skip
def test_what_carts_offers_and_mails_are_called(
    kind: str, payload: dict[str, Any], name: str | None, properties: dict[str, Any]
) -> None:
    told = to_segment(kind, payload, currency="EUR", subject="c1")
    assert (told and told.name, told.properties if told else {}) == (name, properties)


def test_every_name_of_the_spec_is_accounted_for() -> None:
    names = [name.strip() for name in f"{SPEC}, {EMAILS}".replace("\n", " ").split(",")]
    ours = [meaning.name for meaning in MEANINGS]
    assert sorted([*ours, *BY_PAGES, *AS_THEY_COME]) == sorted(names)


def test_a_review_and_a_change() -> None:
    product = str(new_id())
    written = {"product": product, "order": str(new_id()), "stars": 4, "title": "Fine", "author": "Kim"}
    told = to_segment("review.written", written, currency="SEK")
    assert told is not None
    assert (told.name, told.properties) == ("Product Reviewed", {"product_id": product, "rating": 4})
    changed = to_segment(
        "order.changed",
        {"number": "7", "currency": "SEK", "worth": 500, "tax": 100, "refunded": 500},
        currency="EUR",
    )
    assert changed is not None
    assert (changed.name, changed.properties) == (
        "Order Updated",
        {"currency": "SEK", "order_id": "7", "refunded": 5},
    )


@given(lines=lines, currency=currencies, tax=st.integers(0, 10**8))
def test_an_order(lines: list[dict[str, Any]], currency: str, tax: int) -> None:
    total = sum(line["total"] for line in lines) + 4_900
    payload = {"number": "1001", "currency": currency, "total": total, "tax": tax, "lines": lines}
    told = to_segment("order.placed", payload, currency="USD")
    assert told is not None
    assert told.name == "Order Completed"
    properties = told.properties
    assert (properties["order_id"], properties["currency"]) == ("1001", currency)
    assert [properties[each] for each in ("total", "tax")] == [
        decimal(each, currency) for each in (total, tax)
    ]
    assert properties["revenue"] == decimal(total - 4_900, currency)
    for product, line in zip(properties["products"], lines, strict=True):
        assert (product["product_id"], product["sku"], product["quantity"]) == (
            line["variant"],
            "K-1",
            line["quantity"],
        )
        assert abs(product["price"] * line["quantity"] - decimal(line["total"], currency)) < 1e-6 * max(
            1, line["total"]
        )


@given(lines=lines, currency=currencies)
def test_a_return(lines: list[dict[str, Any]], currency: str) -> None:
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
    properties = told.properties
    assert (told.name, properties["order_id"]) == ("Order Refunded", "1001")
    assert properties["total"] == decimal(sum(line["total"] for line in lines), currency), (
        "what went back is no less than nothing"
    )
    assert properties["refunded"] == decimal(100, currency)
    assert [each["quantity"] for each in properties["products"]] == [line["quantity"] for line in lines]


@given(
    before=st.integers(0, 99),
    after=st.integers(0, 99),
    price=st.integers(0, 10**8),
    currency=currencies,
    kind=st.sampled_from(CartKind),
)
def test_a_line_of_a_cart(before: int, after: int, price: int, currency: str, kind: CartKind) -> None:
    """A wish is no cart, and what is saved for later or only offered is neither."""
    payload = {"variant": str(new_id()), "quantity_before": before, "quantity": after, "unit_price": price}
    told = to_segment("cart.line_changed", payload | {"kind": kind}, currency=currency, subject="c1")
    if before == after or kind in (CartKind.SAVED, CartKind.QUOTE):
        assert told is None
        return
    assert told is not None
    verb = "Added" if after > before else "Removed"
    if kind is CartKind.CART:
        assert (told.name, told.properties["cart_id"]) == (f"Product {verb}", "c1")
        assert to_segment("cart.line_changed", payload, currency=currency, subject="c1") == told, "of old"
    else:
        to = "to" if after > before else "from"
        assert (told.name, told.properties["wishlist_id"]) == (f"Product {verb} {to} Wishlist", "c1")
    properties = told.properties
    assert (properties["product_id"], properties["quantity"]) == (payload["variant"], abs(after - before))
    assert (properties["price"], properties["currency"]) == (decimal(price, currency), currency)


@given(
    grams=st.integers(1, 9_999),
    price=st.integers(1, 10**7),
    sold_by=st.sampled_from(["weight", "length", "volume"]),
)
def test_what_is_weighed_is_told_in_kilograms(grams: int, price: int, sold_by: str) -> None:
    variant, measure = str(new_id()), Measure(sold_by)
    line = {"variant": variant, "quantity_before": 0, "quantity": grams, "unit_price": price}
    told = to_segment("cart.line_changed", line, currency="SEK", measured={variant: measure})
    assert told is not None
    given_ = told.properties
    assert (given_["quantity"], given_["unit"]) == (grams / 1000, UNITS[measure])
    assert given_["price"] == price / 100
    total = round(grams * price / 1000)
    placed = {
        "number": "7",
        "currency": "SEK",
        "total": total,
        "lines": [{"variant": variant, "quantity": grams, "total": total}],
    }
    ordered = to_segment("order.placed", placed, currency="SEK", measured={variant: measure})
    assert ordered is not None
    [product] = ordered.properties["products"]
    assert abs(product["quantity"] * product["price"] - total / 100) < 1e-6 * max(total, 1)


def test_what_has_no_name_has_none() -> None:
    assert to_segment("stock.moved", {}, currency="SEK") is None
    started = to_segment(
        "cart.checkout_started", {"total": 100, "currency": "SEK", "held": True}, currency="SEK", subject="c"
    )
    assert started is not None
    assert started.properties == {"currency": "SEK", "cart_id": "c", "total": 1}
