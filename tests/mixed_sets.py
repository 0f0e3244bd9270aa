"""A set whose parts are taxed at three rates, for the tests of all who sell, book, print and take back sets."""

from datetime import date
from uuid import UUID

from samlad.orders import Order
from samlad.stock import Location
from samlad.tax import service
from samlad.tax.model import TaxRateInput
from trade import Trade


async def breakfast(trade: Trade, price: int = 30_000, at: Location | None = None) -> list[UUID]:
    """A box of a jam (12 %), a book (6 %) and two bowls (25 %), which cost 40,000 apart: [set, jam, book, bowl]."""
    data = TaxRateInput(
        country="SE", tax_class="food", rate_bp=1_200, valid_from=date(2020, 1, 1), name="Own", channel="web"
    )
    await trade.db.transaction(lambda tx: service.create_rate(tx, data))
    jam = await classed(trade, 5_000, "food", at)
    book = await classed(trade, 20_000, "books", at)
    bowl = await classed(trade, 7_500, "standard", at)
    return [await trade.set_of(price, (jam, 1), (book, 1), (bowl, 2), title="Breakfast"), jam, book, bowl]


async def classed(trade: Trade, price: int, tax_class: str, at: Location | None = None) -> UUID:
    """Twenty of something of a tax class."""
    variant = await trade.kettle(price, 20, at)
    await trade.db.rows(
        "UPDATE product SET tax_class = $2 WHERE id = (SELECT product FROM variant WHERE id = $1) RETURNING 1",
        variant,
        tax_class,
    )
    return variant


def by_rate(order: Order) -> dict[int, tuple[int, int]]:
    """What an order comes to by rate: total and tax."""
    found: dict[int, tuple[int, int]] = {}
    for line in order.lines:
        total, borne = found.get(line.tax_rate, (0, 0))
        found[line.tax_rate] = total + line.total, borne + line.tax
    return found
