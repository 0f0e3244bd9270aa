"""What a benchmark is, and what its figures must keep to."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

Figures = dict[str, Any]
"""Names and numbers; a name ends in its unit (``p99_ms``) unless it is a ratio or a count."""


class Bound(msgspec.Struct, frozen=True):
    """What one figure must keep to: at least and at most so much, both included."""

    figure: str
    least: float | None = None
    most: float | None = None

    def holds(self, figures: Figures) -> bool:
        """Whether the figure is there and within."""
        value = figures.get(self.figure)
        if value is None:
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.figure} = {self.least:g}"
        limits = (("≥", self.least), ("≤", self.most))
        return f"{self.figure} " + " and ".join(
            f"{sign} {limit:g}" for sign, limit in limits if limit is not None
        )


class Benchmark(msgspec.Struct, frozen=True):
    """One measurement: ``run`` starts all it needs, measures, and ends it again."""

    name: str
    summary: str
    bounds: tuple[Bound, ...]
    run: Callable[[], Awaitable[Figures]]

    def broken(self, figures: Figures) -> list[Bound]:
        """The bounds that the figures break."""
        return [bound for bound in self.bounds if not bound.holds(figures)]
