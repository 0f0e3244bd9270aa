"""What delivery costs with its tax: shared among the goods that are sent by what they come to, each part taxed as they are.

It is supplied with all of them and with none alone (docs/decisions/tax.md).
"""

from collections.abc import Sequence

import msgspec

from samlad import tax
from samlad.carts.model import PriceStep
from samlad.carts.quoting import moved_steps, quoted_rate
from samlad.channels import Channel
from samlad.kernel.money import allocate
from samlad.tax import Amounts, Category, Decision, Taxable, Treatment

UNKNOWN = Decision(rate=0, category=Category.OUTSIDE, treatment=Treatment.OUTSIDE, country=None)
"""Of what is not in the catalogue (any more): it cannot be bought as it stands."""


class Sent(msgspec.Struct, frozen=True):
    """Goods that are sent: the rate that is in their prices at home, how they are taxed, what they come to (minor units)."""

    home_rate: int
    decision: Decision
    total: int


class Parcel(msgspec.Struct, frozen=True):
    """A part of what delivery costs, as quoted where the goods go: before ``steps``, and ``left`` after them."""

    price: int
    steps: list[PriceStep]
    left: int
    decision: Decision


class TaxedParcel(msgspec.Struct, frozen=True):
    """A part of what delivery costs with its tax; price before steps."""

    price: int
    steps: list[PriceStep]
    amounts: Amounts
    decision: Decision


def shared(channel: Channel, goods: Sequence[Sent], price: int, steps: Sequence[PriceStep]) -> list[Parcel]:
    """A price of delivery and what promotions take off it (as the shop quotes them), by each way in which goods are taxed; the
    largest part first."""
    included = bool(channel.setting("prices_include_tax"))
    sums: dict[tuple[int, Decision], int] = {}
    for each in goods or [Sent(0, UNKNOWN, 0)]:
        way = (each.home_rate, each.decision)
        sums[way] = sums.get(way, 0) + each.total
    ways = sorted(sums, key=lambda way: (-sums[way], -way[1].rate, msgspec.json.encode(way)))
    weights = [sums[way] for way in ways]
    off = [allocate(step.amount, weights) for step in steps]
    left = allocate(max(0, price - sum(step.amount for step in steps)), weights)
    found: dict[Decision, Parcel] = {}
    for index, (home, decision) in enumerate(ways):
        taken = [
            msgspec.structs.replace(step, amount=part[index]) for step, part in zip(steps, off, strict=True)
        ]
        before = left[index] + sum(step.amount for step in taken)
        to = quoted_rate(channel, decision, home) if included else home
        there = tax.moved(before, home, to)
        taken = moved_steps(taken, before, there, home, to)
        rest = max(0, there - sum(step.amount for step in taken))
        part = Parcel(there, taken, rest, decision)
        found[decision] = _together(found[decision], part) if decision in found else part
    return list(found.values())


def _together(one: Parcel, other: Parcel) -> Parcel:
    return Parcel(
        one.price + other.price, added([one.steps, other.steps]), one.left + other.left, one.decision
    )


def added(steps: Sequence[Sequence[PriceStep]]) -> list[PriceStep]:
    """The same steps of several parts, with what they come to together."""
    return [
        msgspec.structs.replace(same[0], amount=sum(step.amount for step in same))
        for same in zip(*steps, strict=True)
    ]


def taxables(parts: Sequence[Parcel], channel: Channel) -> list[Taxable]:
    """What of them is taxed."""
    included = bool(channel.setting("prices_include_tax"))
    return [Taxable(part.left, part.decision.rate, included) for part in parts]
