"""What the banner of cookies asks for."""

import msgspec

from samlad import consent
from samlad.faces import page as face
from samlad.faces.page import AnyRequest
from samlad.kernel.http import database_of


class Category(msgspec.Struct, frozen=True):
    """A category as the banner shows it."""

    code: str
    name: str
    text: str
    is_always: bool


async def choices(request: AnyRequest) -> list[Category]:
    """What the banner asks for, in the language of the page."""
    database = database_of(request)
    language = face.locale_of(request)[:2]
    texts, shown = await consent.texts_of(database), {}  # the latest version first
    for wanted in (language, "en"):  # as `consent.latest_text`: what is shown is what is written down
        for text in texts:
            if text.language == wanted:
                shown.setdefault(text.purpose, text.text)
    return [
        Category(
            each.code,
            each.names.get(language) or each.names.get("en") or each.code,
            shown.get(each.code, ""),
            each.is_always,
        )
        for each in await consent.purposes(database)
        if each.kind == "category"
    ]
