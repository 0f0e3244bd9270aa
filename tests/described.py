"""The OpenAPI document that tests read; making it takes seconds, so each worker makes it once."""

from typing import Any

from samlad.app import create
from samlad.kernel.openapi import document
from samlad.kernel.settings import load

DOCUMENT = document(create(load({})))
LONGEST = 1000
"""Longer texts are not drawn: a pattern of up to 100,000 characters costs seconds to make a generator of, and
Hypothesis never draws as many."""


def drawable(part: Any = DOCUMENT) -> Any:
    """A copy to draw requests from, in which no text may be longer than `LONGEST`."""
    if isinstance(part, list):
        return [drawable(each) for each in part]
    if not isinstance(part, dict):
        return part
    return {
        name: min(each, LONGEST) if name == "maxLength" and isinstance(each, int) else drawable(each)
        for name, each in part.items()
    }
