"""Who waits for an answer in this process, so that what can wait lets them go first.

A request is waited for from its arrival until its answer begins: a stream that stays open holds nobody up.
"""

import asyncio
from typing import Any

WAITED_FOR = "samlad.waited_for"
"""ASGI scope key: somebody waits for this request."""
PAUSE_SECONDS = 0.002
"""Between two strides of what can wait, while somebody else waits: a few statements of theirs."""

_waiting = 0


def arrive(scope: Any) -> None:
    """A request came."""
    global _waiting
    scope[WAITED_FOR] = True
    _waiting += 1


def leave(scope: Any) -> None:
    """It is answered, or lets others go first from now on. Said twice it counts once."""
    global _waiting
    if scope.pop(WAITED_FOR, False):
        _waiting -= 1


def waited_for() -> int:
    """How many requests of this process somebody waits for."""
    return _waiting


async def let_others() -> None:
    """Give others a turn; a longer one while requests wait that have not said that they can."""
    await asyncio.sleep(PAUSE_SECONDS if _waiting else 0)
