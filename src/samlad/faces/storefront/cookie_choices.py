"""What the banner of cookies asks for."""

from uuid import UUID

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
    wording: UUID | None


async def choices(request: AnyRequest) -> list[Category]:
    """What the banner asks for, in the language of the page."""
    database = database_of(request)
    language = face.locale_of(request)[:2]
    texts = await consent.texts_of(database)  # the latest version first
    shown: dict[str, consent.Text] = {}
    for wanted in (language, "en"):  # as `consent.latest_text`
        for text in texts:
            if text.language == wanted:
                shown.setdefault(text.purpose, text)
    return [
        Category(
            each.code,
            each.names.get(language) or each.names.get("en") or each.code,
            shown[each.code].text if each.code in shown else "",
            each.is_always,
            shown[each.code].id if each.code in shown else None,
        )
        for each in await consent.purposes(database)
        if each.kind == "category"
    ]
