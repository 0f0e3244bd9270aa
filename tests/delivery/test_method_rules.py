"""Rates, zones and inheritance, without a database."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from methods import method

from samlad.channels import Channel
from samlad.delivery.model import Calendar, Destination, MethodKind, Rate, Zone
from samlad.delivery.rules import effective, method_errors, price, reaching, zone_of


def rate(**values: Any) -> Rate:
    found: Rate = msgspec.convert(values, Rate)
    return found


TABLE = [{"start": 0, "price": 9900}, {"start": 50_000, "price": 4900}, {"start": 100_000, "price": 0}]


@pytest.mark.parametrize(
    ("given_rate", "goods", "weight", "costs"),
    [
        ({"kind": "flat", "price": 4900}, 10_000, 0, 4900),
        ({"kind": "flat", "price": 4900, "free_from": 50_000}, 49_999, 0, 4900),
        ({"kind": "flat", "price": 4900, "free_from": 50_000}, 50_000, 0, 0),
        ({"kind": "by_amount", "steps": TABLE}, 49_999, 0, 9900),
        ({"kind": "by_amount", "steps": TABLE}, 50_000, 0, 4900),
        ({"kind": "by_amount", "steps": TABLE}, 900_000, 0, 0),
        ({"kind": "by_weight", "steps": [{"start": 0, "price": 5}, {"start": 2000, "price": 9}]}, 1, 1999, 5),
        ({"kind": "by_weight", "steps": [{"start": 0, "price": 5}, {"start": 2000, "price": 9}]}, 1, 2000, 9),
        ({"kind": "weight_steps", "price": 50, "first": 1000, "each": 500, "each_price": 10}, 1, 1000, 50),
        ({"kind": "weight_steps", "price": 50, "first": 1000, "each": 500, "each_price": 10}, 1, 1001, 60),
        ({"kind": "weight_steps", "price": 50, "first": 1000, "each": 500, "each_price": 10}, 1, 2000, 70),
        (
            {"kind": "weight_steps", "price": 5, "first": 1, "each": 1, "each_price": 1, "free_from": 100},
            100,
            50_000,
            0,
        ),
    ],
)
def test_rates(given_rate: dict[str, Any], goods: int, weight: int, costs: int) -> None:
    assert price(rate(**given_rate), goods=goods, weight=weight) == costs


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(1, 10**5),
    st.integers(1, 10**5),
    st.integers(0, 10**6),
    st.integers(0, 10**7),
    st.integers(0, 10**6),
)
def test_more_weight_never_costs_less(
    base: int, first: int, each: int, step: int, weight: int, more: int
) -> None:
    steps = rate(kind="weight_steps", price=base, first=first, each=each, each_price=step)
    one, other = price(steps, goods=0, weight=weight), price(steps, goods=0, weight=weight + more)
    assert base <= one <= other


def test_zones() -> None:
    sent = method(
        zones=[
            {"countries": ["SE"], "postal_codes": [{"first": "11", "last": "12"}], "transit_max": 1},
            {"countries": ["SE", "NO"]},
            {"countries": ["US"], "regions": ["CA", "New York"]},
            {"countries": ["GB"], "postal_codes": [{"first": "SW1A 1AA", "last": "SW1A 2ZZ"}]},
        ]
    )

    def where(country: str, code: str | None = None, region: str | None = None) -> int | None:
        found = zone_of(sent, Destination(country=country, postal_code=code, region=region))
        return None if found is None else sent.zones.index(found)

    assert where("SE", "116 31") == 0
    assert where("SE", "129 99") == 0
    assert where("SE", "130 00") == 1
    assert where("SE") == 0, "what is not known yet counts as fitting"
    assert where("NO", "0150") == 1
    assert where("US", "10001", "new york") == 2
    assert where("US", "10001", "TX") is None
    assert where("GB", "sw1a1bb") == 3
    assert where("GB", "SW1A 3AA") is None
    assert where("DE", "10115") is None


def test_reaching_knows_weight() -> None:
    light, heavy = method(max_weight=2000), method(code="truck")
    assert reaching([light, heavy], Destination(), 2000) == [light, heavy]
    assert reaching([light, heavy], Destination(), 2001) == [heavy]
    assert reaching([light, heavy], Destination(), None) == [light, heavy]


def channel(number: int, parent: int | None = None, currency: str = "SEK") -> Channel:
    values = {
        "id": UUID(int=number),
        "code": f"c{number}",
        "name": "C",
        "kind": "webshop",
        "parent": UUID(int=parent) if parent else None,
        "status": "active",
        "country": "SE",
        "locale": "sv",
        "currency": currency,
        "time_zone": "UTC",
        "opening_hours": None,
        "settings": {},
        "own": {},
        "pools": {},
        "version": 1,
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }
    return msgspec.convert(values, Channel)


def test_methods_are_inherited_each_on_its_own() -> None:
    top, below, abroad = channel(1), channel(2, 1), channel(3, 1, "EUR")
    known = {each.id: each for each in (top, below, abroad)}
    post, courier = method(code="post", position=2), method(code="courier", position=1)
    own_post = method(code="post", position=3, name="Own post")
    no_courier = method(code="courier", is_active=False)
    assert effective(below, known, {top.id: [post, courier]}) == [courier, post]
    assert effective(below, known, {top.id: [post, courier], below.id: [own_post]}) == [courier, own_post]
    assert effective(below, known, {top.id: [post, courier], below.id: [no_courier]}) == [post]
    assert effective(top, known, {top.id: [post, courier], below.id: [no_courier]}) == [courier, post]
    assert effective(abroad, known, {top.id: [post]}) == [], "amounts are in another currency there"


@pytest.mark.parametrize(
    ("kind", "zones", "given_rate", "calendar", "field"),
    [
        ("ship", [], {"kind": "flat"}, {}, "zones"),
        ("pickup", [{}], {"kind": "flat"}, {}, "zones"),
        ("ship", [{"transit_min": 3, "transit_max": 2}], {"kind": "flat"}, {}, "zones/0/transit_max"),
        (
            "ship",
            [{"postal_codes": [{"first": "20", "last": "1"}]}],
            {"kind": "flat"},
            {},
            "zones/0/postal_codes/0/last",
        ),
        ("ship", [{}], {"kind": "by_amount", "steps": [{"start": 1, "price": 1}]}, {}, "rate/steps/0/start"),
        (
            "ship",
            [{}],
            {"kind": "by_weight", "steps": [{"start": 0, "price": 1}, {"start": 0, "price": 2}]},
            {},
            "rate/steps",
        ),
        ("ship", [{}], {"kind": "flat"}, {"holidays": "QQ"}, "calendar/holidays"),
    ],
)
def test_faults_are_named(kind: str, zones: Any, given_rate: Any, calendar: Any, field: str) -> None:
    faults = method_errors(
        MethodKind(kind),
        msgspec.convert(zones, list[Zone]),
        rate(**given_rate),
        msgspec.convert(calendar, Calendar),
    )
    assert [fault.field for fault in faults] == [field]
