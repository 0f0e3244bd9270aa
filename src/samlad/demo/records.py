"""What the demo's source files become before any database sees them.

These records are the border between *reading foreign data* (this package's pure half) and *importing it* (the
verbs of catalog, customers, stock and orders). They are frozen: a record states what the file says and is never
corrected afterwards. Money is integer pence (minor units of GBP), times are aware UTC, days are days in the UK.
"""

from datetime import date, datetime
from typing import Literal

from msgspec import Struct

LineKind = Literal["item", "shipping", "fee", "discount", "adjustment"]
OrderKind = Literal["sale", "return", "adjustment"]


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


class OrderLine(Struct, frozen=True, kw_only=True, gc=False):  # half a million texts and numbers, no cycles
    """One line of an invoice, signs as in the file: what comes back or is credited is negative.

    `sku` is set exactly for lines of kind "item" and is then always in the catalogue. `unit_price` is a decimal
    string in pounds with two places (three on the file's four sub-penny lines); `total_minor` is pence.
    `stock_correction` marks goods that were found, lost or broken rather than sold. `returns` is the number of
    the sale that this line of a cancellation takes back, where it can be told.
    """

    sku: str | None
    title: str
    kind: LineKind
    quantity: int
    unit_price: str
    total_minor: int
    stock_correction: bool = False
    returns: str | None = None


class OrderRecord(Struct, frozen=True, kw_only=True):
    """One invoice. `total_minor` is the sum of its lines' totals, in pence.

    `customer` is the shop's own customer number, None when it was not recorded. `country` is ISO 3166-1 alpha-2
    (see `samlad.demo.source.COUNTRIES` for the two that are not countries). `returns` is set on a return when one
    earlier sale explains all its item lines; otherwise the lines may still name one each.
    """

    number: str
    placed_at: datetime
    currency: str
    customer: str | None
    country: str
    kind: OrderKind
    total_minor: int
    lines: tuple[OrderLine, ...]
    returns: str | None = None


class Facts(Struct, frozen=True, kw_only=True):
    """What must come out at the other end; counted in the file itself, not in our records."""

    invoices: int
    cancellations: int
    lines: int
    customers: int
    stock_codes: int
    revenue_minor: int
