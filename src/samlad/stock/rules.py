"""Decisions about stock that need no database."""

from collections.abc import Iterable

from samlad.stock.model import Level, Promise


def promise(levels: Iterable[Level], buffer: int) -> list[Promise]:
    """What a channel may sell of each variant: free units over its locations minus the buffer, never below 0.

    A location that owes units (more held than on hand) has none to give; it does not take from the others.
    """
    by_variant: dict[object, list[Level]] = {}
    for level in levels:
        by_variant.setdefault(level.variant, []).append(level)
    return [_promise(group, buffer) for group in by_variant.values()]


def _promise(levels: list[Level], buffer: int) -> Promise:
    free = sum(level.available for level in levels)
    backorder = sum(level.backorder_limit - max(0, level.held - level.on_hand) for level in levels)
    return Promise(
        variant=levels[0].variant,
        available=max(0, free - buffer),
        # The buffer is kept back from all that may be sold, so what free units cannot bear comes off the backorder.
        backorder=max(0, backorder - max(0, buffer - free)),
        on_hand=sum(level.on_hand for level in levels),
        held=sum(level.held for level in levels),
        buffer=buffer,
        locations=levels,
    )
