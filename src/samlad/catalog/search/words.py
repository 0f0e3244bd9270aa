"""From what people type to what is searched for."""

from collections.abc import Iterable, Sequence
from typing import Literal

Configuration = Literal["english", "swedish", "dutch", "simple"]

_CONFIGURATIONS: dict[str, Configuration] = {"en": "english", "sv": "swedish", "nl": "dutch"}
MOST_WORDS = 12


def configuration(language: str) -> Configuration:
    """PostgreSQL's text search configuration for a language; ``simple`` (no stemming) for those without."""
    return _CONFIGURATIONS.get(language, "simple")


def edits(a: str, b: str) -> int:
    """How many letters must be put in, left out, changed or swapped with their neighbour (optimal string alignment).

    Source: L. Boytsov, Indexing methods for approximate dictionary searching, 2011, §2.2.1.
    """
    before, last = list[int](), list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row = [i]
        for j, y in enumerate(b, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def allowed_edits(word: str) -> int:
    """How wrong a word may be and still be taken for another: one slip in four letters, two up to eight, then three."""
    return 0 if len(word) < 3 else 1 if len(word) <= 4 else 2 if len(word) <= 8 else 3


def mended(word: str, known: Iterable[str]) -> str | None:
    """The known word that somebody most likely meant, or None when none is near."""
    # One who is still typing has only the beginning of the word.
    scored = [
        (min(edits(word, other), edits(word, other[: len(word)]) + 1), abs(len(other) - len(word)), other)
        for other in known
    ]
    best = min(scored, default=None)
    return best[2] if best is not None and best[0] <= allowed_edits(word) else None


def tsquery(words: Sequence[tuple[str, str]], *, typing: bool = True) -> str | None:
    """A ``tsquery`` that wants every word: as it is written or as its stem, and while ``typing`` the last as a beginning.

    ``words`` are plain words (letters and digits only) with their stems as PostgreSQL writes them; an empty stem is that
    of a word like “the”, which is not asked for unless nothing else is. None for no words.
    """
    telling = [pair for pair in words if pair[1]] or list(words)
    parts = []
    for word, stem in telling:
        begins = f"'{word}':*" if typing and (word, stem) == words[-1] else f"'{word}'"
        parts.append(f"({stem} | {begins})" if stem else begins)
    return " & ".join(parts) or None
