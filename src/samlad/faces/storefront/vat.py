"""The VAT number of a business in the checkout."""

from samlad.channels import Channel
from samlad.faces.form import Form
from samlad.faces.page import AnyRequest, words
from samlad.kernel.problems import InvalidInput
from samlad.tax import NumberStatus
from samlad.tax.api import check_for


def is_asked(channel: Channel) -> bool:
    """Whether the channel's checkout has a field for it."""
    return bool(channel.setting("tax_vat_number") != "off")


async def read(request: AnyRequest, form: Form) -> str | None:
    """The number that was typed, asked for at VIES; one that VIES does not know is told at its field.

    Raises:
        InvalidInput: it is none. TooMany: so many were tried from this address.
    """
    text, _ = form.text("vat_number"), words(request)
    if text is None:
        return None
    try:
        found = await check_for(request, text)
    except InvalidInput:
        told = _("This is no VAT number of the EU. Write it with its country in front, as NL004495445B01.")
        raise InvalidInput.at("vat_number", told) from None
    if found.status is NumberStatus.INVALID:
        told = _("VIES, the EU's register, does not know this number. Correct it, or leave it empty.")
        raise InvalidInput.at("vat_number", told)
    return found.number
