"""Sessions and keys that were verified a moment ago, so that most requests ask the database nothing.

One process remembers for `SECONDS`. What ends a session or changes somebody's rights calls `forget` after its
commit, so this process judges anew at once; other processes follow within `SECONDS`.
"""

import time
from collections import OrderedDict
from typing import Any

SECONDS = 5.0
_MOST = 20_000

_known: OrderedDict[bytes, tuple[Any, float]] = OrderedDict()
_generation = 0


def recall(key: bytes) -> Any:
    """What was verified for this hash, or None."""
    found = _known.get(key)
    if found is None:
        return None
    value, until = found
    if time.monotonic() > until:
        _known.pop(key, None)
        return None
    return value


def generation() -> int:
    """To be read before the database is asked; see `remember`."""
    return _generation


def remember(key: bytes, value: Any, asked_in: int) -> None:
    """Keep a verdict, unless something was forgotten since it was asked for: then it may already be wrong."""
    if asked_in != _generation:
        return
    _known[key] = (value, time.monotonic() + SECONDS)
    if len(_known) > _MOST:
        _known.popitem(last=False)


def forget() -> None:
    """Forget everything. Changes are rare and asking again costs one statement each."""
    global _generation
    _generation += 1
    _known.clear()
