"""Amounts, days, countries and ways to pay as a document of a language writes them."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Self
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from markupsafe import Markup

from samlad.catalog import Measure
from samlad.catalog.measures import per_text, quantity_text
from samlad.documents.model import Party, Printed, PrintedLine
from samlad.kernel import qr
from samlad.kernel.i18n import dated_locale, formatting_locale, marked, translator
from samlad.kernel.money import format_money, format_number

PROVIDERS = {
    "stripe": marked("Card"),
    "terminal": marked("Card"),
    "test": marked("Test card"),
    "cash": marked("Cash"),
    "invoice": marked("Invoice"),
    "bank_transfer": marked("Bank transfer"),
    "on_delivery": marked("Pay on delivery"),
    "gift_card": marked("Gift card"),
    "store_credit": marked("Store credit"),
    "till_card": marked("Card"),
    "exchange": marked("Exchanged goods"),
    "till_other": marked("Other way to pay"),
}
TITLES = {
    "invoice": marked("Invoice"),
    "prepayment": marked("Prepayment invoice"),
    "credit_note": marked("Credit note"),
    "order-confirmation": marked("Order confirmation"),
    "receipt": marked("Receipt"),
}
REASONS = {
    "return": marked("Goods came back, or will not come."),
    "cancelled": marked("The order was cancelled."),
    "changed": marked("The order was changed."),
}
LINES = {
    "shipping": marked("Shipping"),
    "fee": marked("Fee"),
    "discount": marked("Discount"),
    "prepayment": marked("Prepayment"),
}


class Writer:
    """How one document writes things: its language, its time zone, its currency, and the seller's country (ISO 3166), as
    which days in English are written."""

    def __init__(self, locale: str, time_zone: str, currency: str, country: str) -> None:
        self.locale, self.currency = locale, currency
        self.zone = ZoneInfo(time_zone)
        self.translate: Callable[[str], str] = translator(locale).gettext
        self._babel, self._dated = formatting_locale(locale), dated_locale(locale, country)

    @classmethod
    def of(cls, printed: Printed) -> Self:
        """The writer of a document."""
        return cls(printed.locale, printed.time_zone, printed.currency, printed.seller.country)

    def money(self, amount: int) -> str:
        """An amount with its currency."""
        return format_money(amount, self.currency, str(self._babel))

    def code(self, text: str) -> Markup:
        """A text as a QR code."""
        return Markup(qr.svg(text, border=2))  # noqa: S704 - our own drawing

    def number(self, value: int) -> str:
        """A number of pieces."""
        return format_number(value, self._babel)

    def quantity(self, line: PrintedLine) -> str:
        """How much of a line there is, with its unit where it is weighed or measured."""
        return quantity_text(line.quantity, line.sold_by, self._babel)

    def times(self, line: PrintedLine) -> str:
        """A line as a receipt reckons it: ``3 × 5.00 kr``, ``0.770 kg × 199.00 kr/kg``; nothing for one piece."""
        if line.quantity == 1 and line.sold_by is Measure.PIECE:
            return ""
        return f"{self.quantity(line)} × {self.price(line)}"

    def price(self, line: PrintedLine) -> str:
        """What one piece, kilogram, metre or litre costs."""
        return f"{self.money(line.unit_price)}{per_text(line.sold_by)}"

    def day(self, value: date) -> str:
        """A day, written out so that nobody takes the month for the day."""
        return format_date(value, "long", locale=self._dated)

    def moment(self, value: datetime) -> str:
        """Day and time on the shop's clock."""
        here = value.astimezone(self.zone)
        day = format_date(here.date(), "medium", locale=self._dated)
        return f"{day} {format_time(here.time(), 'short', locale=self._dated)}"

    def rate(self, basis_points: int) -> str:
        """A tax rate: 2500 is ``25 %``."""
        shape = self.translate("%(rate)s%%")
        return shape % {"rate": format_number(Decimal(basis_points) / 100, self._babel)}

    def country(self, code: str) -> str:
        """The name of a country."""
        return str(self._babel.territories.get(code, code))

    def address(self, party: Party, *, home: str = "") -> list[str]:
        """An address as it stands on a letter; the country only where it is not ``home``."""
        town = " ".join(part for part in (party.postal_code, party.city) if part)
        abroad = self.country(party.country) if party.country and party.country != home else ""
        return [line for line in (party.line1, party.line2, town, party.region, abroad) if line]

    def provider(self, name: str) -> str:
        """A way to pay."""
        return self.translate(PROVIDERS.get(name, name.replace("_", " ").title()))


def spaced(reference: str) -> str:
    """A reference or an account number in groups of four."""
    return " ".join(reference[at : at + 4] for at in range(0, len(reference), 4))
