"""What the demo's source files become before any database sees them.

These records are the border between *reading foreign data* (this package's pure half) and *importing it* (the
verbs of catalog, customers, stock and orders). They are frozen: a record states what the file says and is never
corrected afterwards. Money is integer pence (minor units of GBP), times are aware UTC, days are days in the UK.
"""

from datetime import date
from typing import Literal

from msgspec import Struct

from samlad.orders.import_model import OrderInput, OrderLineInput

LineKind = Literal["item", "shipping", "fee", "discount", "adjustment"]
OrderRecord = OrderInput
"""One invoice, as `samlad import orders` takes it: nothing is translated on the way into the shop."""
OrderLine = OrderLineInput
"""One line of an invoice, signs as in the file: what comes back or is credited is negative."""


class CategoryRecord(Struct, frozen=True, kw_only=True):
    """A node of the category tree. `parent` is the slug of another node, None for a root."""

    slug: str
    name: str
    parent: str | None


class VariantRecord(Struct, frozen=True, kw_only=True):
    """One stock code, the thing that is priced, counted and sold.

    `option_value` is None only for the single variant of a product without options. `price_minor` is pence with
    20 % UK VAT included. `units_sold` and `recent_units` are net of cancellations, over the whole file and over
    its last 91 days; they may be negative for a code that only came back.
    """

    sku: str
    title: str
    option_value: str | None
    price_minor: int
    colour: str | None
    material: str | None
    pieces: int | None
    first_sold: date
    last_sold: date
    units_sold: int
    recent_units: int


class ProductRecord(Struct, frozen=True, kw_only=True):
    """A product with one variant, or with several that differ in one option.

    `handle` is unique over the catalogue and good for a URL. `option_name` is "Colour" or "Style" where the
    descriptions show what differs, "Variant" where only the code's letter does, None without options.
    `category` is the slug of a `CategoryRecord`.
    """

    handle: str
    code: str
    title: str
    category: str
    tags: tuple[str, ...]
    option_name: str | None
    variants: tuple[VariantRecord, ...]
    currency: str = "GBP"
    tax_included: bool = True
    tax_rate: str = "0.20"


class Facts(Struct, frozen=True, kw_only=True):
    """What must come out at the other end; counted in the file itself, not in our records."""

    invoices: int
    cancellations: int
    lines: int
    customers: int
    stock_codes: int
    revenue_minor: int
