"""What of a line is taxed by a class of its own: of a set each of its parts, of anything else the whole line."""

from collections.abc import Sequence

import msgspec

from samlad import tax
from samlad.carts import set_prices
from samlad.carts.model import PriceStep
from samlad.catalog import Sellable
from samlad.kernel.money import worth
from samlad.tax import Amounts


class Piece(msgspec.Struct, frozen=True):
    """So many of something in a line, ``units`` in one of the line's. Amounts are minor units as the shop quotes them;
    ``quoted`` is left of price and quantity after the steps. ``sold`` is None for what is not in the catalogue (any more)."""

    sold: Sellable | None
    units: int
    unit_price: int
    at_list: int
    steps: list[PriceStep]
    quoted: int

    @property
    def home_rate(self) -> int:
        """The rate (basis points) that is in its price at home."""
        return self.sold.tax_rate if self.sold else 0


def pieces_of(
    sold: Sellable | None, price: int, quantity: int, taken: Sequence[PriceStep] = ()
) -> list[Piece]:
    """The pieces of a line at a price (minor units, as quoted), less steps. They come to exactly the line."""
    if sold is None or not sold.parts:
        at_list = worth(price, quantity, sold.sold_by.per if sold else 1)
        return [Piece(sold, 1, price, at_list, list(taken), at_list - sum(step.amount for step in taken))]
    found = []
    for share in set_prices.shares(
        price, quantity, [step.amount for step in taken], set_prices.own_prices(sold)
    ):
        steps = [
            msgspec.structs.replace(step, amount=amount)
            for step, amount in zip(taken, share.steps, strict=True)
        ]
        part, at_list = sold.parts[share.part].sold, share.unit_price * share.units * quantity
        found.append(Piece(part, share.units, share.unit_price, at_list, steps, share.quoted))
    return found


def at_home(
    sold: Sellable | None, price: int, quantity: int, taken: Sequence[PriceStep] = ()
) -> list[tuple[Piece, Amounts]]:
    """The same with what each piece comes to by the rates of the shop's own country."""
    included = sold.tax_included if sold else True
    found = pieces_of(sold, price, quantity, taken)
    sums = tax.reckon([tax.Taxable(each.quoted, each.home_rate, included) for each in found])
    return list(zip(found, sums, strict=True))
