"""What a document says of tax, read from orders: the one place that knows which of their fields say it.

Orders of before tax had a category name none: there a line with a rate is standard (S) and one without is zero rated (Z).
"""

from samlad.orders import OrderHead, OrderLine
from samlad.tax import plain_category
from samlad.tax.texts import NOTES

CATEGORIES = frozenset({"S", "Z", "E", "AE", "K", "G", "O"})
"""VAT category codes of EN 16931 (UNCL 5305) that we write."""


def category_of(line: OrderLine) -> str:
    """The category of a line (BT-151)."""
    if line.tax_category in CATEGORIES:
        return str(line.tax_category)
    return str(plain_category(line.tax_rate))


def note_of(line: OrderLine) -> str:
    """Why a line bears no tax (BT-120), to be translated."""
    return NOTES.get(line.tax_note or "", "")


def vat_number_of(order: OrderHead) -> str:
    """The buyer's VAT number (BT-48)."""
    return order.vat_number or ""
