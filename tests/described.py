"""The OpenAPI document that tests read. Making it takes ten seconds, so it is made once for each state of the source."""

import fcntl
import hashlib
import pickle
from pathlib import Path
from typing import Any

from samlad.app import create
from samlad.kernel.openapi import document
from samlad.kernel.settings import load

ROOT = Path(__file__).parents[1]
LONGEST = 1000
"""Longer texts are not drawn: a pattern of up to 100,000 characters costs seconds to make a generator of, and
Hypothesis never draws as many."""


def _source() -> str:
    """A digest of all that the document is made of: our source, and the exact versions of what it is built with."""
    digest = hashlib.sha256()
    for path in [*sorted((ROOT / "src").rglob("*.py")), *sorted((ROOT / "locks").glob("*.txt"))]:
        digest.update(f"{path.relative_to(ROOT)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _document() -> Any:
    """The document, kept below ``var``. The workers of a run need it at the same moment: one makes it."""
    folder = ROOT / "var" / "openapi"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"{_source()}.pickle"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            for outdated in folder.glob("*.pickle"):
                outdated.unlink()
            unfinished = kept.with_suffix(".new")
            unfinished.write_bytes(pickle.dumps(document(create(load({})))))
            unfinished.rename(kept)
        return pickle.loads(kept.read_bytes())


DOCUMENT = _document()


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
