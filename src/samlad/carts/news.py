"""What has become of a line since its buyer was last told: said, not hidden."""

from samlad.carts.model import CartLine, LineNews
from samlad.catalog import Sellable

NOT_AVAILABLE, SHORT = "not-available", "short"


def problem_of(sellable: Sellable | None, available: int | None, quantity: int) -> str | None:
    """Why a line cannot be bought as it stands, or None. ``available`` is None where it is held."""
    if sellable is None or sellable.price is None or not sellable.is_available:
        return NOT_AVAILABLE
    return SHORT if available is not None and available < quantity else None


def news_of(line: CartLine, price: int, problem: str | None) -> list[LineNews]:
    """What differs from what the buyer of an open cart was last told."""
    news = [] if price == line.unit_price else [LineNews.PRICE]
    if problem != line.problem:
        news.append(LineNews.BACK if problem is None else LineNews(problem))
    return news
