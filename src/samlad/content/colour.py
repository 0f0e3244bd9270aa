"""Contrast of colours. WCAG 2.2, success criterion 1.4.3, and its definition of relative luminance.

https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
"""

from collections.abc import Sequence
from functools import lru_cache

TEXT_RATIO = 4.5
"""Text against its ground (1.4.3)."""
CONTROL_RATIO = 3.0
"""The edge of a field against its ground (1.4.11)."""
BLACK, WHITE = "#000000", "#ffffff"
_STEPS = 64

Channels = tuple[int, int, int]


def channels_of(colour: str) -> Channels:
    """Red, green and blue of ``#rrggbb``, 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=4096)
def luminance(colour: str) -> float:
    """Relative luminance, 0 (black) to 1 (white)."""
    red, green, blue = (_linear(value / 255) for value in channels_of(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    linear: float = value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
    return linear


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def lowest(colour: str, grounds: Sequence[str]) -> float:
    """The contrast with the ground that it stands out from least."""
    return min(contrast(colour, ground) for ground in grounds)


def mix(one: str, other: str, share: float) -> str:
    """``share`` (0 to 1) of the other colour in the first."""
    pairs = zip(channels_of(one), channels_of(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def readable(colour: str, grounds: Sequence[str], ratio: float = TEXT_RATIO) -> str:
    """The nearest colour on the way to black or white that stands out from every ground; itself if it does.

    Where grounds are so far apart that nothing does, black or white, whichever is better.
    """
    if lowest(colour, grounds) >= ratio:
        return colour
    found = [
        (step, tried)
        for end in (BLACK, WHITE)
        for step in [_first_step(colour, end, grounds, ratio)]
        if step is not None
        for tried in [mix(colour, end, step / _STEPS)]
    ]
    if found:
        return min(found)[1]
    return max((BLACK, WHITE), key=lambda end: lowest(end, grounds))


def _first_step(colour: str, end: str, grounds: Sequence[str], ratio: float) -> int | None:
    for step in range(1, _STEPS + 1):
        if lowest(mix(colour, end, step / _STEPS), grounds) >= ratio:
            return step
    return None


def on(ground: str) -> str:
    """Black or white, whichever is read better on a ground; one of them always has 4.5."""
    return max((WHITE, BLACK), key=lambda colour: contrast(colour, ground))
