"""Decisions about products as pure functions."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import nh3
from stdnum import ean

from samlad.catalog.model import Option

_TAGS = nh3.ALLOWED_TAGS | {"section", "article", "figure", "figcaption"}


def is_gtin(text: str) -> bool:
    """Whether a text is a GTIN-8, -12, -13 or -14 whose check digit is right (GS1 General Specifications 7.9)."""
    return text.isascii() and len(text) in (8, 12, 13, 14) and bool(ean.is_valid(text))


def slug(text: str) -> str:
    """A text as a part of an address: “Blå kittel, 1,5 l” becomes ``bla-kittel-1-5-l``.

    Letters of other scripts stay as they are. Empty when there is no letter or digit in it.
    """
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c) or not _is_latin_mark(c))
    plain = unicodedata.normalize("NFC", plain)
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:200].rstrip("-")


def _is_latin_mark(mark: str) -> bool:
    return "\u0300" <= mark <= "\u036f"


def clean_html(text: str) -> str:
    """Description HTML without anything that runs or loads: what an import brings is a stranger's.

    Cleaning twice changes nothing more, so what was exported comes back as the same text.
    """
    return nh3.clean(text, tags=_TAGS) if "<" in text or "&" in text else text


def option_text(options: Sequence[Option], values: dict[str, str]) -> str:
    """The values of a variant in the product's order: ``Red / M``."""
    return " / ".join(values[option.name] for option in options if option.name in values)


def grown_options(options: Sequence[Option], variants: Iterable[dict[str, str]]) -> list[Option]:
    """The product's options with every name and value that its variants use, new ones at the end."""
    values = {option.name: list(dict.fromkeys(option.values)) for option in options}
    for chosen in variants:
        for name, value in chosen.items():
            known = values.setdefault(name, [])
            if value not in known:
                known.append(value)
    return [Option(name, known) for name, known in values.items()]


def attribute_value(kind: str, choices: Sequence[str], value: Any) -> Any:
    """A value as its attribute's type wants it.

    Raises:
        ValueError: it does not fit; the message says what would.
    """
    if kind == "number":
        return _number(value)
    if kind == "boolean":
        if isinstance(value, bool):
            return value
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if str(value).strip().lower() in words:
            return words[str(value).strip().lower()]
        raise ValueError("true or false")
    if not isinstance(value, str) or not value.strip() or len(value) > 5000 or "\x00" in value:
        raise ValueError("a text of 1 to 5,000 characters")
    if kind == "choice" and value not in choices:
        raise ValueError(f"one of {', '.join(choices)}")
    if kind == "date":
        return date.fromisoformat(value).isoformat()
    return value


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise ValueError("a number")  # noqa: TRY004 - the caller asks for the reason, not the type
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("a number") from None
    if not abs(number) < 1e15:
        raise ValueError("a number below a thousand billion")
    return int(number) if number == int(number) else number
