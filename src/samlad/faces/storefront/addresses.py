"""Addresses in the shop's forms, as they are written in each country: fields, their order, which are needed."""

from typing import Any

from samlad import carts
from samlad.carts import Address, AddressFormat
from samlad.channels import Channel
from samlad.faces import page as face
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest
from samlad.kernel.i18n import collation_key, formatting_locale, marked
from samlad.kernel.problems import FieldError, InvalidInput

COUNTRIES = [
    "AT",
    "BE",
    "CH",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GB",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "NL",
]
COUNTRIES += ["NO", "PL", "PT", "SE", "US"]
"""Where parcels go; the shop's own country always."""
NEEDED = marked("Please fill this in.")
NO_CODE = marked("This is no postal code there. One looks like %(example)s.")


def countries(request: AnyRequest, channel: Channel) -> list[tuple[str, str]]:
    """The countries that can be chosen, by their names in the reader's language."""
    locale = face.locale_of(request)
    names = formatting_locale(locale).territories
    codes = {*COUNTRIES, channel.country}
    return sorted(
        ((code, names.get(code, code)) for code in codes), key=lambda pair: collation_key(pair[1], locale)
    )


def shown(form: Form, channel: Channel) -> dict[str, Any]:
    """What the template of the fields needs: the rows of the country that the form names."""
    known = format_of(form, channel)
    return {
        "rows": known.rows,
        "needed": known.needed,
        "regions": known.regions,
        "example": known.example or None,
    }


def format_of(form: Form, channel: Channel) -> AddressFormat:
    """How addresses are written where the form says."""
    return carts.address_format(form.get("country") or channel.country)


def read(form: Form, channel: Channel) -> Address:
    """The address that was typed; every fault at its field at once.

    Raises:
        InvalidInput: with all faults.
    """
    known, _ = format_of(form, channel), form.translate
    faults = [
        FieldError(name, _(NEEDED))
        for name in ("name", "line1", "city", "postal_code", "region")
        if form.text(name) is None and (name == "name" or name in known.needed)
    ]
    code = form.text("postal_code")
    if code is not None and not known.fits(code):
        faults.append(FieldError("postal_code", _(NO_CODE) % {"example": known.example}))
    if faults:
        raise InvalidInput("", errors=tuple(faults))
    country = form.get("country") or channel.country
    more = {} if "city" in known.fields else {"city": _place(country)}  # Singapore is its own town
    return form.into(Address, country=country, **more)


def on_one_line(given: Address, channel: Channel) -> str:
    """An address to choose among others; its country only where it is not the shop's own, in the language of the page."""
    names = formatting_locale(channel.locale).territories
    abroad = "" if given.country == channel.country else str(names.get(given.country, given.country))
    parts = (given.name, given.line1, f"{given.postal_code or ''} {given.city}".strip(), abroad)
    return ", ".join(part for part in parts if part)


def _place(country: str) -> str:
    return str(formatting_locale("en").territories.get(country, country))
