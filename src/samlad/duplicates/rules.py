"""Who may be one person: pure functions of two records and a model.

The same as Splink's prediction (Linacre and others, 2022; after Fellegi and Sunter, 1969), to the last digit that counts:
a test compares them. Splink compiles SQL for 0.2 s a pair; this takes some 20 µs.
"""

import math
from collections.abc import Collection, Iterable, Sequence

from rapidfuzz.distance import JaroWinkler, Levenshtein

from samlad.duplicates.comparing import BLOCKS, LARGEST_BLOCK, STRONG
from samlad.duplicates.model import (
    Comparison,
    Condition,
    Evidence,
    Frequencies,
    Model,
    PoolSettings,
    Record,
    Score,
    Test,
)

UNKNOWN = "unknown"
"""The level where one of both has nothing to compare: it says nothing."""
STRONG_FIELDS_NEEDED = 2


def score(model: Model, frequencies: Frequencies, one: Record, other: Record) -> Score:
    """How probable it is that two are one person, and why."""
    prior = math.log2(model.prior / (1 - model.prior))
    evidence = tuple(_evidence(each, frequencies, one, other) for each in model.comparisons)
    return Score(prior + sum(each.bits for each in evidence), prior, evidence)


def _evidence(comparison: Comparison, frequencies: Frequencies, one: Record, other: Record) -> Evidence:
    if one.get(comparison.field) is None or other.get(comparison.field) is None:
        return Evidence(comparison.name, UNKNOWN, 0.0)
    level = next(
        each for each in comparison.levels if all(holds(test, one, other) for test in each.conditions)
    )
    u = level.u
    if level.frequency and level.rare:  # how frequent things are is known
        shares = frequencies.get(level.frequency, {})
        values = (one[level.frequency], other[level.frequency])
        u = max(level.rare, *(shares.get(value, 0.0) for value in values if value is not None))
    return Evidence(comparison.name, level.name, math.log2(level.m) - math.log2(u))


def holds(condition: Condition, one: Record, other: Record) -> bool:
    """Whether two people agree as a condition says. What is not known agrees with nothing."""
    left, right = one.get(condition.field), other.get(condition.field)
    if left is None or right is None:
        return False
    if condition.test is Test.SAME:
        return left == right
    if condition.test is Test.SIMILAR:
        return JaroWinkler.similarity(left, right) >= condition.limit
    if condition.test is Test.NEAR:
        return Levenshtein.distance(left, right) <= condition.limit
    return left == other.get(condition.other) and right == one.get(condition.other)


def frequent_fields(model: Model) -> set[str]:
    """The fields of which it matters how many have the same."""
    return {level.frequency for each in model.comparisons for level in each.levels if level.frequency}


def keys_of(record: Record, blocks: Sequence[Sequence[str]] = BLOCKS) -> list[str]:
    """By what a person is found: one for each block of which everything is known."""
    found = []
    for fields in blocks:
        values = [record.get(field) for field in fields]
        if all(values):
            found.append("|".join(("+".join(fields), *(str(value) for value in values))))
    return found


def strong(evidence: Iterable[Evidence]) -> int:
    """How many strong fields are the same."""
    return sum(each.comparison in STRONG and each.level == "same" for each in evidence)


def is_automatic(settings: PoolSettings, found: Score) -> bool:
    """Whether two may be merged without asking: sure, by two independent strong fields, and by names that agree.

    A household shares its address and its phone; the given name tells its people apart.
    """
    given = next((each.level for each in found.evidence if each.comparison == "given"), UNKNOWN)
    return (
        settings.automatic
        and found.probability >= settings.automatic_from
        and strong(found.evidence) >= STRONG_FIELDS_NEEDED
        and given in ("same", "similar")
    )


def contradict(one: Collection[tuple[str, str]], other: Collection[tuple[str, str]]) -> bool:
    """Whether two people have different values of a kind of which a person has one: pairs of kind and value."""
    kinds = {kind for kind, _ in one} & {kind for kind, _ in other}
    return any(
        {value for kind, value in one if kind == wanted}.isdisjoint(
            value for kind, value in other if kind == wanted
        )
        for wanted in kinds
    )


def largest_block(sizes: Sequence[tuple[int, int]], most: int) -> int:
    """How many people may have a key in common so that a block makes at most so many pairs.

    ``sizes``: how many people have a key, and of how many keys that is so, the smallest first. Smaller groups go first: what few
    have in common says more.
    """
    pairs, largest = 0, 1
    for size, keys in sizes:
        pairs += size * (size - 1) // 2 * keys
        if pairs > most:
            return largest
        largest = size
    return LARGEST_BLOCK
