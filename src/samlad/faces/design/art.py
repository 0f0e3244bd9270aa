"""Small pictures drawn by the server as SVG: art for products without a photo, sparklines, icons from the sprite."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from markupsafe import Markup

from samlad.faces.design.assets import asset

_SPRITE = Path(__file__).parent / "static" / "icons.svg"


POINTING = frozenset({"arrow-right", "chevron-left", "chevron-right", "external", "logout", "truck", "undo"})
"""Icons that point along the line of text: where that runs from right to left they are mirrored."""


@cache
def icon_names() -> tuple[str, ...]:
    """The icons of the sprite, in its order."""
    return tuple(re.findall(r'<symbol id="([a-z-]+)"', _SPRITE.read_text()))


@cache
def icon(name: str, label: str = "") -> Markup:
    """An icon of the sprite; decoration unless it has a label. Raises `KeyError` for an icon that is not there."""
    if name not in icon_names():
        raise KeyError(f"there is no icon {name!r}; there are {', '.join(icon_names())}")
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    turns = " turns" if name in POINTING else ""
    return Markup('<svg class="icon{}" {}><use href="{}#{}"></use></svg>').format(
        turns, said, asset("icons.svg"), name
    )


@lru_cache(maxsize=4096)
def placeholder_art(sku: str) -> Markup:
    """Calm art in place of a missing photo: the same for a SKU each time, of its own among its neighbours. Colours are the style sheet's."""
    seed = hashlib.blake2b(sku.encode(), digest_size=8).digest()
    return Markup(
        '<svg class="art art-{}" viewBox="0 0 200 200" preserveAspectRatio="xMidYMid slice" aria-hidden="true">'
        '<rect class="art-ground" width="200" height="200"/>{}</svg>'
    ).format(seed[0] % 8, Markup(_MOTIFS[seed[1] % len(_MOTIFS)](seed)))  # noqa: S704 - numbers only


def _rings(seed: bytes) -> str:
    x, y, r = 60 + seed[2] % 80, 70 + seed[3] % 60, 34 + seed[4] % 16
    return (
        f'<circle class="art-far" cx="{x}" cy="{y}" r="{r + 46}"/><circle class="art-mid" cx="{x}" cy="{y}" r="{r + 20}"/>'
        f'<circle class="art-near" cx="{x}" cy="{y}" r="{r - 8}"/>'
    )


def _hills(seed: bytes) -> str:
    a, b, c = 96 + seed[2] % 34, 84 + seed[3] % 44, 120 + seed[4] % 34
    return (
        f'<circle class="art-near" cx="{44 + seed[5] % 112}" cy="{48 + seed[6] % 16}" r="17"/>'
        f'<path class="art-far" d="M0 {a}Q50 {a - 48} 100 {b}T200 {a}V200H0Z"/>'
        f'<path class="art-mid" d="M0 {c}Q60 {c + 32} 110 {c - 8}T200 {c - 26}V200H0Z"/>'
    )


def _arches(seed: bytes) -> str:
    left, top = 44 + seed[2] % 22, 62 + seed[3] % 22
    return (
        f'<path class="art-far" d="M{left - 20} 200V{top + 20}a{76 - seed[4] % 12} {76 - seed[4] % 12} 0 0 1 {152 - 2 * (seed[4] % 12)} 0V200Z"/>'
        f'<path class="art-mid" d="M{left} 200V{top + 44}a50 50 0 0 1 100 0V200Z"/>'
        f'<path class="art-near" d="M{left + 24} 200V{top + 70}a26 26 0 0 1 52 0V200Z"/>'
    )


_MOTIFS = (_rings, _hills, _arches)


def sparkline(values: Sequence[float]) -> Markup:
    """The course of some values as a line of 100 by 28 units; decoration beside the number that it belongs to. Empty under two values."""
    if len(values) < 2:
        return Markup()
    low, high = min(values), max(values)
    span = (high - low) or 1
    points = [(i * 100 / (len(values) - 1), 25 - (value - low) * 22 / span) for i, value in enumerate(values)]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup(
        '<svg class="sparkline" viewBox="0 0 100 28" preserveAspectRatio="none" aria-hidden="true">'
        '<polygon points="0,28 {} 100,28"/><polyline points="{}"/></svg>'
    ).format(line, line)


def initials(name: str) -> str:
    """Up to two letters for an avatar: `Kim Åberg` gives `KÅ`."""
    words = [word for word in name.split() if word[:1].isalnum()]
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
