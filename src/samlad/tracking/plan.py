"""The tracking plan: what events of a name are expected to look like, and what of an event does not."""

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import msgspec

from samlad.kernel.problems import InvalidInput
from samlad.tracking.model import Policy

MOST_VIOLATIONS = 10
"""Of one event that are told; the first few say what is wrong."""
LONGEST_MESSAGE = 300
LARGEST_SCHEMA = 64 * 1024


class Violation(msgspec.Struct, frozen=True):
    """Something about an event that the plan does not allow: where (JSON pointer) and what."""

    path: str
    message: str


class Expected(msgspec.Struct, frozen=True):
    """The compiled plan of one name."""

    validator: Any
    policy: Policy

    def violations(self, value: Mapping[str, Any]) -> list[Violation]:
        """What of it does not fit; empty: it does."""
        if self.validator.is_valid(value):
            return []
        found = []
        for error in self.validator.iter_errors(value):
            path = "/" + "/".join(str(part) for part in error.instance_path)
            found.append(Violation(path, error.message[:LONGEST_MESSAGE]))
            if len(found) == MOST_VIOLATIONS:
                break
        return found


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
