"""The engine of promotions: what must hold of any cart, and what each kind does."""

import random
from collections import Counter
from typing import Any
from uuid import UUID

import carts_of
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import make_vectors
from samlad.promotions.rules import Line, Offer, Outcome, apply
from samlad.promotions.terms import Combination, Terms

A, B, C = (str(UUID(int=number)) for number in (1, 2, 3))


def line(variant: str, price: int, quantity: int = 1, *marks: str) -> Line:
    return Line(key=variant, price=price, quantity=quantity, marks=frozenset({f"variant:{variant}", *marks}))


def offer(effect: dict[str, Any], name: str = "offer", **fields: Any) -> Offer:
    terms = {"effect": effect} | {
        key: fields.pop(key) for key in ("goods", "minimum_amount", "minimum_quantity") if key in fields
    }
    return Offer(id=name, name=name, terms=msgspec.convert(terms, Terms), **fields)


def off(outcome: Outcome) -> dict[str, int]:
    return {key: sum(step.amount for step in steps) for key, steps in outcome.lines.items()}


# -- what must hold of any cart ------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(carts_of.lines(), carts_of.offers(), st.integers(0, 5_000))
def test_steps_add_up_and_nothing_falls_below_zero(
    lines: list[Line], offers: list[Offer], shipping: int
) -> None:
    outcome = apply(lines, offers, shipping)
    taken: Counter[str] = Counter()
    for each in lines:
        steps = outcome.lines.get(each.key, [])
        assert all(step.amount > 0 for step in steps)
        assert sum(step.amount for step in steps) <= each.price * each.quantity
        taken.update({step.promotion: step.amount for step in steps})
    assert sum(step.amount for step in outcome.shipping) <= shipping
    for step in outcome.shipping:
        taken[step.promotion] += step.amount
    assert dict(taken) == outcome.applied
    assert set(outcome.lines) <= {each.key for each in lines}
    assert set(outcome.applied) | set(outcome.refused) == {each.id for each in offers}
    assert not set(outcome.applied) & set(outcome.refused)


