"""What parts of a set cost of what the set does, decided without a database and exact to the minor unit.

The price of a set, and each step that is taken off it, is spread over its parts as they cost on their own (evenly where nobody
knows that): so each part can be taxed by its own class, sent and given back like any other goods.
`faces/pos/static/rules/sets.js` is the same for tills; vectors hold the two to one answer.
"""

from collections.abc import Iterable, Sequence

import msgspec

from samlad.catalog import Sellable
from samlad.kernel.money import allocate


class Share(msgspec.Struct, frozen=True):
    """So many of a part, at one price, of a line of sets. ``units`` are those in one set; amounts are minor units as quoted.

    ``steps`` is what each of the line's steps takes off here; ``quoted`` is left of all of them.
    """

    part: int
    unit_price: int
    units: int
    steps: list[int]
    quoted: int


def shares(price: int, quantity: int, taken: Sequence[int], parts: Sequence[tuple[int, int]]) -> list[Share]:
    """A line of sets at a price, less steps, as its parts: (own price, how many in one) of each.

    Prices, steps and what is left of them come to exactly those of the line.
    """
    prices = part_prices(price, parts)
    at_list = [each * units * quantity for _index, each, units in prices]
    steps = _spread(taken, at_list)
    return [
        Share(index, each, units, mine, whole - sum(mine))
        for (index, each, units), mine, whole in zip(prices, steps, at_list, strict=True)
    ]


def own_prices(sold: Sellable) -> list[tuple[int, int]]:
    """What the parts of a set cost on their own (0: nobody knows), and how many of each are in one."""
    return [(part.sold.price or 0, part.quantity) for part in sold.parts]


def part_prices(price: int, parts: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Prices (minor units) of the parts of one set at a price, from (own price, how many in the set) of each.

    Answers (index of the part, price of each, how many of them at that), which come to exactly the price: in proportion to
    what the parts cost apart, each unit of a part at one price. Where the cents do not come out even, parts that are single
    bear the difference, then whole parts, and at last some units of one part, which is answered twice then.
    """
    own = [each * quantity for each, quantity in parts]
    weights = own if all(own) else [quantity for _each, quantity in parts]
    prices = [
        amount // quantity for amount, (_each, quantity) in zip(allocate(price, weights), parts, strict=True)
    ]
    rest = price - sum(each * quantity for each, (_own, quantity) in zip(prices, parts, strict=True))
    dearest = sorted(range(len(parts)), key=lambda index: (-weights[index], index))
    single = next((index for index in dearest if parts[index][1] == 1), None)
    if single is not None:
        prices[single] += rest
        rest = 0
    fewest = min(range(len(parts)), key=lambda index: parts[index][1])
    while rest >= parts[fewest][1]:
        for index in sorted(dearest, key=lambda index: -parts[index][1]):
            if parts[index][1] <= rest:
                prices[index] += 1
                rest -= parts[index][1]
    found = [(index, prices[index], quantity) for index, (_own, quantity) in enumerate(parts)]
    if rest:
        price_each, quantity = prices[fewest], parts[fewest][1]
        found[fewest : fewest + 1] = [(fewest, price_each + 1, rest), (fewest, price_each, quantity - rest)]
    return found


def _spread(amounts: Iterable[int], at_list: Sequence[int]) -> list[list[int]]:
    """What each step takes off each share: in proportion to what the steps before it have left, so that none goes below 0."""
    left = list(at_list)
    found: list[list[int]] = [[] for _ in at_list]
    for amount in amounts:
        for index, part in enumerate(allocate(amount, weights(left, at_list))):
            found[index].append(part)
            left[index] -= part
    return found


def weights(first: Sequence[int], otherwise: Sequence[int]) -> list[int]:
    """Weights that say something: where all are 0, others; where those are, too, evenly."""
    return next((list(each) for each in (first, otherwise) if any(each)), [1] * len(first))
