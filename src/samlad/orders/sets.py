"""Sets in orders: a line of sets becomes lines of their parts, at prices that come to exactly the set's.

What the set costs is spread over its parts (`samlad.carts.set_prices`), so that tax, picking, shipping, returning, crediting and
costing are those of any goods, and each part gives back what was paid for it.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad import tax
from samlad.carts import PriceStep
from samlad.carts.set_prices import Share, own_prices, shares, weights
from samlad.catalog import Sellable
from samlad.kernel.money import allocate
from samlad.orders.model import OrderLine, SetOf
from samlad.tax import Taxable

Taxed = Mapping[str, Any]
"""How a line is taxed: its fields that say so, `tax_rate` among them."""


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """So many of a part in a line of sets (``units`` in one), at its share of what they cost. Minor units."""

    sold: Sellable
    units: int
    unit_price: int
    steps: Sequence[PriceStep]
    tax: int
    total: int
    taxed: Taxed


Parting = Callable[[OrderLine, Sellable], Sequence[Part]]
"""What makes the parts of a line of sets."""


def in_parts(
    lines: Iterable[tuple[OrderLine, Sellable | None]], parting: Parting, first: int = 1
) -> list[OrderLine]:
    """Lines with what they are of: those of sets as lines of their parts, all numbered anew from ``first``."""
    found: list[OrderLine] = []
    for line, sold in lines:
        position = first + len(found)
        if sold is None or not sold.parts:
            found.append(msgspec.structs.replace(line, position=position))
        else:
            found += _of_set(line, sold, parting(line, sold), position)
    return found


def named(line: OrderLine, sold: Sellable, first: int) -> list[OrderLine]:
    """The lines that a line becomes of which somebody says later that it was this set, all taxed as it was: the first where it
    stands, the others numbered from ``first``."""
    parts = _of_set(line, sold, as_told(line, sold), line.position)
    return [
        msgspec.structs.replace(each, position=line.position if place == 0 else first + place - 1)
        for place, each in enumerate(parts)
    ]


def as_told(line: OrderLine, sold: Sellable) -> list[Part]:
    """Parts that are all taxed as the line is, somebody else has said so; they come to exactly the line, its tax included."""
    found, paid = _shares(line, sold)
    taxes = allocate(line.tax, weights(paid, [each.quoted for each in found]))
    return _parts(line, sold, found, paid, taxes, [_taxed(line)] * len(found))


def taxed_by(how: Callable[[Sellable], Taxed]) -> Parting:
    """Parts that are each taxed by what they are. With tax in the prices they come to exactly the line; its tax is theirs."""

    def parting(line: OrderLine, sold: Sellable) -> list[Part]:
        found, paid = _shares(line, sold)
        taxed = [how(sold.parts[each.part].sold) for each in found]
        taxes = [0] * len(found)
        for rate in dict.fromkeys(each["tax_rate"] for each in taxed):  # rounded once a rate, as carts do it
            mine = [at for at, each in enumerate(taxed) if each["tax_rate"] == rate]
            quoted = [paid[at] for at in mine]
            (whole,) = tax.reckon([Taxable(sum(quoted), rate, line.tax_included)])
            for at, part in zip(mine, allocate(whole.tax, quoted), strict=True):
                taxes[at] = part
        return _parts(line, sold, found, paid, taxes, taxed)

    return parting


def as_told_by_rate(told: Mapping[int, tuple[int, int]], how: Callable[[Sellable], Taxed]) -> Parting:
    """Parts that come to what was told (tax, total with tax) of each rate. Where other rates were told than they have, nobody
    knows which part had which: then they are taxed by what they are, within what was paid for the line."""

    def parting(line: OrderLine, sold: Sellable) -> list[Part]:
        found = taxed_by(how)(line, sold)
        rates = [part.taxed["tax_rate"] for part in found]
        totals, taxes = [0] * len(found), [0] * len(found)
        agree = told.keys() == set(rates) and sum(total for _tax, total in told.values()) == line.total
        if not agree:
            totals = allocate(line.total, weights([part.total for part in found], [1] * len(found)))
        for rate in dict.fromkeys(rates):
            mine = [at for at, each in enumerate(rates) if each == rate]
            if agree:
                borne, whole = told[rate]
                split = allocate(whole, weights([found[at].total for at in mine], [1] * len(mine)))
                for at, total in zip(mine, split, strict=True):
                    totals[at] = total
            else:
                borne = tax.amounts(sum(totals[at] for at in mine), 1, rate, tax_included=True).tax
            for at, part in zip(mine, allocate(borne, [totals[at] for at in mine]), strict=True):
                taxes[at] = part
        return [
            msgspec.structs.replace(part, tax=tax_of_it, total=total)
            for part, tax_of_it, total in zip(found, taxes, totals, strict=True)
        ]

    return parting


def _shares(line: OrderLine, sold: Sellable) -> tuple[list[Share], list[int]]:
    """The shares of a line's parts, and what was paid for each as quoted: what was agreed elsewhere, or at a till on its
    own, need not follow from its price."""
    found = shares(
        line.unit_price, line.quantity, [step.amount for step in line.reductions], own_prices(sold)
    )
    quoted = [each.quoted for each in found]
    paid = line.total if line.tax_included else line.total - line.tax
    if paid == sum(quoted):
        return found, quoted
    at_list = [each.unit_price * each.units * line.quantity for each in found]
    return found, allocate(paid, weights(quoted, at_list))


def _taxed(line: OrderLine) -> Taxed:
    return {
        name: getattr(line, name)
        for name in ("tax_rate", "tax_category", "tax_treatment", "tax_country", "tax_note")
    }


def _parts(
    line: OrderLine,
    sold: Sellable,
    found: Sequence[Share],
    paid: Sequence[int],
    taxes: Sequence[int],
    taxed: Sequence[Taxed],
) -> list[Part]:
    return [
        Part(
            sold=sold.parts[each.part].sold,
            units=each.units,
            unit_price=each.unit_price,
            steps=[
                msgspec.structs.replace(step, amount=amount)
                for step, amount in zip(line.reductions, each.steps, strict=True)
            ],
            tax=tax_of_it,
            total=amount if line.tax_included else amount + tax_of_it,
            taxed=how,
        )
        for each, amount, tax_of_it, how in zip(found, paid, taxes, taxed, strict=True)
    ]


def _of_set(line: OrderLine, sold: Sellable, parts: Sequence[Part], first: int) -> list[OrderLine]:
    set_of = SetOf(
        group=first,
        variant=sold.variant,
        sku=line.sku or sold.sku,
        title=line.title,
        options=line.options,
        quantity=line.quantity,
    )
    return [
        msgspec.structs.replace(
            line,
            position=first + place,
            variant=part.sold.variant,
            sku=part.sold.sku,
            title=part.sold.title,
            options=part.sold.options,
            quantity=part.units * line.quantity,
            fulfilled=part.units * line.fulfilled,
            unit_price=part.unit_price,
            tax=part.tax,
            total=part.total,
            reductions=[step for step in part.steps if step.amount],
            gift_note=None if place else line.gift_note,
            set_of=set_of,
            **part.taxed,
        )
        for place, part in enumerate(parts)
    ]


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
