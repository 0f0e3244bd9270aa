"""Which size is right, as pure functions that can say why."""

from collections.abc import Mapping, Sequence

from samlad.catalog.model import Option
from samlad.catalog.size_charts import SizeChart
from samlad.recommendations.model import SizeAdvice, Tried

TOO_SMALL, TOO_LARGE = "too_small", "too_large"
"""Reasons of returns, as `samlad.orders.return_reasons` names them."""


_NAMES = ("size", "storlek", "maat", "grösse", "größe", "taille")


def size_option(options: Sequence[Option], sizes: Sequence[str]) -> Option | None:
    """The option of a product that is its size: the one with most values of the chart, without a chart by its name."""
    fitting = max(options, key=lambda option: len({*option.values} & {*sizes}), default=None)
    if fitting is not None and {*fitting.values} & {*sizes}:
        return fitting
    return next((option for option in options if option.name.casefold() in _NAMES), None)


def advise(
    tried: Sequence[Tried], sizes: Sequence[str], *, brand: str | None, category: str | None
) -> SizeAdvice | None:
    """The size of ``sizes`` (smallest first) that what somebody had before speaks for; None when nothing does.

    What they had of the same brand and kind says most, then of the same brand, then of the same kind. What was kept most
    is right, of equals the latest; where everything was sent back as too small, the next size is, and the other way round.
    """
    known = [each for each in tried if each.size in sizes]
    same_kind = [each for each in known if category is not None and each.category == category]
    groups = [
        (brand, [each for each in same_kind if each.brand == brand]),
        (brand, [each for each in known if each.brand == brand]),
        (None, same_kind),
    ]
    for of_brand, group in groups if brand is not None else groups[2:]:
        found = _of(group, sizes)
        if found is not None:
            size, basis, had = found
            return SizeAdvice(size=size, basis=basis, tried=had, brand=of_brand)  # type: ignore[arg-type]
    return None


def _of(group: Sequence[Tried], sizes: Sequence[str]) -> tuple[str, str, str] | None:
    kept = [each for each in group if each.kept > 0]
    if kept:
        numbers = {size: sum(each.kept for each in kept if each.size == size) for size in sizes}
        latest = {each.size: each.at for each in sorted(kept, key=lambda each: each.at)}
        best = max(latest, key=lambda size: (numbers[size], latest[size]))
        return best, "kept", best
    small = [sizes.index(each.size) for each in group if TOO_SMALL in each.reasons]
    large = [sizes.index(each.size) for each in group if TOO_LARGE in each.reasons]
    above = max(small) + 1 if small else None
    below = min(large) - 1 if large else None
    if above is not None and above < len(sizes) and (below is None or above <= below):
        return sizes[above], "larger", sizes[above - 1]
    if below is not None and below >= 0 and above is None:
        return sizes[below], "smaller", sizes[below + 1]
    return None


def by_measures(chart: SizeChart, measures: Mapping[str, float]) -> SizeAdvice | None:
    """The smallest size of a chart into which all measures go, in its unit; None when they are beyond it, or none is known.

    The chart's rows go from small to large. Where a measure lies between two sizes the larger one is taken, because what is
    a little wide can be worn. ``measure`` is the one that asks for the largest size.
    """
    places = {
        name: place
        for name, place in ((name, _place(chart, name, value)) for name, value in measures.items())
        if place is not None
    }
    if not places:
        return None
    measure = max(places, key=lambda name: places[name][0])
    row, is_inside = places[measure]
    if row >= len(chart.rows):
        return None
    basis = "measured" if is_inside else "between"
    return SizeAdvice(size=chart.rows[row].size, basis=basis, measure=measure)  # type: ignore[arg-type]


def _place(chart: SizeChart, measure: str, value: float) -> tuple[int, bool] | None:
    """The first row that a value goes into, and whether it lies in its span; one beyond the last when it is too large."""
    if measure not in chart.measures:
        return None
    column = chart.measures.index(measure)
    spans = [(at, row.values[column]) for at, row in enumerate(chart.rows)]
    known = [(at, span) for at, span in spans if span is not None]
    if not known:
        return None
    if value < known[0][1][0] and len(known[0][1]) == 2:
        return known[0][0], False
    for at, span in known:
        if value <= span[-1]:
            return at, len(span) == 1 or value >= span[0]
    return len(chart.rows), False
