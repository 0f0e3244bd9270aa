"""How many of a process use the database at once: few, and one more only when that does not get them on.

A new connection knows nothing: what it plans and loads for its first order costs PostgreSQL more than twenty orders on
one that is warm. When a crowd comes to a process, its warm connections serve it sooner than a dozen new ones would that
take the processor from them.
"""

import asyncio
from collections import deque

EAGER = 4
"""So many are let in at once without waiting, where PostgreSQL shares the machine with us."""
STUCK_SECONDS = 0.2
"""Nobody has left for so long: those inside wait for something, so one more may come in."""
SLOW_SECONDS = 1.0
"""Somebody has waited for so long though others leave: perhaps those inside take long."""


class Gate:
    """Lets callers in by turns. Use `enter`, then `leave`, whatever happened between."""

    def __init__(self, most: int, eager: int = EAGER) -> None:
        """``most``: so many at once whatever happens; ``eager``: so many without waiting."""
        self._most = most
        self._allowed = self._eager = min(eager, most)
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._grown = self._left = 0.0

    async def enter(self) -> None:
        """Wait for a turn; first come, first in."""
        if self._inside < self._allowed and not self._waiting:
            self._inside += 1
            return
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        if not self._waiting:
            self._grown = self._left = loop.time()
        self._waiting.append(turn)
        self._watch()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            raise

    def leave(self) -> None:
        """Let the next one in."""
        self._inside -= 1
        if self._waiting:
            self._left = asyncio.get_running_loop().time()
            self._admit()
        elif self._inside == 0:
            self._allowed = self._eager

    def _admit(self) -> None:
        while self._waiting and self._inside < self._allowed:
            turn = self._waiting.popleft()
            if not turn.done():
                self._inside += 1
                turn.set_result(None)

    def _watch(self) -> None:
        if self._timer is None and self._waiting and self._allowed < self._most:
            self._timer = asyncio.get_running_loop().call_later(STUCK_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        moment = asyncio.get_running_loop().time()
        since = moment - max(self._left, self._grown)
        if self._waiting and (since >= STUCK_SECONDS or moment - self._grown >= SLOW_SECONDS):
            self._allowed += 1
            self._grown = moment
            self._admit()
        self._watch()
