"""Sums and notes about tax, in the reader's words."""

from decimal import Decimal

from samlad.carts import CartView
from samlad.faces.design.formats import money, number
from samlad.faces.page import AnyRequest, locale_of, words
from samlad.kernel.i18n import translator


def sums(request: AnyRequest, cart: CartView) -> list[tuple[str, str] | tuple[str, str, bool]]:
    """The rows under a cart: goods, delivery once it is known, what promotions take off, and what is to pay."""
    _, locale = words(request), locale_of(request)
    totals = cart.totals
    # Where tax is not in the prices, what promotions take off is not in these sums either: the lines have it.
    has_rows = all(line.tax_included for line in cart.lines) and cart.promotions
    reduced = sum(step.amount for line in cart.lines for step in line.steps) if has_rows else 0
    rows: list[tuple[str, str] | tuple[str, str, bool]] = [
        (_("Goods"), money(totals.subtotal + reduced, cart.currency, locale))
    ]
    shipping = totals.shipping + (sum(step.amount for step in cart.shipping_steps) if has_rows else 0)
    if cart.delivery is not None:
        rows.append((_("Delivery"), money(shipping, cart.currency, locale) if shipping else _("Free")))
    if has_rows:
        rows += [(each.name, money(-each.amount, cart.currency, locale)) for each in cart.promotions]
    rows.append((_("To pay"), money(totals.total, cart.currency, locale), True))
    return rows


def tax_text(request: AnyRequest, tax: int, currency: str) -> str:
    """How much of a total is tax."""
    _ = words(request)
    return _("of which tax %(tax)s") % {"tax": money(tax, currency, locale_of(request))}


def rate_text(basis_points: int, locale: str) -> str:
    """A tax rate for people: 2000 is ``20 %`` or ``20%``, as the language writes it."""
    shape = translator(locale).gettext("%(rate)s%%")
    return shape % {"rate": number(Decimal(basis_points) / 100, locale)}
