"""Finding pages, acts and settings by their names, in the reader's language or English, with a typing slip or two."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

_WORD = re.compile(r"[^\W_]+")
_SHORT, _LONG = 4, 8
"""From so many letters on a word may have one slip; from so many, two."""


class Named(msgspec.Struct, frozen=True):
    """Something that has names: what it says here, and others by which it is found as well."""

    text: str
    href: str
    icon: str
    sub: str = ""
    others: tuple[str, ...] = ()


@lru_cache(maxsize=4096)
def words_in(text: str) -> tuple[str, ...]:
    """The words of a text in small letters without accents."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return tuple(_WORD.findall("".join(c for c in plain if not unicodedata.combining(c))))


def slips(one: str, other: str, most: int) -> int:
    """How many letters must be put in, taken out, changed, or swapped with the next, to make one word the other.

    Counts no further than ``most`` + 1. Damerau and Levenshtein's distance (optimal string alignment).
    """
    if abs(len(one) - len(other)) > most or len(set(one) - set(other)) > most:
        return most + 1  # each letter that the other has not is put in or changed
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def score(asked: Sequence[str], text: str) -> int | None:
    """How well a text fits the words that were asked for: 0 is best, None is not at all.

    Every word must be there: whole, as a beginning, inside another, or (from four letters on) with a slip.
    """
    total, there = 0, words_in(text)
    for word in asked:
        best = min((_fits(word, one) for one in there), default=99)
        if best == 99:
            return None
        total += best
    return total * 10 + len(there)


def closeness(asked: Sequence[str], text: str) -> int | None:
    """How well a text fits on the whole: 0 by whole words or their beginnings, 2 inside of words, 3 with a slip; None not at all."""
    there = words_in(text)
    worst = max((min((_fits(word, one) for one in there), default=99) for word in asked), default=99)
    return None if worst == 99 else {0: 0, 1: 0, 2: 2}.get(worst, 3)


@lru_cache(maxsize=20_000)
def _fits(asked: str, word: str) -> int:
    if word == asked:
        return 0
    if word.startswith(asked):
        return 1
    if len(asked) > 2 and asked in word:
        return 2
    most = 2 if len(asked) >= _LONG else 1 if len(asked) >= _SHORT else 0
    if most and min(slips(asked, word, most), slips(asked, word[: len(asked)], most)) <= most:
        return 4
    return 99


def find(query: str, among: Iterable[Named], most: int) -> list[Named]:
    """Those that fit a query by any of their names, the best first."""
    asked = words_in(query)
    if not asked:
        return []
    found = []
    for place, one in enumerate(among):
        scores = [s for name in (one.text, *one.others) if (s := score(asked, name)) is not None]
        if scores:
            found.append((min(scores), place, one))
    return [one for _score, _place, one in sorted(found, key=lambda hit: hit[:2])[:most]]
