"""Text from an address, as far as a database and a page can take it."""

import re

LONGEST = 200
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def typed(text: str | None) -> str:
    """What was asked for, without control characters and not endless."""
    return _CONTROL.sub(" ", text or "").strip()[:LONGEST]
