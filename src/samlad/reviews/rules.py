"""Averages, what "best rated" means, and the name that is shown. Pure."""

from collections.abc import Sequence

from samlad.reviews.model import Totals

PRIOR_STARS, PRIOR_WEIGHT = 350, 5
"""A product without reviews counts as 3.5 stars, as firmly as five reviews say it."""


def totals(by_stars: Sequence[int]) -> Totals:
    """Count and average of the numbers of reviews with one, two … five stars."""
    count = sum(by_stars)
    points = sum(stars * number for stars, number in enumerate(by_stars, 1))
    average = (200 * points + count) // (2 * count) if count else 0  # hundredths, half up
    return Totals(count=count, average=average, by_stars=list(by_stars))


def standing(found: Totals) -> int:
    """What "best rated" sorts by: the Bayesian average, in thousandths of stars; 0 without reviews.

    One review of five stars must not stand above a hundred of 4.8: each average is pulled to 3.5 stars by the weight of
    five reviews (the formula of IMDb's chart, https://en.wikipedia.org/wiki/Bayesian_average).
    """
    if not found.count:
        return 0
    points = 100 * sum(stars * number for stars, number in enumerate(found.by_stars, 1))
    return 10 * (PRIOR_WEIGHT * PRIOR_STARS + points) // (PRIOR_WEIGHT + found.count)


def shares(found: Totals) -> list[tuple[int, int, int]]:
    """Stars, reviews and per cent of all, five stars first. The per cents are rounded each for itself."""
    return [
        (stars, number, (200 * number + found.count) // (2 * found.count) if found.count else 0)
        for stars, number in reversed(list(enumerate(found.by_stars, 1)))
    ]


def shown_name(name: str) -> str:
    """A name as strangers may read it: the first name and an initial, "Kim B."; empty stays empty."""
    parts = name.split()
    if not parts:
        return ""
    first = parts[0][:40]
    return first if len(parts) == 1 else f"{first} {parts[-1][0].upper()}."


def tidy(text: str) -> str:
    """A text without blanks at its ends and of its lines, and at most one empty line in a row."""
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        plain = line.strip()
        if plain or (lines and lines[-1]):
            lines.append(plain)
    return "\n".join(lines).strip()
