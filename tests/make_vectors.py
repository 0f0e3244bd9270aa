"""Makes vectors.json: carts, promotions, and what the engine says. `python tests/make_vectors.py`

An engine in another language (the till's) must give the same answers. Make it anew only when the rules are to change,
and read the difference.
"""

import random
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from samlad.promotions.rules import Line, Offer, apply
from samlad.promotions.terms import Combination, Terms

FILE = Path(__file__).with_name("vectors.json")
CASES = 300
VARIANTS = [str(UUID(int=number)) for number in range(1, 7)]
BRANDS = ["Fika", "Lagom"]
COLLECTION, CATEGORY = str(UUID(int=77)), str(UUID(int=88))


def main() -> None:
    """Write the file."""
    dice = random.Random(20261125)
    cases = [msgspec.json.encode(answered(case(dice, number))) for number in range(CASES)]
    FILE.write_bytes(b"[\n" + b",\n".join(cases) + b"\n]\n")


def answered(given: dict[str, Any]) -> dict[str, Any]:
    """A case with the engine's answer."""
    lines = msgspec.convert(given["lines"], list[Line])
    offers = msgspec.convert(given["offers"], list[Offer])
    return given | {"expected": msgspec.to_builtins(apply(lines, offers, given["shipping"]))}


def case(dice: random.Random, number: int) -> dict[str, Any]:
    """A cart and up to five promotions."""
    lines = [
        msgspec.to_builtins(line(dice, variant), order="sorted")
        for variant in dice.sample(VARIANTS, dice.randint(1, len(VARIANTS)))
    ]
    offers = [
        Offer(
            id=f"{name}{number}",
            name=f"Offer {name}",
            terms=msgspec.convert(terms(dice), Terms),
            priority=dice.choice([0, 0, 0, 1, 2, -1]),
            combination=dice.choice([Combination.ALL, Combination.ALL, Combination.LINE, Combination.NONE]),
            left=dice.choice([None, None, None, dice.randint(0, 20_000)]),
        )
        for name in "ABCDE"[: dice.randint(1, 5)]
    ]
    return {
        "lines": lines,
        "offers": msgspec.to_builtins(offers),
        "shipping": dice.choice([0, 4_900, 9_950]),
    }


def line(dice: random.Random, variant: str) -> Line:
    """A line of a variant."""
    marks = {f"variant:{variant}", f"product:{variant}", f"brand:{dice.choice(BRANDS).casefold()}"}
    if dice.random() < 0.5:
        marks.add(f"collection:{COLLECTION}")
    if dice.random() < 0.5:
        marks.add(f"category:{CATEGORY}")
    price = dice.choice([0, 1, 99, 333, 1_995, 19_900, dice.randint(1, 60_000)])
    if dice.random() < 0.1:
        weight = dice.choice([1, 5, 770, dice.randint(1, 9_999)])
        return Line(key=variant, price=price, quantity=weight, per=1_000, marks=frozenset(marks))
    return Line(key=variant, price=price, quantity=dice.choice([1, 1, 2, 3, 7, 12]), marks=frozenset(marks))


def goods(dice: random.Random) -> dict[str, Any]:
    """Everything, or some of it."""
    return dice.choice(
        [
            {},
            {},
            {"variants": dice.sample(VARIANTS, 2)},
            {"products": dice.sample(VARIANTS, 3)},
            {"brands": [dice.choice(BRANDS)]},
            {"collections": [COLLECTION]},
            {"categories": [CATEGORY], "brands": [BRANDS[0]]},
        ]
    )


def terms(dice: random.Random) -> dict[str, Any]:
    """What a promotion asks and gives."""
    chosen = {"effect": effect(dice), "goods": goods(dice)}
    if dice.random() < 0.25:
        chosen["minimum_amount"] = dice.choice([5_000, 30_000])
    if dice.random() < 0.25:
        chosen["minimum_quantity"] = dice.choice([2, 5])
    return chosen


def effect(dice: random.Random) -> dict[str, Any]:
    """One of each kind, all about as often."""
    times = dice.choice([None, None, 1, 2])
    return dice.choice(
        [
            {"kind": "percent", "percent": dice.choice([1, 333, 1_000, 2_500, 5_000, 10_000])},
            {"kind": "amount", "amount": dice.choice([1, 100, 9_999, 100_000])},
            {"kind": "amount", "amount": dice.choice([50, 500]), "each": True},
            {"kind": "fixed_price", "price": dice.choice([0, 500, 10_000])},
            {"kind": "buy_get", "buy": dice.choice([1, 2, 3]), "get": 1, "times": times},
            {
                "kind": "buy_get",
                "buy": 2,
                "get": dice.choice([1, 2]),
                "percent": dice.choice([5_000, 3_333]),
                "get_goods": {"variants": dice.sample(VARIANTS, 2)},
                "times": times,
            },
            {
                "kind": "tiers",
                "tiers": [
                    {"at_least": 2_000, "percent": 500},
                    {"at_least": 20_000, "percent": 1_000},
                    {"at_least": 80_000, "amount": 15_000},
                ],
            },
            {
                "kind": "tiers",
                "by_quantity": True,
                "tiers": [{"at_least": 3, "amount": 777}, {"at_least": 6, "percent": 1_500}],
            },
            {
                "kind": "bundle",
                "parts": [
                    {"goods": {"variants": dice.sample(VARIANTS, 2)}},
                    {"goods": {"variants": dice.sample(VARIANTS, 3)}, "quantity": dice.choice([1, 2])},
                ],
                "price": dice.choice([0, 1_000, 15_000]),
                "times": times,
            },
            {"kind": "free_shipping", "at_most": dice.choice([None, 5_000])},
            {"kind": "gift", "variant": dice.choice(VARIANTS), "quantity": dice.choice([1, 2])},
        ]
    )


if __name__ == "__main__":
    main()
