"""The till's rules in JavaScript say what the server says: thousands of cases made from a number, one run of Node for each half.

Their number is in `SEED`; a case that fails is printed whole.
"""

import json
import random
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import made_up_shops
import msgspec
import pytest

import make_vectors
from samlad.carts import set_prices
from samlad.faces import pos
from samlad.kernel.money import allocate, exponent, share
from samlad.kernel.problems import InvalidInput
from samlad.orders import tips_offered
from samlad.payments import Coin, PaymentInput, due_amounts
from samlad.payments.rules import LAWS
from samlad.promotions.terms import Terms
from samlad.tills import rules_pack

RULES = Path(pos.__file__).parent / "static/rules"
READER = Path(__file__).with_name("reckon.mjs")
SEED = 20261126
SHOPS, BASKETS, ENGINE, NUMBERS = 150, 20, 1_000, 1_500
Case = dict[str, Any]


def reckoned(cases: Iterable[Case], rules: Path = RULES) -> list[Any]:
    """What the rules in JavaScript say of cases, in their order."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node: apt-get install nodejs")
    given = b"".join(
        msgspec.json.encode({k: v for k, v in c.items() if k != "expected"}) + b"\n" for c in cases
    )
    run = subprocess.run([node, READER, rules], input=given, capture_output=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr.decode()
    return [json.loads(line) for line in run.stdout.splitlines()]


def differing(cases: list[Case], rules: Path = RULES) -> list[tuple[Case, Any]]:
    """The cases of which JavaScript says something else, with that."""
    answers = reckoned(cases, rules)
    assert len(answers) == len(cases)
    return [
        (each, said)
        for each, answer in zip(cases, answers, strict=True)
        if (said := comparable(answer)) != each["expected"]
    ]


def comparable(answer: Any) -> Any:
    """Without what only receipts need; promotions by id."""
    if isinstance(answer, dict) and "lines" in answer and "cash" in answer:
        answer.pop("taxes")
        answer["promotions"] = {each["promotion"]: each["amount"] for each in answer["promotions"]}
    return answer


@cache
def of_tickets() -> list[Case]:
    """Tickets of made-up shops: prices, promotions, tax, cash."""
    cases: list[Case] = []
    for shop, dice in made_up_shops.shops(SEED, SHOPS):
        cases.append(
            {"kind": "rules", "rules": msgspec.to_builtins(shop.pack, str_keys=True), "expected": None}
        )
        cases += ({"kind": "totals", **made_up_shops.case(dice, shop)} for _ in range(BASKETS))
    return cases


@cache
def of_the_engine() -> list[Case]:
    """Promotions alone, with shipping; the amounts near what a number can hold, too."""
    dice = random.Random(SEED)
    made = [make_vectors.answered(make_vectors.case(dice, number)) for number in range(ENGINE)]
    kept = json.loads(make_vectors.FILE.read_text())
    return [
        {"kind": "engine", **case, "offers": [packed(each) for each in case["offers"]]}
        for case in made + kept
    ]


def packed(offer: Case) -> Case:
    """An offer as it stands in a till's rules."""
    terms = rules_pack.folded(msgspec.convert(offer["terms"], Terms))
    return offer | {"terms": msgspec.to_builtins(terms)}


