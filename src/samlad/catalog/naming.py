"""What goods are called in a language, as a channel would show them to who reads it, sold or not."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from samlad.catalog.sellables import in_words, language_of
from samlad.kernel.database import Reader


class Named(msgspec.Struct, frozen=True):
    """The title of a variant's product, and its option values as one text."""

    title: str
    options: str


async def names_in(
    reader: Reader, channel: UUID, variant_ids: Sequence[UUID], locale: str
) -> dict[UUID, Named]:
    """The names of variants in the language of a locale; a title that the channel lists them under goes before. What has no
    translation is called as it was named first. One statement; unknown variants are left out."""
    rows = await reader.rows(
        """SELECT v.id, v.option_text, v.options, coalesce(l.title, p.translations -> $3 ->> 'title', p.title) AS title,
                  p.translations -> $3 -> 'options' AS words
           FROM variant v JOIN product p ON p.id = v.product LEFT JOIN listing l ON l.product = p.id AND l.channel = $2
           WHERE v.id = ANY($1)""",
        list(variant_ids),
        channel,
        language_of(locale),
    )
    return {
        row["id"]: Named(row["title"], in_words(row["option_text"], row["options"], row["words"]))
        for row in rows
    }
