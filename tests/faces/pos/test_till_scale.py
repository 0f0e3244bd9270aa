"""Codes of scales and GS1 codes: the online till and the one without network read them alike."""

import json
import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from test_till_rules import Case, differing

from samlad.kernel.money import worth
from samlad.stock import scale_codes, scanning

SEED = 20_261_126
NAMED = [each for layouts in scale_codes.LAYOUTS.values() for each in layouts]


def test_check_digits_are_those_of_gs1() -> None:
    assert scale_codes.value_digit("2875") == "9"  # General Specifications, 7.9.3 and 7.9.4
    assert scale_codes.value_digit("14685") == "6"
    code = "2310012307708"[:12]
    assert scale_codes.read(code + scale_codes.check_digit(code), ["se"]) == scale_codes.ScaleCode(
        names=["2310012300004", "100123"], grams=770
    )
    assert scale_codes.read(code + scale_codes.check_digit(code), []) is None
    assert scale_codes.read(code + str((int(scale_codes.check_digit(code)) + 1) % 10), ["se"]) is None
    priced = scale_codes.made("28IIIIVPPPPPC.2", "1027", 502)
    assert priced[6] == "5"
    assert scale_codes.read(priced, ["de"]) == scale_codes.ScaleCode(
        names=["2810270000001"[:12] + scale_codes.check_digit("281027000000"), "1027"], price=(502, 2)
    )
    misread = priced[:6] + "4" + priced[7:12]
    found = scale_codes.read(misread + scale_codes.check_digit(misread), ["de"])
    assert found is not None
    assert found.is_wrong


@given(st.integers(1, 10**7), st.integers(1, 10**6), st.sampled_from([1, 1_000]))
def test_nobody_pays_more_than_the_label_says(paid: int, unit_price: int, per: int) -> None:
    most = scale_codes.quantity_for(paid, unit_price, per)
    assert worth(unit_price, most or 0, per) <= paid
    assert worth(unit_price, (most or 0) + 1, per) > paid


def gs1(dice: random.Random) -> str:
    """A message as a scanner sends it, or as people write it; sometimes broken."""
    gtin = "0" + "".join(dice.choice("0123456789") for _ in range(12))
    gtin += scale_codes.check_digit(gtin)
    if dice.random() < 0.1:
        gtin = gtin[:13] + str((int(gtin[13]) + 3) % 10)
    measure = dice.choice(["310", "320", "311", "315"]) + str(dice.randint(0, 5))
    parts = [("01", gtin, True), (measure, f"{dice.randint(0, 999_999):06d}", True)]
    rest = [
        ("10", "LOT-" + str(dice.randint(1, 99)), False),
        ("21", "S" + str(dice.randint(1, 10**9)), False),
        ("17", f"2{dice.randint(0, 9)}{dice.randint(1, 12):02d}{dice.randint(1, 28):02d}", True),
        ("392" + str(dice.randint(0, 3)), str(dice.randint(1, 999_999)), False),
        ("37", str(dice.randint(1, 99)), False),
    ]
    parts += dice.sample(rest, dice.randint(0, 4))
    if dice.random() < 0.3:
        return "".join(f"({ai}){value}" for ai, value, _ in parts)
    if dice.random() < 0.2:
        path = "".join(f"/{ai}/{value}" for ai, value, _ in sorted(parts) if ai in ("01", "10", "21"))
        query = "&".join(f"{ai}={value}" for ai, value, _ in parts if ai not in ("01", "10", "21"))
        return f"https://id.example.org/shop{path}?{query}"
    ends = dice.choice(["\x1d", "|"])
    text = "".join(
        ai + value + ("" if is_fixed or place == len(parts) - 1 else ends)
        for place, (ai, value, is_fixed) in enumerate(parts)
    )
    return dice.choice(["]C1", "]d2", "]e0", ""]) + text


def read_gs1(text: str) -> Any:
    """What the online till reads, as the other one says it."""
    found = scanning.read(text)
    if found.code == text:
        return None
    said = msgspec.to_builtins(found)
    return {**said, "code": found.code.zfill(14)}


def cases() -> list[Case]:
    dice = random.Random(SEED)
    made: list[Case] = []
    for _ in range(400):
        layout = dice.choice(NAMED)
        size = layout[:13].count("P") + layout[:13].count("W")
        item = str(dice.randrange(10 ** layout.count("I")))
        code = scale_codes.made(layout, item, dice.randrange(10**size))
        if dice.random() < 0.2:
            place = dice.randrange(13)
            code = code[:place] + dice.choice("0123456789") + code[place + 1 :]
        layouts = [dice.choice([*scale_codes.LAYOUTS, layout])]
        expected = msgspec.to_builtins(scale_codes.read(code, layouts))
        made.append({"kind": "scale", "code": code, "layouts": layouts, "expected": expected})
    for _ in range(400):
        text = gs1(dice)
        made.append({"kind": "gs1", "text": text, "expected": read_gs1(text)})
    for _ in range(400):
        price, exponent = (dice.randrange(10**5), dice.randint(0, 3)), dice.choice([0, 2, 2, 3])
        said = scale_codes.minor_of(price, exponent)
        made.append({"kind": "minor", "price": price, "exponent": exponent, "expected": said})
        numbers = (
            dice.randrange(10**5),
            dice.choice([0, 1, 99, 2_990, dice.randrange(10**6)]),
            dice.choice([1, 1_000]),
        )
        made.append({"kind": "quantity", "numbers": numbers, "expected": scale_codes.quantity_for(*numbers)})
    return json.loads(msgspec.json.encode(made))  # tuples are lists there


def test_both_tills_read_codes_alike() -> None:
    made = cases()
    assert sum(each["expected"] is not None for each in made) > len(made) * 0.6
    assert any((each["expected"] or {}).get("is_wrong") for each in made if each["kind"] == "scale")
    wrong = differing(made)
    assert not wrong, wrong[:3]
