"""Sets in orders: a line of sets becomes lines of their parts, at prices that come to exactly the set's.

What the set costs is spread over its parts as they cost on their own (evenly where nobody knows that), so that picking, shipping,
returning, crediting and costing are those of any goods, and each part gives back what was paid for it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from samlad.catalog import Sellable
from samlad.kernel.money import allocate
from samlad.orders.model import OrderLine, SetOf


def in_parts(lines: Iterable[tuple[OrderLine, Sellable | None]], first: int = 1) -> list[OrderLine]:
    """Lines with what they are of: those of sets as lines of their parts, all numbered anew from ``first``.

    Totals, tax and each step of the reductions of the parts come to exactly those of the line that was given.
    """
    found: list[OrderLine] = []
    for line, sold in lines:
        position = first + len(found)
        if sold is None or not sold.parts:
            found.append(msgspec.structs.replace(line, position=position))
        else:
            found += _parts(line, sold, position)
    return found


def parts_of_sets(lines: Sequence[OrderLine]) -> dict[UUID, dict[UUID, int]]:
    """Of each set that an order has lines of: how many of which parts were in one, as it was bought."""
    units: dict[tuple[UUID, int], Counter[UUID]] = {}
    for line in lines:
        if line.set_of is not None and line.variant is not None:
            key = line.set_of.variant, line.set_of.group
            units.setdefault(key, Counter())[line.variant] += line.quantity
    sizes = {(line.set_of.variant, line.set_of.group): line.set_of.quantity for line in lines if line.set_of}
    return {
        key[0]: {part: count // sizes[key] for part, count in of.items()}
        for key, of in sorted(units.items(), key=lambda item: -item[0][1])
    }


def as_sold(lines: Iterable[OrderLine]) -> list[list[tuple[int, int]]]:
    """The lines of a sale as they were rung up: for each the positions of what it became, and how many of that for one."""
    found: list[list[tuple[int, int]]] = []
    group = None
    for line in lines:
        before, group = group, line.set_of.group if line.set_of else None
        if line.set_of is None:
            found.append([(line.position, 1)])
            continue
        if group != before:
            found.append([])
        found[-1].append((line.position, line.quantity // line.set_of.quantity))
    return found


def digital(sold: Iterable[Sellable]) -> set[UUID]:
    """What of it are no things to be sent; of sets their parts."""
    every = [each for whole in sold for each in ([part.sold for part in whole.parts] or [whole])]
    return {each.variant for each in every if not each.requires_shipping}


def _parts(line: OrderLine, sold: Sellable, first: int) -> list[OrderLine]:
    set_of = SetOf(
        group=first,
        variant=sold.variant,
        sku=line.sku or sold.sku,
        title=line.title,
        options=line.options,
        quantity=line.quantity,
    )
    prices = part_prices(line.unit_price, [(part.sold.price or 0, part.quantity) for part in sold.parts])
    at_list = [price * units * line.quantity for _index, price, units in prices]
    steps = _steps([step.amount for step in line.reductions], at_list)
    quoted = [amount - sum(each) for amount, each in zip(at_list, steps, strict=True)]
    # What was agreed elsewhere, or at a till on its own, need not follow from its price.
    paid_for = line.total if line.tax_included else line.total - line.tax
    if paid_for != sum(quoted):
        quoted = allocate(paid_for, _weights(quoted, at_list))
    taxes = allocate(line.tax, _weights(quoted, at_list))
    made = []
    for place, ((index, price, units), mine, paid, tax) in enumerate(
        zip(prices, steps, quoted, taxes, strict=True)
    ):
        part = sold.parts[index].sold
        made.append(
            msgspec.structs.replace(
                line,
                position=first + place,
                variant=part.variant,
                sku=part.sku,
                title=part.title,
                options=part.options,
                quantity=units * line.quantity,
                fulfilled=units * line.fulfilled,
                unit_price=price,
                tax=tax,
                total=paid if line.tax_included else paid + tax,
                reductions=[
                    msgspec.structs.replace(step, amount=amount)
                    for step, amount in zip(line.reductions, mine, strict=True)
                    if amount
                ],
                gift_note=None if place else line.gift_note,
                set_of=set_of,
            )
        )
    return made


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


def _steps(amounts: Sequence[int], at_list: Sequence[int]) -> list[list[int]]:
    """What each step takes off each line: in proportion to what the steps before it have left, so that none goes below 0."""
    left = list(at_list)
    found: list[list[int]] = [[] for _ in at_list]
    for amount in amounts:
        for index, part in enumerate(allocate(amount, _weights(left, at_list))):
            found[index].append(part)
            left[index] -= part
    return found


def _weights(weights: Sequence[int], otherwise: Sequence[int]) -> list[int]:
    """Weights that say something: where all are 0, others; where those are, too, evenly."""
    return next((list(each) for each in (weights, otherwise) if any(each)), [1] * len(weights))