@cache
def of_numbers() -> list[Case]:
    """Shares, allocations and payments."""
    dice = random.Random(SEED)

    def size() -> int:
        return dice.choice([0, 1, 2, 99, 10_000, dice.randint(0, 10**6), dice.randint(0, 2**50)])

    cases: list[Case] = []
    for _ in range(NUMBERS):
        amount, whole = dice.choice([-1, 1]) * size(), dice.randint(1, 2**40)
        numbers = [amount, dice.randint(0, whole), whole]
        cases.append({"kind": "share", "numbers": numbers, "expected": share(*numbers)})
        weights = [size() // 8 for _ in range(dice.randint(0, 7))]
        cases.append(
            {"kind": "allocate", "amount": amount, "weights": weights, "expected": allocate(amount, weights)}
        )
        cases.append(payments(dice))
        cases.append(tips(random.Random(f"tip {numbers}")))
        cases.append(set_prices_of(random.Random(f"set {numbers}")))
    return cases


def tips(dice: random.Random) -> Case:
    """Tips that are offered for a total, in a currency with cents and in one without."""
    currency = dice.choice(["SEK", "EUR", "JPY"])
    given = {
        "total": dice.choice([0, 1, 49, dice.randint(1, 3_000), dice.randint(1, 10**7)]),
        "percents": [dice.randint(1, 100) for _ in range(dice.randint(0, 4))],
        "amounts": [dice.choice([100, 1_000, dice.randint(1, 5_000)]) for _ in range(dice.randint(0, 3))],
    }
    expected = [list(each) for each in tips_offered(**given, currency=currency)]
    return {"kind": "tips", **given, "unit": 10 ** exponent(currency), "expected": expected}


def set_prices_of(dice: random.Random) -> Case:
    """A line of sets with what is taken off it, as its parts."""
    price = dice.choice([0, 1, 99, 9_995, dice.randint(0, 60_000), dice.randint(0, 2**40)])
    quantity, least = dice.choice([1, 1, 2, 7]), dice.choice([1, 2])
    parts = [
        (dice.choice([0, 1, 995, dice.randint(1, 50_000)]), dice.randint(least, 12))
        for _ in range(dice.randint(1, 5))
    ]
    left, taken = price * quantity, []
    for _ in range(dice.randint(0, 3)):
        taken.append(dice.choice([0, left, left // 3, dice.randint(0, left)]))
        left -= taken[-1]
    found = set_prices.shares(price, quantity, taken, parts)
    line = {
        "quantity": quantity,
        "per": 1,
        "price": price,
        "parts": [{"own": own, "units": units, "home": 0, "decision": {}} for own, units in parts],
    }
    return {
        "kind": "set",
        "line": line,
        "taken": [{"amount": amount} for amount in taken],
        "expected": [[each.unit_price, each.units, each.steps, each.quoted] for each in found],
    }


def payments(dice: random.Random) -> Case:
    """Payments of a total, some of which the server refuses."""
    step = dice.choice([1, 5, 50, 100])
    total = dice.choice([dice.randint(1, 3_000), 50 * dice.randint(1, 60)])
    law = random.Random(f"{step} {total}")  # not of the same dice: what the others throw stays as it was
    coin = Coin(step, law.choice(["nearest", "up", "exact", "kept"]), law.choice([False, False, True]))
    total = law.choice([total, total, law.randint(1, 2 * step)])
    paid: list[Case] = [
        {
            "provider": dice.choice(["cash", "test"]),
            "amount": dice.choice([None, None, total, dice.randint(1, total)]),
        }
        for _ in range(dice.randint(0, 3))
    ]
    return paying(total, paid, coin)


def paying(total: int, paid: list[Case], coin: Coin) -> Case:
    """What a total comes to when it is paid so, which the server may refuse."""
    try:
        amounts, rounding = due_amounts(total, msgspec.convert(paid, list[PaymentInput]), coin)
        expected: Any = {"amounts": amounts, "rounding": rounding}
    except InvalidInput:
        expected = {"error": "RangeError"}
    return {
        "kind": "due",
        "total": total,
        "payments": paid,
        "coin": msgspec.to_builtins(coin),
        "expected": expected,
    }


@cache
def of_laws() -> list[Case]:
    """Cash by the law of each country: every amount up to three coins, and some that are more."""
    cash: list[Case] = [{"provider": "cash", "amount": None}]
    card: list[Case] = [{"provider": "test", "amount": 7}, *cash]
    dice = random.Random(SEED)
    return [
        paying(total, paid, law.coin)
        for law in LAWS
        for total in [*range(1, 3 * law.coin.step + 1), *(dice.randint(1, 2**40) for _ in range(20))]
        for paid in (cash, card)
    ]


ALL = {"laws": of_laws, "tickets": of_tickets, "engine": of_the_engine, "numbers": of_numbers}


@pytest.mark.parametrize("of", ALL)
def test_the_till_says_what_the_server_says(of: str) -> None:
    cases = ALL[of]()
    wrong = differing(cases)
    assert not wrong, (
        f"{len(wrong)} of {len(cases)}, the first:\n{json.dumps(wrong[0], indent=1, default=str)}"
    )


def test_the_cases_are_about_everything() -> None:
    """Vectors that nothing happens in would prove nothing."""
    tickets = [case["expected"] for case in of_tickets() if case["kind"] == "totals"]
    seen: Counter[str] = Counter()
    for said in tickets:
        seen.update(set(said["refused"].values()))
        seen.update({f"problem {line['problem']}" for line in said["lines"]})
        seen.update({f"tax {line['tax_category']}" for line in said["lines"]})
        seen["promotions"] += bool(said["promotions"])
        seen["at several rates"] += any(len(line["taxes"]) > 1 for line in said["lines"])
        seen["several promotions"] += len(said["promotions"]) > 1
        seen["gifts"] += bool(said["gifts"])
        seen["by hand"] += any(step.get("by_hand") for line in said["lines"] for step in line["steps"])
        seen["cash is rounded"] += said["cash"]["rounding"] != 0
        seen["tax on top"] += any(not line["tax_included"] and line["tax"] for line in said["lines"])
    wanted = [
        "not-yet",
        "ended",
        "hours",
        "group",
        "offline",
        "used-up",
        "not-granted",
        "goods",
        "minimum",
        "nothing",
        "combination",
        "budget",
    ]
    wanted += ["problem None", "problem price", "problem not-sold", "tax S", "tax Z", "tax E", "tax O"]
    wanted += ["promotions", "several promotions", "gifts", "by hand", "cash is rounded", "tax on top"]
    wanted += ["at several rates"]
    assert len(tickets) == SHOPS * BASKETS
    assert min(seen[each] for each in wanted) >= 15, seen


# -- mutations: a mistake in the JavaScript is found ------------------------------------------------------------------------

MISTAKES = [
    ("money.js", "2 * Math.abs(amount) * numerator + denominator", "2 * Math.abs(amount) * numerator"),
    ("money.js", "exact[b].rest - exact[a].rest || a - b", "exact[b].rest - exact[a].rest || b - a"),
    ("money.js", "BigInt(amount) * BigInt(weight)", "BigInt(amount * weight)"),
    ("promotions.js", 'offer.combination === "line" ? this.reduced : this.closed', "this.closed"),
    ("promotions.js", "onePiece(a) - onePiece(b) || byText(a.key, b.key)", "byText(a.key, b.key)"),
    ("promotions.js", "per(line) === 1 ? line.quantity : 1", "line.quantity"),
    ("promotions.js", "amount > offer.left", "amount >= offer.left + 500"),
    ("availability.js", "isAfterMidnight ? dayBefore(moment.day) : moment", "moment"),
    ("availability.js", "day > promotion.last_day", "day >= promotion.last_day"),
    ("prices.js", "b.least - a.least ||", ""),
    ("prices.js", "at < list.valid_to", "at <= list.valid_to + 86400000"),
    ("tax.js", "spans.findLast((span) => span.from <= day)", "spans.find((span) => span.from <= day)"),
    ("tax.js", "included ? WHOLE + rate : WHOLE", "WHOLE + rate"),
    ("tax.js", "all >= price ? there : Math.min(there, moved(all, home, to))", "moved(all, home, to)"),
    ("discounts.js", "(a.variant === null) - (b.variant === null)", "(b.variant === null) - (a.variant === null)"),
    ("discounts.js", "worth(value, quantity, per)", "value"),
    ("sets.js", "prices[single] += rest", "prices[single] += 0"),
    ("sets.js", "parts[b].units - parts[a].units", "parts[a].units - parts[b].units"),
    ("sets.js", "telling(left, whole)", "telling(whole, whole)"),
    ("tax.js", "before + quoted, rate", "quoted, rate"),
    ("totals.js", "each.total > most.total", "each.total >= most.total"),
    ("totals.js", "priceOf(part, 1)", "priceOf(part, part.units)"),
    ("moments.js", "getUTCDay() || 7", "getUTCDay()"),
    ("cash.js", "Math.floor(step / 2)", "Math.floor((step - 1) / 2)"),
    ("cash.js", 'small === "exact" ? size : step', "step"),
    ("cash.js", "rounded ||= size", "rounded ||= step"),
    ("cash.js", "coin.is_whole_only && payments.length > 1", "coin.is_whole_only"),
    ("totals.js", "if (reason !== null)", 'if (reason !== null && reason !== "hours")'),
]  # fmt: skip


def test_mistakes_are_found(tmp_path: Path) -> None:
    missed: list[Any] = []
    for number, (name, right, wrong) in enumerate(MISTAKES):
        folder = tmp_path / str(number)
        shutil.copytree(RULES, folder)
        text = (folder / name).read_text()
        assert text.count(right) == 1, (name, right)
        (folder / name).write_text(text.replace(right, wrong))
        if not any(differing(cases, folder) for cases in _likely(name)):
            missed.append((name, right))
    assert not missed


def _likely(name: str) -> Iterator[list[Case]]:
    """The cases that a mistake may show in; first some, then all of them."""
    made = of_numbers if name in ("money.js", "cash.js", "sets.js") else of_tickets
    if name == "promotions.js":
        yield of_the_engine()[:500]
    yield made()[:600]
    yield made()
