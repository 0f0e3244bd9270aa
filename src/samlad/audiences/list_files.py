"""Who a file or a typed text names, row by row: what spreadsheets, mail programs and other shops write. Pure."""

import csv
import io
import re
from collections.abc import Sequence

from samlad.catalog.imports.report import BrokenFile
from samlad.catalog.imports.source import encoding_in
from samlad.kernel.problems import InvalidInput

TITLES = frozenset(
    [
        "email",
        "emailaddress",
        "epost",
        "epostadress",
        "emailadres",
        "mail",
        "phone",
        "phonenumber",
        "telephone",
        "mobile",
        "mobilephone",
        "mobil",
        "mobilnummer",
        "telefon",
        "telefonnummer",
        "telefoon",
        "telefoonnummer",
        "externalid",
        "number",
        "customernumber",
        "customerid",
        "customer",
        "id",
        "kundnummer",
        "klantnummer",
        "klant",
    ]
)
"""Titles of columns that are read, without case, blanks and signs: ours, and those of Mailchimp, Klaviyo and Shopify."""
Rows = list[tuple[int, list[str]]]
"""Numbers of rows, as a spreadsheet shows them, and the cells of each that may say who it is."""
_SEPARATOR = re.compile(r"sep=([,;\t])\r?\n?")
_NAMED = re.compile(r"[^<>]*<([^<>]+)>")


def rows_of(body: bytes) -> Rows:
    """The rows of a CSV file; with or without titles, with commas, semicolons or tabs, in UTF-8, UTF-16 or Windows-1252.

    Rows in which nothing stands are left out, but counted.

    Raises:
        InvalidInput: it cannot be read, or none of its columns is one that says who somebody is.
    """
    rows = _cells(_text(body))
    titles = next((row for _, row in rows), [])
    places = [place for place, title in enumerate(titles) if re.sub(r"[\W_]", "", title.lower()) in TITLES]
    if places:
        return [(number, [row[place] for place in places if place < len(row)]) for number, row in rows[1:]]
    if len(titles) > 1 and not re.search(r"[@\d]", titles[0]):
        raise InvalidInput.at("file", "has no column email, phone, external_id or id")
    return [(number, row[:1]) for number, row in rows]


def _text(body: bytes) -> str:
    try:
        encoding = encoding_in(io.BytesIO(body))
        text = body.decode(encoding)
    except BrokenFile as error:
        raise InvalidInput.at("file", f"cannot be read as CSV: {error.detail}") from None
    except UnicodeDecodeError as error:
        raise InvalidInput.at("file", f"is not UTF-8 at byte {error.start}: save it as “CSV UTF-8”") from None
    if "\0" in text:
        raise InvalidInput.at("file", "may not contain the character NUL")
    return text.removeprefix("\ufeff")


def _cells(text: str) -> Rows:
    told = _SEPARATOR.match(text)  # what Excel writes and reads before the titles
    rest = text[told.end() :] if told else text
    first = re.split(r"[\r\n]", rest, maxsplit=1)[0]
    delimiter = told[1] if told else max(",;\t", key=first.count)
    try:
        # Strict: a quote that is never closed would take all rows after it for one cell.
        rows = list(csv.reader(io.StringIO(rest, newline=None), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise InvalidInput.at("file", f"cannot be read as CSV: {error}") from None
    numbered = enumerate(rows, 2 if told else 1)
    return [(number, row) for number, row in numbered if any(cell.strip() for cell in row)]


def names_of(text: str) -> Rows:
    """Whom a typed text names: one in each line, or several with commas, semicolons or tabs between, as mail programs copy
    their addresses (``Kim Berg <kim@example.org>``)."""
    cells = [cell.strip() for cell in re.split(r"[\r\n,;\t]+", text)]
    found: Sequence[str] = [named[1] if (named := _NAMED.fullmatch(cell)) else cell for cell in cells if cell]
    return [(number, [cell]) for number, cell in enumerate(found, 1)]
