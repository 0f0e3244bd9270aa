"""Cards: what is compared of a customer, in the normal form that identity gives it."""

import re
import unicodedata
from typing import Any
from uuid import UUID

import msgspec

from samlad.duplicates.model import Record
from samlad.identity.normalising import address as postal
from samlad.identity.normalising import alias_of, email, local_part, name, phone

EVERYWHERE = ("*",)
SHORTEST_MAILBOX = 5
"""Letters before the @ that may say who somebody is."""


class Raw(msgspec.Struct, frozen=True):
    """A customer as written, with the address that was last sent to."""

    id: UUID
    pool: UUID
    name: str | None
    email: str | None
    phone: str | None
    country: str | None
    address: dict[str, Any] | None


def card_of(raw: Raw) -> Record:
    """What is compared of a customer; fields of which nothing is known are None."""
    given, family = _names(raw.name)
    box = _mailbox(raw.email)
    local = None if box is None else re.sub(r"[^a-z0-9]", "", local_part(box)) or None
    street, postcode, whole = _address(raw.address, raw.country)
    return {
        "given": given,
        "family": family,
        "name": name(raw.name or "") or None,
        "email": box,
        "mailbox": local if local is not None and len(local) >= SHORTEST_MAILBOX else None,
        "phone": None if raw.phone is None else phone(raw.phone, raw.country),
        "street": street,
        "postcode": postcode,
        "address": whole,
    }


def _names(text: str | None) -> tuple[str | None, str | None]:
    """Given and family name: the first and the last word, or as a comma says it."""
    plain = unicodedata.normalize("NFKC", text or "")
    before, comma, after = plain.partition(",")
    if comma and after.strip():
        first, last = after.split(), before.split()
        return name(first[0]) or None, name(" ".join(last)) or None
    words = before.split()
    if len(words) < 2:
        return (name(words[0]) or None if words else None), None
    return name(words[0]) or None, name(words[-1]) or None


def _mailbox(text: str | None) -> str | None:
    plain = None if text is None else email(text)
    return None if plain is None else alias_of(plain, EVERYWHERE, EVERYWHERE)


def _address(given: dict[str, Any] | None, country: str | None) -> tuple[str | None, str | None, str | None]:
    if not given:
        return None, None, None
    where = str(given.get("country") or country or "")
    street, code = str(given.get("line1") or ""), str(given.get("postal_code") or "")
    whole = postal(street, code, where)
    _, short, words = whole.split("|", 2)
    return words or None, f"{where}|{short}" if short else None, whole if words and short else None
