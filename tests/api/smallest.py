"""The smallest request that an operation of the OpenAPI document takes: with what it must have, and nothing else."""

import re
from typing import Any
from uuid import UUID

from described import DOCUMENT

SCHEMAS = DOCUMENT["components"]["schemas"]
NOBODY = UUID(int=0xA11)
"""An id that nothing has."""

_TEXTS = (
    "thing", "x", "SE", "SEK", "en", "sv", "kim@example.org", "https://example.org/x", "+46701234567", "123456",
    "12:00", "#aabbcc", "20", "1000", "yes", "4006381333931", "SE556677889901", "a1", "0" * 64, "A-1", "a_b", '"1"',
)  # fmt: skip
_FORMATS = {
    "uuid": str(NOBODY), "date": "2030-01-02", "date-time": "2030-01-02T03:04:05Z", "time": "10:00:00",
    "email": "kim@example.org", "uri": "https://example.org", "byte": "eA==", "binary": "x", "duration": "P1D",
}  # fmt: skip


def body_of(operation: dict[str, Any], ids: dict[str, str] | None = None) -> Any:
    """A body for an operation, or None if it takes none. ``ids`` are put where a field of that name is a UUID."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return None if content is None else value_of(content["schema"], ids or {})


def value_of(schema: dict[str, Any], ids: dict[str, str], name: str = "", depth: int = 0) -> Any:
    """The smallest value that a schema describes."""
    if "$ref" in schema:
        return value_of(SCHEMAS[schema["$ref"].rsplit("/", 1)[1]], ids, name, depth + 1)
    for key in ("oneOf", "anyOf", "allOf"):
        if key in schema:
            some = [each for each in schema[key] if each.get("type") != "null"]
            return value_of(some[0], ids, name, depth + 1) if some else None
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return next((each for each in schema["enum"] if each is not None), None)
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    return _of_kind(kind, schema, ids, name, depth)


def _of_kind(kind: str, schema: dict[str, Any], ids: dict[str, str], name: str, depth: int) -> Any:
    if kind == "object":
        fields = schema.get("properties", {})
        if not fields and isinstance(schema.get("additionalProperties"), dict):
            return {"1": value_of(schema["additionalProperties"], ids, name, depth + 1)}
        wanted = set(schema.get("required", ())) | {each for each in fields if each in ids}
        return {
            each: value_of(fields[each], ids, each, depth + 1)
            for each in fields
            if each in wanted and depth < 12
        }
    if kind == "array":
        least = schema.get("minItems", 1 if "items" in schema and depth < 8 else 0)
        return [value_of(schema["items"], ids, name, depth + 1) for _ in range(least)]
    if kind in ("integer", "number"):
        least = schema.get(
            "minimum", schema.get("exclusiveMinimum", 0) + 1 if "exclusiveMinimum" in schema else 1
        )
        return min(max(1, least), schema.get("maximum", 10**9))
    if kind == "boolean":
        return False
    return None if kind == "null" else _text(schema, ids, name)


def _text(schema: dict[str, Any], ids: dict[str, str], name: str) -> str:
    if schema.get("format") == "uuid":
        return ids.get(name, _FORMATS["uuid"])
    if "contentEncoding" in schema:
        return _FORMATS["byte"]
    given = [each for each in schema.get("examples", ()) if isinstance(each, str)]
    if "format" in schema and schema["format"] in _FORMATS:
        return _FORMATS[schema["format"]]
    least, most, pattern = (
        schema.get("minLength", 0),
        schema.get("maxLength", 10**6),
        schema.get("pattern", ""),
    )
    for each in [*given, *_TEXTS, "x" * least, "0" * least]:
        if least <= len(each) <= most and re.search(pattern, each):
            return each
    raise ValueError(f"no text for {name}: {schema}")


def path_of(path: str, operation: dict[str, Any], ids: dict[str, str] | None = None) -> str:
    """The address with its holes filled, and the parameters that it must have."""
    asked = []
    for parameter in operation.get("parameters", ()):
        schema, name = parameter["schema"], parameter["name"]
        if parameter["in"] == "path":
            path = path.replace(
                f"{{{name}}}", (ids or {}).get(name) or str(value_of(schema, ids or {}, name))
            )
        elif parameter["in"] == "query" and parameter.get("required"):
            value = value_of(schema, ids or {}, name)
            asked.append(f"{name}={value[0] if isinstance(value, list) else value}")
    return path + ("?" + "&".join(asked) if asked else "")
