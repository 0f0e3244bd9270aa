"""Card numbers: found in text, so that none is ever kept. What looks like one is refused at the door and redacted in logs.

A card number (PAN, ISO/IEC 7812-1) has 13 to 19 digits of which the last checks the others (Luhn). People write it in
groups, and put the expiry or the code behind it: so every span of whole groups is looked at. One such number in ten is
no card number; a note that holds it must be worded differently, which is the cheaper mistake.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from samlad.kernel.problems import FieldError, InvalidInput

SHORTEST, LONGEST = 13, 19
REDACTED = "[card number removed]"

_GROUPS = re.compile(r"[0-9](?:[ \t\u00a0\u2009\u202f.,:/_\u2013\u2014-]{0,2}[0-9]){12,}")
_UUID = re.compile(
    r"(?i)(?<![0-9a-f])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![0-9a-f])"
)
_GROUP = re.compile(r"[0-9]+")
_WIDE = {ord("０") + digit: ord("0") + digit for digit in range(10)}


class CardNumber(InvalidInput):
    """Something in the input looks like a card number. We never take one: it is typed into the page or the terminal
    of the payment provider, which gives a token. Nothing of it was kept."""

    code, status, title = "card-number", 422, "Card numbers are not accepted here"


def passes_luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812-1 annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Where in a text something looks like a card number, as (start, end); they do not overlap. Ids (UUID) are none."""
    if not _GROUPS.search(text := text.translate(_WIDE)):
        return
    text = _UUID.sub(lambda found: "x" * len(found[0]), text)
    for run in _GROUPS.finditer(text):
        groups = [(run.start() + g.start(), run.start() + g.end()) for g in _GROUP.finditer(run[0])]
        after = 0
        for first, (start, _) in enumerate(groups):
            end = _end_of_number(text, groups[first:]) if start >= after else None
            if end is not None:
                yield start, end
                after = end


def _end_of_number(text: str, groups: list[tuple[int, int]]) -> int | None:
    """The end of the longest card number that begins with these groups and ends with one of them."""
    digits, found = "", None
    for start, end in groups:
        digits += text[start:end]
        if len(digits) > LONGEST:
            break
        if len(digits) >= SHORTEST and passes_luhn(digits) and digits.strip("0"):
            found = end
    return found


def has_card_number(text: str) -> bool:
    """Whether something in it looks like a card number."""
    return next(spans(text), None) is not None


def redact(text: str) -> str:
    """The text without what looks like a card number."""
    parts, at = [], 0
    for start, end in spans(text):
        parts += [text[at:start], REDACTED]
        at = end
    return "".join([*parts, text[at:]]) if parts else text


def refuse(value: Any, field: str = "") -> None:
    """Look through a text, a struct or a JSON document, keys too.

    Raises:
        CardNumber: with the place of each text that looks like a card number, never with the text.
    """
    faults = [
        FieldError(place, "looks like a card number; those are never taken here")
        for place in _places(value, field)
    ]
    if faults:
        raise CardNumber(
            "Card numbers are typed into the payment provider's own page or terminal. Nothing was kept.",
            errors=tuple(faults),
        )


WORDS = frozenset({"note", "gift_note", "reason", "label", "comment", "text", "subject", "body"})
"""Names of fields in which people write in their own words; numbers of articles, parcels and phones stand elsewhere."""
_MAYBE = re.compile(rb"[0-9](?:[^0-9A-Za-z]{0,6}[0-9]){12}")


def refuse_words(fields: Mapping[str, Any]) -> None:
    """Look through what people wrote in their own words into a form, or into the fields of a JSON document: the door, whatever the
    verb behind it does. What stands deeper (a till's journal, rows of a file) has rules of its own.

    Raises:
        CardNumber: with the names of the fields.
    """
    refuse({name: fields[name] for name in WORDS if name in fields})


def may_be_in(body: bytes) -> bool:
    """Whether it is worth reading a body for card numbers: so many digits follow each other in it."""
    return _MAYBE.search(body) is not None


def _places(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str):
        if has_card_number(value):
            yield place
    elif isinstance(value, bytes):
        yield from _places(value.decode("utf-8", "replace"), place)
    elif isinstance(value, int) and not isinstance(value, bool):
        return  # amounts: a number of minor units is none of a card
    elif isinstance(value, dict):
        for key, each in value.items():
            if isinstance(key, str) and has_card_number(key):
                yield place
            else:
                yield from _places(each, f"{place}/{key}".strip("/"))
    elif isinstance(value, list | tuple | set | frozenset):
        for index, each in enumerate(value):
            yield from _places(each, f"{place}/{index}".strip("/"))
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _places(getattr(value, name), f"{place}/{name}".strip("/"))