@settings(max_examples=40, deadline=None)
@given(carts_of.lines(), carts_of.offers(), st.integers(0, 5_000), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_given_does_not_matter(
    lines: list[Line], offers: list[Offer], shipping: int, dice: random.Random
) -> None:
    before = apply(lines, offers, shipping)
    dice.shuffle(lines)
    dice.shuffle(offers)
    assert apply(lines, offers, shipping) == before


@settings(max_examples=40, deadline=None)
@given(carts_of.lines(), carts_of.offers(), st.integers(0, 5_000))
def test_combination_and_budgets_are_respected(lines: list[Line], offers: list[Offer], shipping: int) -> None:
    outcome = apply(lines, offers, shipping)
    by_id = {each.id: each for each in offers}
    for name, amount in outcome.applied.items():
        left = by_id[name].left
        assert left is None or amount <= left
        if by_id[name].combination is Combination.NONE:
            assert len(outcome.applied) == 1
    for steps in [*outcome.lines.values(), outcome.shipping]:
        names = [step.promotion for step in steps]
        assert len(set(names)) == len(names)
        if any(by_id[name].combination is Combination.LINE for name in names):
            assert len(names) == 1
        priorities = [by_id[name].priority for name in names]
        assert priorities == sorted(priorities, reverse=True)


@settings(max_examples=40, deadline=None)
@given(carts_of.lines(), st.integers(1, 20_000))
def test_an_amount_off_all_is_spread_exactly(lines: list[Line], amount: int) -> None:
    outcome = apply(lines, [offer({"kind": "amount", "amount": amount})])
    worth = {each.key: each.price * each.quantity for each in lines}
    whole = sum(worth.values())
    spread = off(outcome)
    assert sum(spread.values()) == min(amount, whole)
    for key, part in spread.items():  # within one minor unit of its exact share
        assert abs(part * whole - min(amount, whole) * worth[key]) < whole


@settings(max_examples=30, deadline=None)
@given(carts_of.lines(), carts_of.offers(most=1))
def test_the_highest_priority_goes_first(lines: list[Line], offers: list[Offer]) -> None:
    """A promotion of the highest priority takes off what it takes alone, whatever else there is."""
    first = [msgspec.structs.replace(each, priority=9, left=None) for each in offers]
    other = offer({"kind": "percent", "percent": 5_000}, "zz")
    for each in first:
        alone = apply(lines, [each], 1_000).applied.get(each.id, 0)
        assert apply(lines, [other, each], 1_000).applied.get(each.id, 0) == alone


# -- the vectors ------------------------------------------------------------------------------------------------------------


def test_vectors() -> None:
    """The engine gives the answers that engines in other languages are held to."""
    cases = msgspec.json.decode(make_vectors.FILE.read_bytes())
    assert len(cases) == make_vectors.CASES
    kinds = Counter(each["terms"]["effect"]["kind"] for case in cases for each in case["offers"])
    used = Counter(
        each["terms"]["effect"]["kind"]
        for case in cases
        for each in case["offers"]
        if each["id"] in case["expected"]["applied"]
    )
    assert len(kinds) == 8
    assert min(used.values()) >= 15, used
    for case in cases:
        assert make_vectors.answered({k: case[k] for k in ("lines", "offers", "shipping")}) == case


# -- what each kind does ---------------------------------------------------------------------------------------------------

KINDS = [
    ("percent, halves up", {"kind": "percent", "percent": 1_000}, [line(A, 995)], {A: 100}),
    ("percent of a brand", {"kind": "percent", "percent": 1_000}, [line(A, 500), line(B, 500, 1, "brand:fika")], {B: 50}),
    ("amount spread", {"kind": "amount", "amount": 100}, [line(A, 100), line(B, 200)], {A: 33, B: 67}),
    ("amount each", {"kind": "amount", "amount": 100, "each": True}, [line(A, 80, 2), line(B, 300, 3)], {A: 160, B: 300}),
    ("fixed price", {"kind": "fixed_price", "price": 150}, [line(A, 199, 2), line(B, 100)], {A: 98}),
    ("3 for 2, the cheapest", {"kind": "buy_get", "buy": 2, "get": 1}, [line(A, 300, 2), line(B, 200, 2)], {B: 200}),
    ("6 for 4", {"kind": "buy_get", "buy": 2, "get": 1}, [line(A, 300, 6)], {A: 600}),
    (
        "buy a kettle, a filter at half",
        {"kind": "buy_get", "buy": 1, "get": 1, "percent": 5_000, "get_goods": {"variants": [B]}},
        [line(A, 900, 2), line(B, 101, 3)],
        {B: 101},
    ),
    (
        "tiers by amount",
        {"kind": "tiers", "tiers": [{"at_least": 500, "percent": 500}, {"at_least": 1_000, "amount": 150}]},
        [line(A, 500, 2)],
        {A: 150},
    ),
    (
        "tiers by quantity",
        {"kind": "tiers", "by_quantity": True, "tiers": [{"at_least": 2, "percent": 500}, {"at_least": 9, "percent": 2_000}]},
        [line(A, 500, 2)],
        {A: 50},
    ),
    (
        "a bundle of the dearest",
        {
            "kind": "bundle",
            "price": 1_000,
            "parts": [{"goods": {"variants": [A]}}, {"goods": {"variants": [B, C]}, "quantity": 2}],
        },
        [line(A, 800, 1), line(B, 300, 1), line(C, 200, 2)],
        {A: 185, B: 69, C: 46},
    ),
    (
        "a bundle, and as many cheap ones that it would make dearer",
        {"kind": "bundle", "price": 1_000, "parts": [{"goods": {"variants": [A, B]}, "quantity": 3}]},
        [line(A, 500, 3), line(B, 100, 3)],
        {A: 500},
    ),
    ("a bundle that is dearer than its parts", {"kind": "bundle", "price": 999, "parts": [{"goods": {"variants": [A]}}]}, [line(A, 500)], {}),
    ("a gift", {"kind": "gift", "variant": B, "quantity": 1}, [line(A, 900), line(B, 120, 2)], {B: 120}),
]  # fmt: skip


@pytest.mark.parametrize(("effect", "lines", "expected"), [k[1:] for k in KINDS], ids=[k[0] for k in KINDS])
def test_kinds(effect: dict[str, Any], lines: list[Line], expected: dict[str, int]) -> None:
    fields = {"goods": {"brands": ["Fika "]}} if any("brand:fika" in each.marks for each in lines) else {}
    assert off(apply(lines, [offer(effect, **fields)])) == expected


def test_shipping_is_free_from_a_minimum_on() -> None:
    free = offer({"kind": "free_shipping"}, minimum_amount=1_000)
    assert apply([line(A, 999)], [free], 4_900).refused == {"offer": "minimum"}
    outcome = apply([line(A, 500, 2)], [free], 4_900)
    assert [step.amount for step in outcome.shipping] == [4_900]
    assert apply([line(A, 1_000)], [free], 0).refused == {"offer": "shipping"}
    part = offer({"kind": "free_shipping", "at_most": 4_000})
    assert apply([line(A, 500)], [part], 4_900).applied == {"offer": 4_000}


def test_a_gift_is_offered_until_it_is_there_and_does_not_earn_itself() -> None:
    gift = offer({"kind": "gift", "variant": B}, minimum_amount=1_000)
    outcome = apply([line(A, 1_000)], [gift])
    assert [(each.variant, each.quantity) for each in outcome.gifts] == [(B, 1)]
    assert apply([line(A, 500), line(B, 900)], [gift]).refused == {"offer": "minimum"}
    there = apply([line(A, 1_000), line(B, 900)], [gift])
    assert (there.applied, there.gifts) == ({"offer": 900}, [])


def test_reasons() -> None:
    cart = [line(A, 1_000)]
    assert apply(cart, [offer({"kind": "percent", "percent": 1}, goods={"variants": [B]})]).refused == {
        "offer": "goods"
    }
    assert apply(cart, [offer({"kind": "fixed_price", "price": 2_000})]).refused == {"offer": "nothing"}
    assert apply(cart, [offer({"kind": "amount", "amount": 500}, left=499)]).refused == {"offer": "budget"}
    half = offer({"kind": "percent", "percent": 5_000}, "half", combination=Combination.NONE, priority=1)
    more = offer({"kind": "percent", "percent": 9_000}, "more")
    assert apply(cart, [half, more]).refused == {"more": "combination"}
    assert apply(cart, [half, msgspec.structs.replace(more, priority=2)]).refused == {"half": "combination"}
