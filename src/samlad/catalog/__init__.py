"""Catalogue: what is sold, how it is described and found, and what it costs where.

The public face. `docs/concepts/catalogue.md` explains products, prices, the reference price and listings.
"""

from samlad.catalog import measures
from samlad.catalog.belonging import Belonging, belonging, unknown
from samlad.catalog.model import (
    Codes,
    Component,
    Measure,
    Product,
    ProductChange,
    ProductInput,
    ProductRow,
    ProductView,
    Sellable,
    SetPart,
    Tracking,
    Variant,
    VariantInput,
    VariantRef,
)
from samlad.catalog.naming import Named, names_in
from samlad.catalog.product_store import components_of, measured, titles_of
from samlad.catalog.products import archive, change, change_variant, create, view, view_by_handle
from samlad.catalog.sellables import (
    by_ids,
    by_skus,
    called_now,
    codes_of,
    language_of,
    page_of_codes,
    sellables,
    variant_by_code,
    variants_of_products,
)

__all__ = [
    "Belonging",
    "Codes",
    "Component",
    "Measure",
    "Named",
    "Product",
    "ProductChange",
    "ProductInput",
    "ProductRow",
    "ProductView",
    "Sellable",
    "SetPart",
    "Tracking",
    "Variant",
    "VariantInput",
    "VariantRef",
    "archive",
    "belonging",
    "by_ids",
    "by_skus",
    "called_now",
    "change",
    "change_variant",
    "codes_of",
    "components_of",
    "create",
    "language_of",
    "measured",
    "measures",
    "names_in",
    "page_of_codes",
    "sellables",
    "titles_of",
    "unknown",
    "variant_by_code",
    "variants_of_products",
    "view",
    "view_by_handle",
]
