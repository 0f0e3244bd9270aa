"""What lies on the shelves on the demo's first day, told from what sold in the last 13 weeks of the file.

No chance is involved: a fast seller has weeks of cover, a slow one a handful, what no longer sells is gone, and each
store lacks a different fifth of its range, so that "not here, but in Seattle" can be shown.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from samlad.demo.records import ProductRecord
from samlad.demo.stores import StoreRecord

WAREHOUSE = "web-warehouse"
"""The code of the location that serves the webshop."""

_WEEKS = 13  # of sales behind `VariantRecord.recent_units`


class StockLine(NamedTuple):
    """Units on hand of a stock code at a location: a store's code or `WAREHOUSE`."""

    location: str
    sku: str
    quantity: int


def opening_stock(stores: Iterable[StoreRecord], products: Iterable[ProductRecord]) -> Iterator[StockLine]:
    """The warehouse first with every code (0 where it is sold out), then each store with its own range.

    Codes are ranked by units sold recently. The warehouse has eight weeks of sales of the first fifth, three of the
    next third, half a week of the others that still sell (low) and none of those that do not. A store carries the
    first 40 % of those that sell, one of five taken out, with a fortieth of a week's sales, at least 2.
    """
    sold = [(variant.recent_units, variant.sku) for product in products for variant in product.variants]
    ranked = sorted(sold, key=lambda each: (-each[0], each[1]))
    selling = sum(units > 0 for units, _ in ranked)
    for rank, (units, sku) in enumerate(ranked):
        yield StockLine(WAREHOUSE, sku, _cover(units, rank / selling))
    for place, store in enumerate(stores):
        for rank, (units, sku) in enumerate(ranked[: selling * 2 // 5]):
            if (rank + place) % 5:
                yield StockLine(store.code, sku, max(2, units // (_WEEKS * 40)))


def _cover(units: int, share: float) -> int:
    """Units for the weeks of sales that a code at this share of the ranking gets, rounded up."""
    if units <= 0:
        return 0
    half_weeks = 16 if share < 0.2 else 6 if share < 0.53 else 1
    return -(-units * half_weeks // (2 * _WEEKS))
