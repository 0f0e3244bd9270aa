"""Catalogue: what is sold, how it is described and found, and what it costs where.

The public face. `docs/concepts/catalogue.md` explains products, prices, the reference price and listings.
"""

from samlad.catalog.belonging import Belonging, belonging, unknown
from samlad.catalog.model import (
    Component,
    Product,
    ProductChange,
    ProductInput,
    ProductRow,
    ProductView,
    Sellable,
    Tracking,
    Variant,
    VariantInput,
    VariantRef,
)
from samlad.catalog.product_store import components_of, titles_of
from samlad.catalog.products import archive, change, change_variant, create, view, view_by_handle
from samlad.catalog.sellables import by_ids, by_skus, sellables, variant_by_code

__all__ = [
    "Belonging",
    "Component",
    "Product",
    "ProductChange",
    "ProductInput",
    "ProductRow",
    "ProductView",
    "Sellable",
    "Tracking",
    "Variant",
    "VariantInput",
    "VariantRef",
    "archive",
    "belonging",
    "by_ids",
    "by_skus",
    "change",
    "change_variant",
    "components_of",
    "create",
    "sellables",
    "titles_of",
    "unknown",
    "variant_by_code",
    "view",
    "view_by_handle",
]
