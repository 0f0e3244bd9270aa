"""How values stand in the cells of our own CSV, both ways. What is written is read back as the same value."""

import json
from collections.abc import Callable
from typing import Any

import msgspec


def read_text(cell: str) -> str:
    """A text as it stands."""
    return cell


def read_optional(cell: str) -> str | None:
    """A text, or nothing."""
    return cell or None


def read_whole(cell: str) -> int | None:
    """A whole number, or nothing.

    Raises:
        ValueError: something else.
    """
    if not cell.strip():
        return None
    text = cell.strip()
    number = float(text) if "." in text else int(text)
    if number != int(number) or abs(number) > 2**53:
        raise ValueError(f"“{cell}” is not a whole number")
    return int(number)


def read_truth(cell: str) -> bool:
    """True or false, in the words of spreadsheets.

    Raises:
        ValueError: something else.
    """
    word = cell.strip().lower()
    if word in ("true", "1", "yes", "y", "sant", "waar"):
        return True
    if word in ("false", "0", "no", "n", "falskt", "onwaar"):
        return False
    raise ValueError(f"“{cell}” is neither true nor false")


def read_words(cell: str) -> list[str]:
    """Tags: separated by commas, or as a JSON list.

    Raises:
        ValueError: a JSON list of something else.
    """
    if cell.lstrip().startswith("["):
        return list(read_json(list[str])(cell))
    return [word.strip() for word in cell.split(",") if word.strip()]


def write_words(words: list[str]) -> str:
    """Tags as `read_words` reads them."""
    plain = ", ".join(words)
    return plain if read_words_safely(plain) == words else json.dumps(words, ensure_ascii=False)


def read_words_safely(cell: str) -> list[str] | None:
    """What `read_words` would read, or None where it would refuse."""
    try:
        return read_words(cell)
    except ValueError:
        return None


def read_json(kind: Any) -> Callable[[str], Any]:
    """A reader of JSON of a type; an empty cell is the type's empty value.

    The reader raises ValueError (as msgspec's errors are) for something else.
    """

    def read(cell: str) -> Any:
        return msgspec.json.decode(cell if cell.strip() else "[]", type=kind)

    return read


def write_json(value: Any) -> str:
    """JSON, empty for nothing."""
    return msgspec.json.encode(value).decode() if value else ""


def write_plain(value: Any) -> str:
    """A text, number or truth as it is read back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
