"""The tracking plan: what events of a name are expected to look like, and what of an event does not."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import jsonschema_rs
import msgspec

from samlad.kernel.problems import InvalidInput
from samlad.tracking.model import Policy
from samlad.tracking.rules import Normal, Unfit

MOST_VIOLATIONS = 10
"""Of one event that are told; the first few say what is wrong."""
MOST_DROPPED = 200
"""Places of one event that are dropped; one with more is not worth mending, and the rest of it is reported."""
LONGEST_MESSAGE = 300
LARGEST_SCHEMA = 64 * 1024

Path = tuple[str | int, ...]


class Violation(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something about an event that the plan does not allow: where (JSON pointer), what, and by which word of the schema.

    ``dropped``: it was taken out of the event.
    """

    path: str
    message: str
    rule: str = ""
    dropped: bool = False


class Expected(msgspec.Struct, frozen=True):
    """The compiled plan of one name."""

    validator: Any
    policy: Policy

    def violations(self, value: Mapping[str, Any]) -> list[Violation]:
        """What of it does not fit; empty: it does."""
        return [_violation(error) for error in _errors(self.validator, value, MOST_VIOLATIONS)]

    def mended(self, value: dict[str, Any]) -> tuple[dict[str, Any], list[Violation]]:
        """The same without what does not fit, and what that was. What is missing stays missing, and is told too."""
        errors = _errors(self.validator, value, MOST_DROPPED)
        wrong = {path for error in errors for path in _places(error)}
        told = [
            msgspec.structs.replace(_violation(error), dropped=bool(_places(error)))
            for error in errors[:MOST_VIOLATIONS]
        ]
        return (without(value, wrong) if wrong else value), told


Plan = Mapping[tuple[str, UUID | None], Expected]
"""By name and source; source None: of all that have no line of their own."""


def checked(plan: Plan, source: UUID, event: Normal) -> tuple[Normal, list[Violation]]:
    """An event as the plan lets it through, and what of it does not fit.

    Raises:
        Unfit: it is to be parked.
    """
    expected = plan.get((event.plan_name, source)) or plan.get((event.plan_name, None))
    if expected is None:
        return event, []
    if expected.policy is Policy.DROP:
        kept, violations = expected.mended(event.subject_matter)
        return (_with(event, kept) if violations else event), violations
    violations = expected.violations(event.subject_matter)
    if violations and expected.policy is Policy.PARK:
        told = "; ".join(f"{each.path}: {each.message}" for each in violations)
        raise Unfit("plan", told[:1000], type=event.type, name=event.name)
    return event, violations


def _with(event: Normal, kept: dict[str, Any]) -> Normal:
    """The event with other properties; of identify and group with other traits, wherever the client put them."""
    if event.type not in ("identify", "group"):
        return msgspec.structs.replace(event, payload=event.payload | {"properties": kept})
    payload = event.payload | {"traits": kept}
    context = payload.get("context")
    if event.type == "identify" and isinstance(context, dict) and isinstance(context.get("traits"), dict):
        around = {name: kept[name] for name in context["traits"] if name in kept}
        payload["context"] = context | {"traits": around}
    return msgspec.structs.replace(event, traits=kept, payload=payload)


def _errors(validator: Any, value: Mapping[str, Any], most: int) -> list[Any]:
    if validator.is_valid(value):
        return []
    found = []
    for error in validator.iter_errors(value):
        found.append(error)
        if len(found) == most:
            break
    return found


def _violation(error: Any) -> Violation:
    path = "/" + "/".join(str(part) for part in error.instance_path)
    rule = str(error.schema_path[-1]) if error.schema_path else ""
    return Violation(path, error.message[:LONGEST_MESSAGE], rule)


def _places(error: Any) -> list[Path]:
    """What has to go so that an error is gone; nothing where the event as a whole is wrong, as when something is missing."""
    path: Path = tuple(error.instance_path)
    unexpected = getattr(error.kind, "unexpected", None)
    if unexpected is not None:
        return [(*path, str(each)) for each in unexpected]
    return [path] if path else []


def without(value: dict[str, Any], places: set[Path] | Sequence[Path]) -> dict[str, Any]:
    """A copy of a document without some places in it. The last of a list goes first, so that places mean what they meant."""
    kept = copy.deepcopy(value)
    for path in sorted(places, key=_order, reverse=True):
        inner: Any = kept
        for part in path[:-1]:
            inner = _inside(inner, part)
        last = path[-1]
        if isinstance(inner, dict):
            inner.pop(last, None)
        elif isinstance(inner, list) and isinstance(last, int) and last < len(inner):
            del inner[last]
    return kept


def _order(path: Path) -> list[tuple[bool, int, str]]:
    return [(isinstance(part, str), part if isinstance(part, int) else 0, str(part)) for part in path]


def _inside(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(str(part))
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def compiled(schema: dict[str, Any], policy: Policy) -> Expected:
    """Compile a schema. Schemas that point elsewhere are refused: nothing is fetched to check an event.

    Patterns are matched in linear time, so they know no look-around and no back-references.

    Raises:
        InvalidInput: it is no JSON Schema, or it points to another document.
    """
    if len(msgspec.json.encode(schema)) > LARGEST_SCHEMA:
        raise InvalidInput.at("schema", f"at most {LARGEST_SCHEMA} bytes")

    def refuse(address: str) -> Any:
        raise ValueError(f"“$ref” to {address}: a schema may only point into itself")

    try:
        validator = jsonschema_rs.validator_for(
            schema, retriever=refuse, pattern_options=jsonschema_rs.RegexOptions()
        )
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        text = str(error).splitlines()[0] if str(error) else "cannot be read"
        raise InvalidInput.at("schema", f"no JSON Schema: {text}"[:500]) from None
    return Expected(validator, policy)
