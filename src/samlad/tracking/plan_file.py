"""The tracking plan as one JSON Schema document: written out, read in, compared with what is there. Pure.

The document checks whole events of Segment's kind: any validator of JSON Schema (2020-12) can use it in a client's own tests.
Each line of the plan is a schema of its own in ``$defs``, with its own ``$id``, so that a ``$ref`` inside it still points into
itself; what JSON Schema has no word for stands there as ``x-event``, ``x-policy`` and ``x-source``.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from samlad.kernel.problems import InvalidInput
from samlad.tracking.model import EventSchema, Policy, SchemaInput

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TYPES = ("identify", "group", "page", "screen", "alias")
_OF_TRAITS = ("identify", "group")
_OURS = ("$id", "x-event", "x-policy", "x-source")
MOST_LINES = 2_000


class Differences(msgspec.Struct, frozen=True, kw_only=True):
    """What an import changes, by names of events."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    same: int


def written(lines: Iterable[EventSchema]) -> dict[str, Any]:
    """The plan as a document."""
    ordered = sorted(lines, key=lambda line: (line.event, str(line.source or "")))
    names = [_name(line.event, line.source) for line in ordered]
    return {
        "$schema": DIALECT,
        "title": "Tracking plan",
        "type": "object",
        "allOf": [
            _checks(line.event, name)
            for line, name in zip(ordered, names, strict=True)
            if line.source is None
        ],
        "$defs": {name: _definition(line, name) for line, name in zip(ordered, names, strict=True)},
    }


def _name(event: str, source: UUID | None) -> str:
    return event if source is None else f"{event} ({source})"


def _definition(line: EventSchema, name: str) -> dict[str, Any]:
    own = {key: value for key, value in line.schema.items() if key not in _OURS}
    more = {"x-event": line.event, "x-policy": line.policy}
    if line.source is not None:
        more["x-source"] = str(line.source)
    return {"$id": f"urn:samlad:plan:{name.encode().hex()}", **own, **more}


def _checks(event: str, name: str) -> dict[str, Any]:
    """If an event is this one, its properties (traits) are as the line says."""
    if event in TYPES:
        when: dict[str, Any] = {"properties": {"type": {"const": event}}, "required": ["type"]}
    else:
        when = {
            "properties": {"type": {"const": "track"}, "event": {"const": event}},
            "required": ["type", "event"],
        }
    place = "traits" if event in _OF_TRAITS else "properties"
    return {"if": when, "then": {"properties": {place: {"$ref": f"urn:samlad:plan:{name.encode().hex()}"}}}}


def read(document: Mapping[str, Any]) -> list[SchemaInput]:
    """The lines of a document; a definition without ``x-event`` is the line of the event that it is called by.

    Raises:
        InvalidInput: it has none, or a line of it cannot be one; the field names the line.
    """
    found = document.get("$defs")
    if not isinstance(found, dict):
        raise InvalidInput.at("document/$defs", "an object with a JSON Schema for each event")
    if len(found) > MOST_LINES:
        raise InvalidInput.at("document/$defs", f"at most {MOST_LINES} lines")
    lines = [_line(name, definition) for name, definition in found.items()]
    keys = [(line.event, line.source) for line in lines]
    twice = next((line.event for line in lines if keys.count((line.event, line.source)) > 1), None)
    if twice is not None:
        raise InvalidInput.at("document/$defs", f"“{twice}” is there twice")
    return lines


def _line(name: str, definition: object) -> SchemaInput:
    place = f"document/$defs/{name}"
    if not isinstance(definition, dict):
        raise InvalidInput.at(place, "a JSON Schema is an object")
    given = {
        "event": definition.get("x-event", name),
        "policy": definition.get("x-policy", Policy.REPORT),
        "source": definition.get("x-source"),
        "schema": {key: value for key, value in definition.items() if key not in _OURS},
    }
    try:
        return msgspec.convert(given, SchemaInput)
    except msgspec.ValidationError as error:
        raise InvalidInput.at(place, str(error)) from None


def differences(
    before: Sequence[EventSchema], after: Sequence[SchemaInput], *, replaces: bool
) -> Differences:
    """What becomes of the plan; ``replaces``: what the document does not have goes."""
    there = {(line.event, line.source): (line.schema, line.policy) for line in before}
    wanted = {(line.event, line.source): (line.schema, line.policy) for line in after}
    changed = [key for key in wanted if key in there and there[key] != wanted[key]]
    return Differences(
        added=sorted(_name(*key) for key in wanted if key not in there),
        changed=sorted(_name(*key) for key in changed),
        removed=sorted(_name(*key) for key in there if key not in wanted) if replaces else [],
        same=sum(1 for key in wanted if key in there) - len(changed),
    )
