"""A tracking plan learned from events: what they all have in common, as a JSON Schema. Pure.

It is a suggestion to be read. Every event that it was learned from fits it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

FEW = 12
"""So many different texts, each seen `OFTEN` times on average, are taken for all there are."""
OFTEN = 5
DEEPEST = 4
MOST_NAMES = 200
"""Names of an object beyond which they are data and not names."""

_FORMS: dict[str, str] = {
    "^[A-Z]{3}$": r"[A-Z]{3}",
    "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$": (
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    ),
    "^https?://": r"(?s)https?://.*",
    "^[0-9]+$": r"[0-9]+",
}
"""Patterns that texts may have in common, and the same for Python, which must match a whole text."""

_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    dict: "object",
    list: "array",
}


def learn(samples: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The schema of some documents; of none: everything is allowed."""
    return _object(list(samples), 0) if samples else {"type": "object"}


def _object(samples: Sequence[Mapping[str, Any]], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "object"}
    seen: dict[str, list[Any]] = {}
    for sample in samples:
        for name, value in sample.items():
            seen.setdefault(name, []).append(value)
    if len(seen) > MOST_NAMES:
        return found
    if seen:
        found["properties"] = {name: _value(values, depth + 1) for name, values in sorted(seen.items())}
    required = sorted(name for name, values in seen.items() if len(values) == len(samples))
    return found | ({"required": required} if required else {})


def _value(values: Sequence[Any], depth: int) -> dict[str, Any]:
    types = {"null" if value is None else _TYPES[type(value)] for value in values}
    if "number" in types:
        types.discard("integer")
    found: dict[str, Any] = {"type": types.pop()} if len(types) == 1 else {"type": sorted(types)}
    only = found["type"]
    narrower: dict[str, Callable[[Sequence[Any], int], dict[str, Any]]] = {
        "string": _text,
        "integer": _number,
        "number": _number,
        "object": _object,
        "array": _list,
    }
    if isinstance(only, str) and only in narrower and depth < DEEPEST:
        found |= narrower[only](values, depth)
    return found


def _text(values: Sequence[str], _: int) -> dict[str, Any]:
    for pattern, whole in _FORMS.items():
        if all(re.fullmatch(whole, value) for value in values):
            return {"pattern": pattern}
    different = set(values)
    if (
        len(different) <= FEW
        and len(values) >= OFTEN * len(different)
        and all(len(each) <= 60 for each in different)
    ):
        return {"enum": sorted(different)}
    return {}


def _number(values: Sequence[float], _: int) -> dict[str, Any]:
    return {"minimum": 0} if all(value >= 0 for value in values) else {}


def _list(values: Sequence[list[Any]], depth: int) -> dict[str, Any]:
    items = [item for value in values for item in value]
    return {"items": _value(items, depth + 1)} if items else {}
