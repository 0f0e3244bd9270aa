"""Sums and notes about tax, in the reader's words."""

from collections.abc import Iterable
from decimal import Decimal

from samlad.carts import CartView
from samlad.faces.design.formats import day, money, number
from samlad.faces.page import AnyRequest, locale_of, words
from samlad.kernel.i18n import translator
from samlad.tax.texts import NOTES


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


def tax_text(request: AnyRequest, tax: int, currency: str, notes: Iterable[str | None] = ()) -> str:
    """How much of a total is tax, and what the law wants said about it (keys of `samlad.tax.texts`)."""
    _ = words(request)
    told = [_(NOTES[key]) for key in dict.fromkeys(notes) if key is not None and key in NOTES]
    shape = _("of which tax %(tax)s") % {"tax": money(tax, currency, locale_of(request))}
    return ". ".join([shape, " ".join(told)]) if told else shape


def tax_news(request: AnyRequest, cart: CartView | None) -> str | None:
    """That tax is another one than the buyer has seen."""
    news = None if cart is None else cart.tax_news
    if cart is None or news is None:
        return None
    _, locale = words(request), locale_of(request)
    shape = (
        _("Your VAT number has been checked. Tax was %(before)s and is %(now)s now; to pay: %(total)s.")
        if news.reason == "vat-number"
        else _("Tax has changed since %(day)s. It was %(before)s and is %(now)s now; to pay: %(total)s.")
    )
    return shape % {
        "day": day(news.since, locale),
        "before": money(news.tax_before, cart.currency, locale),
        "now": money(news.tax, cart.currency, locale),
        "total": money(news.total, cart.currency, locale),
    }


def rate_text(basis_points: int, locale: str) -> str:
    """A tax rate for people: 2000 is ``20 %`` or ``20%``, as the language writes it."""
    shape = translator(locale).gettext("%(rate)s%%")
    return shape % {"rate": number(Decimal(basis_points) / 100, locale)}
