"""What a document says of tax, read from orders: the one place that knows which of their fields say it.

Orders name category, country and note of a line, and the buyer's VAT number, where the tax engine has put them. Where
it has not, a line with a rate is standard (S) and one without is zero rated (Z).
"""

from samlad.orders import OrderHead, OrderLine

STANDARD, ZERO = "S", "Z"
CATEGORIES = frozenset({"S", "Z", "E", "AE", "K", "G", "O"})
"""VAT category codes of EN 16931 (UNCL 5305) that we write."""


def category_of(line: OrderLine) -> str:
    """The category of a line (BT-151)."""
    named = getattr(line, "tax_category", None)
    if named in CATEGORIES:
        return str(named)
    return STANDARD if line.tax_rate else ZERO


def note_of(line: OrderLine) -> str:
    """Why a line bears no tax, or where it is taxed (BT-120)."""
    return str(getattr(line, "tax_note", None) or "")


def vat_number_of(order: OrderHead) -> str:
    """The buyer's VAT number (BT-48)."""
    return str(getattr(order, "vat_number", None) or "")
