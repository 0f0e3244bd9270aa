"""A line as it is quoted and taxed where the goods go: each piece of it (of a set each part) by its own class."""

from collections.abc import Callable, Sequence

import msgspec

from samlad import tax
from samlad.carts.model import PriceStep
from samlad.carts.pieces import Piece, pieces_of
from samlad.catalog import Sellable
from samlad.channels import Channel
from samlad.kernel.money import allocate, worth
from samlad.tax import Amounts, Decision, Taxable


class TaxedPart(msgspec.Struct, frozen=True):
    """So many of a part of a set (``units`` in one) with its tax; price and steps as quoted where the goods go."""

    sold: Sellable
    units: int
    unit_price: int
    steps: list[PriceStep]
    amounts: Amounts
    decision: Decision


class TaxedLine(msgspec.Struct, frozen=True):
    """A line with its tax. Price and steps are as quoted where the goods go.

    ``taxes``: what it comes to by each way in which something of it is taxed; they add up to ``amounts``. ``decision`` is the one
    of the largest part. ``parts``: of a set what it is made of, which comes to exactly the line.
    """

    unit_price: int
    price_before: int
    steps: list[PriceStep]
    amounts: Amounts
    decision: Decision
    taxes: Sequence[tuple[Decision, Amounts]]
    parts: Sequence[TaxedPart] = ()


class Moved(msgspec.Struct, frozen=True):
    """A piece as it is quoted where the goods go."""

    piece: Piece
    unit_price: int
    steps: list[PriceStep]
    quoted: int
    decision: Decision


class QuotedLine(msgspec.Struct, frozen=True):
    """A line as it is quoted where the goods go, before its tax. ``ways`` are those in which something of it is taxed, each once,
    ``taxables`` what is taxed in each of them."""

    is_set: bool
    included: bool
    unit_price: int
    price_before: int
    pieces: list[Moved]
    ways: list[Decision]
    taxables: list[Taxable]


def quoted(
    sold: Sellable | None,
    prices: tuple[int, int],
    quantity: int,
    taken: Sequence[PriceStep],
    channel: Channel,
    decide: Callable[[Sellable | None], Decision],
) -> QuotedLine:
    """A line from its (price, price before), less steps, all as the shop quotes them. ``decide`` says how a thing is taxed."""
    included = sold.tax_included if sold else True

    def to_rate(piece: Piece) -> int:
        home = piece.home_rate
        return quoted_rate(channel, decide(piece.sold), home) if included else home

    def there(price: int) -> int:
        return sum(
            tax.moved(each.unit_price, each.home_rate, to_rate(each)) * each.units
            for each in pieces_of(sold, price, quantity)
        )

    moved = []
    for piece in pieces_of(sold, prices[0], quantity, taken):
        home, to = piece.home_rate, to_rate(piece)
        unit = tax.moved(piece.unit_price, home, to)
        per = piece.sold.sold_by.per if piece.sold else 1
        whole = worth(unit, quantity * piece.units, per)
        steps = moved_steps(piece.steps, piece.at_list, whole, home, to)
        left = whole - sum(step.amount for step in steps)
        moved.append(Moved(piece, unit, steps, left, decide(piece.sold)))
    now = sum(each.unit_price * each.piece.units for each in moved)
    sums: dict[Decision, int] = {}
    for each in moved:
        sums[each.decision] = sums.get(each.decision, 0) + each.quoted
    return QuotedLine(
        is_set=sold is not None and bool(sold.parts),
        included=included,
        unit_price=now,
        price_before=now if prices[0] == prices[1] else there(prices[1]),
        pieces=moved,
        ways=list(sums),
        taxables=[Taxable(amount, way.rate, included) for way, amount in sums.items()],
    )


def with_tax(line: QuotedLine, amounts: Sequence[Amounts]) -> TaxedLine:
    """A line from what each of its ways comes to; of a set each way's tax is shared among the parts that are taxed so."""
    taxes = list(zip(line.ways, amounts, strict=True))
    steps = [
        msgspec.structs.replace(step, amount=sum(each.steps[index].amount for each in line.pieces))
        for index, step in enumerate(line.pieces[0].steps)
    ]
    return TaxedLine(
        unit_price=line.unit_price,
        price_before=line.price_before,
        steps=steps,
        amounts=tax.added(amounts),
        decision=max(taxes, key=lambda each: each[1].total)[0],
        taxes=taxes,
        parts=_parts(line, taxes) if line.is_set else (),
    )


def _parts(line: QuotedLine, taxes: Sequence[tuple[Decision, Amounts]]) -> list[TaxedPart]:
    borne = {
        way: iter(allocate(amount.tax, [each.quoted for each in line.pieces if each.decision == way]))
        for way, amount in taxes
    }
    found = []
    for each in line.pieces:
        assert each.piece.sold is not None, "a part is known"
        amounts = tax.with_tax(each.quoted, next(borne[each.decision]), included=line.included)
        found.append(
            TaxedPart(each.piece.sold, each.piece.units, each.unit_price, each.steps, amounts, each.decision)
        )
    return found


def quoted_rate(channel: Channel, decision: Decision, home: int) -> int:
    """The rate that is in prices as they are shown: that at home, or where net prices stay the one that is due.

    What is taxed at home is quoted as it is, whatever the rate was on another day.
    """
    is_at_home = decision.country == channel.country and decision.rate > 0
    keeps_net = tax.keeps_net(channel.setting("tax_foreign_price"), decision.rate)
    return decision.rate if keeps_net and not is_at_home else home


def moved_steps(taken: list[PriceStep], price: int, there: int, home: int, to: int) -> list[PriceStep]:
    """Steps as they are quoted where the goods go: what was free stays free, and nothing goes below that."""
    if home == to or not taken:
        return taken
    amounts = [step.amount for step in taken]
    off = there if sum(amounts) >= price else min(there, tax.moved(sum(amounts), home, to))
    return [
        msgspec.structs.replace(step, amount=amount)
        for step, amount in zip(taken, allocate(off, amounts), strict=True)
    ]
