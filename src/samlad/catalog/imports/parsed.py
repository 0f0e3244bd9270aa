"""What every reader of a format yields: one product with the lines that it came from."""

from typing import Any

import msgspec

from samlad.catalog.model import ProductRow


class Parsed(msgspec.Struct):
    """A product as it was read. ``lines`` has the line of each variant (of the product if there is none);
    with ``problems`` it is not usable, ``notes`` say what was left out of it. ``category_names`` are by path, for those
    that do not exist yet."""

    lines: list[int]
    row: ProductRow | None = None
    handle: str | None = None
    skus: list[str] = []
    problems: list[str] = []
    notes: list[str] = []
    category_names: dict[str, str] = {}


def convert(values: dict[str, Any], lines: list[int], notes: list[str]) -> Parsed:
    """Plain values as a product, with every rule of the model; a fault becomes a problem, not an error."""
    variants = values.get("variants") or []
    parsed = Parsed(
        lines=lines or [0],
        handle=values.get("handle"),
        skus=[str(v.get("sku", "")) for v in variants],
        notes=notes,
    )
    try:
        parsed.row = msgspec.convert(values, ProductRow)
    except msgspec.ValidationError as error:
        parsed.problems.append(readable(error))
    return parsed


def readable(error: msgspec.ValidationError) -> str:
    """“Expected … - at `$.variants[0].sku`” with the place first."""
    message, _, place = str(error).partition(" - at `$")
    where = place.rstrip("`").lstrip(".")
    return f"{where}: {message}" if where else message
