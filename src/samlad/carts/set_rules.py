"""Sets in a cart, decided without a database: what is held for lines are their parts, added up over all lines."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import msgspec

from samlad.carts.model import CartLine
from samlad.catalog import Sellable
from samlad.stock import ShortLine


def with_parts(lines: Iterable[CartLine], sellables: Mapping[UUID, Sellable]) -> list[CartLine]:
    """Lines with the parts that their variants have now; of what is not sold here they stay what they were."""
    return [
        msgspec.structs.replace(line, parts=parts_of(sellables[line.variant]))
        if line.variant in sellables
        else line
        for line in lines
    ]


def parts_of(sold: Sellable) -> dict[UUID, int] | None:
    """How many of which parts are in one; None: it is no set."""
    return {part.sold.variant: part.quantity for part in sold.parts} or None


def units_of(line: CartLine) -> dict[UUID, int]:
    """What stock has to give for a line, by variant."""
    if line.parts is None:
        return {line.variant: line.quantity}
    return {part: each * line.quantity for part, each in line.parts.items()}


def demand(lines: Iterable[CartLine]) -> Counter[UUID]:
    """What stock has to give for all lines, by variant: a set and one of its parts alone add up."""
    wanted: Counter[UUID] = Counter()
    for line in lines:
        wanted.update(units_of(line))
    return wanted


def possible(lines: Sequence[CartLine], free: Mapping[UUID, int]) -> dict[UUID, int]:
    """How much of each line's variant could be had beside the other lines, of what is free by variant."""
    wanted = demand(lines)
    found = {}
    for line in lines:
        mine = units_of(line)
        each = line.parts or {line.variant: 1}
        found[line.variant] = min(
            max(0, free.get(part, 0) - (wanted[part] - mine[part])) // quantity
            for part, quantity in each.items()
        )
    return found


def of_lines(
    lines: Sequence[CartLine], short: Sequence[ShortLine], strict: Collection[UUID] | None = None
) -> list[ShortLine]:
    """What is short of stock, said of the lines that want it: of a set how many of it can be had.

    Where several lines want the same and only some of them must be had (``strict``), those are named.
    """
    found: dict[UUID, ShortLine] = {}
    for each in short:
        wanting = [line for line in lines if each.variant in units_of(line)]
        named = [line for line in wanting if strict is None or line.variant in strict] or wanting
        if all(line.parts is None for line in named):
            found.setdefault(each.variant, each)
            continue
        lacking = each.wanted - each.available
        for line in named:
            less = -(-lacking // (line.parts or {}).get(each.variant, 1))
            there = max(0, line.quantity - less)
            if line.variant not in found or found[line.variant].available > there:
                found[line.variant] = ShortLine(line.variant, line.quantity, there)
    return list(found.values())
