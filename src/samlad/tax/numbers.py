"""VAT numbers: whether one can be right, by the check digits of its country (python-stdnum). Nobody is asked here."""

import re

from samlad.kernel.problems import InvalidInput
from samlad.tax.territories import EU, country_of_number, number_prefix

EU_PREFIXES = frozenset({number_prefix(country) for country in EU} | {"XI"})


def customer_number(text: str, field: str = "vat_number") -> str:
    """The VAT number of a business in the EU (or Northern Ireland), compact and with its country.

    Raises:
        InvalidInput: no country of the EU in front, or no number of that country.
    """
    from stdnum.eu import vat
    from stdnum.exceptions import ValidationError

    number = re.sub(r"[\s.\-/]", "", text).upper()
    if number.startswith("GR"):
        number = f"EL{number[2:]}"
    if number[:2] not in EU_PREFIXES:
        raise InvalidInput.at(
            field, "begins with the two letters of a country of the EU, for example NL004495445B01"
        )
    try:
        return str(vat.validate(number))
    except (ValidationError, ValueError):
        raise InvalidInput.at(field, f"“{number}” is no VAT number of {country_of_number(number)}") from None


def own_number(country: str, text: str, field: str = "number") -> str:
    """A VAT number of the seller in a country, compact.

    Raises:
        InvalidInput: it cannot be a number of that country. Where python-stdnum knows none, anything is one.
    """
    from stdnum.exceptions import ValidationError
    from stdnum.util import get_cc_module

    if country in EU or country == "XI":
        prefix = number_prefix(country)
        number = re.sub(r"[\s.\-/]", "", text).upper()
        return customer_number(number if number.startswith(prefix) else prefix + number, field)
    module = get_cc_module(country.lower(), "vat")
    if module is None:
        return text.strip()
    try:
        return str(module.validate(text))
    except (ValidationError, ValueError):
        raise InvalidInput.at(field, f"“{text}” is no VAT number of {country}") from None
