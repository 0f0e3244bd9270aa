"""What happens to how is taxed, and to VAT numbers."""

from datetime import date
from typing import Any

from samlad.kernel.log import Fact, declare


@declare("tax.class_created")
class TaxClassCreated(Fact, frozen=True, kw_only=True):
    """Something can be taxed otherwise than the rest."""

    code: str
    name: str


@declare("tax.rate_created")
class TaxRateCreated(Fact, frozen=True, kw_only=True):
    """A country takes, or will take, so much of a class."""

    country: str
    region: str
    tax_class: str
    rate_bp: int
    valid_from: date
    valid_to: date | None


@declare("tax.rate_changed")
class TaxRateChanged(Fact, frozen=True, kw_only=True):
    """Something about a rate changed: for each field what it was and what it is."""

    country: str
    tax_class: str
    before: dict[str, Any]
    after: dict[str, Any]


@declare("tax.registered")
class TaxRegistered(Fact, frozen=True, kw_only=True):
    """The seller is registered for VAT in a country."""

    country: str
    number: str
    valid_from: date
    valid_to: date | None


@declare("tax.registration_changed")
class TaxRegistrationChanged(Fact, frozen=True, kw_only=True):
    """Something about a registration changed: for each field what it was and what it is."""

    country: str
    before: dict[str, Any]
    after: dict[str, Any]


@declare("tax.scheme_changed")
class TaxSchemeChanged(Fact, frozen=True, kw_only=True):
    """A channel sells by a scheme from a day on, or no longer does."""

    scheme: str
    tax_class: str | None
    valid_from: date
    valid_to: date | None


@declare("tax.number_checked")
class TaxNumberChecked(Fact, frozen=True, kw_only=True):
    """VIES said whether a VAT number is one. A number may name a person: only its country is told here."""

    country: str
    status: str
