"""Catalogue: what is sold, how it is described and found, and what it costs where.

The public face. `docs/concepts/catalogue.md` explains products, prices, the reference price and listings.
"""

from samlad.catalog.model import Sellable, VariantRef
from samlad.catalog.sellables import by_ids, by_skus, sellables, variant_by_code

__all__ = ["Sellable", "VariantRef", "by_ids", "by_skus", "sellables", "variant_by_code"]
