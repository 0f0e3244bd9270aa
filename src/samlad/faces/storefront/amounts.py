"""Sums and notes about tax, in the reader's words."""

from decimal import Decimal

from samlad.carts import CartView
from samlad.faces.design.formats import money, number
from samlad.faces.page import AnyRequest, locale_of, words
from samlad.kernel.i18n import translator


def sums(request: AnyRequest, cart: CartView) -> list[tuple[str, str] | tuple[str, str, bool]]:
    """The rows under a cart: goods, delivery once it is known, and what is to pay."""
    _, locale = words(request), locale_of(request)
    totals = cart.totals
    rows: list[tuple[str, str] | tuple[str, str, bool]] = [
        (_("Goods"), money(totals.subtotal, cart.currency, locale))
    ]
    if cart.delivery is not None:
        price = money(totals.shipping, cart.currency, locale) if totals.shipping else _("Free")
        rows.append((_("Delivery"), price))
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
