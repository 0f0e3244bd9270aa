"""A crowd that wants what there is little of: most of it is to hear soon that it came too late, at little cost.

So many of a process order at once, the others wait for their turn. Whenever somebody is refused because goods are gone, one
look is taken for all who wait: who wants what is gone hears so then, and need not be priced, locked and taken back for it.
Who comes shortly after such a refusal takes part in the next look first. Nobody is told what was so before they asked: a
look begins after they came, and whether it is taken decides nothing but how soon and how dearly they hear it. What is not
wholly gone by it is decided by the order itself.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import msgspec
import structlog

from samlad.kernel.database import Database
from samlad.kernel.problems import Problem
from samlad.stock import SoldOut

INSIDE = 20
"""So many order at once in one process: enough to go together, and few enough that most of a crowd is told by one look."""
WARY_SECONDS = 1.0
"""So long after a refusal those who come look first."""
LARGEST_LOOK = 256

Look = Callable[[Database, Sequence[Any]], Awaitable[Sequence[SoldOut | None]]]

logger = structlog.get_logger("samlad.orders")


class Question(msgspec.Struct, frozen=True):
    """Whether what somebody wants is wholly gone: ``look`` says it for many ``wanted`` of its kind at once, in their order."""

    look: Look
    wanted: Any


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    question: Question
    verdict: asyncio.Future[None]

    @property
    def is_over(self) -> bool:
        """Told, let in, or gone away."""
        return self.verdict.done()


class Crowd:
    """Those who order in one process. One for each database handle (`Database.companion`)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._inside = 0
        self._room: deque[_Waiting] = deque()
        self._asking: list[_Waiting] = []
        self._looks_around = False
        """A look is to be taken for the room, or is under way: nobody is let in to hear there what it is about to say."""
        self._wary_until = 0.0
        self._task: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def turn(self, question: Question) -> AsyncIterator[None]:
        """Wait for a turn to order, and let the next one in afterwards.

        Raises:
            SoldOut: what is wanted was gone meanwhile.
        """
        if asyncio.get_running_loop().time() < self._wary_until:
            await self._ask(question)
        await self._enter(question)
        try:
            yield
        except SoldOut:
            self._beware()
            raise
        finally:
            self._leave()

    async def _ask(self, question: Question) -> None:
        """Take part in the next look."""
        asking = _Waiting(question, asyncio.get_running_loop().create_future())
        self._asking.append(asking)
        self._begin()
        await asking.verdict

    async def _enter(self, question: Question) -> None:
        if self._inside < INSIDE and not self._room:
            self._inside += 1
            return
        waiting = _Waiting(question, asyncio.get_running_loop().create_future())
        self._room.append(waiting)
        try:
            await waiting.verdict
        except asyncio.CancelledError:
            if waiting.is_over and not waiting.verdict.cancelled() and waiting.verdict.exception() is None:
                self._leave()  # it had been let in
            raise

    def _leave(self) -> None:
        self._inside -= 1
        self._admit()

    def _admit(self) -> None:
        while self._room and self._inside < INSIDE and not self._looks_around:
            waiting = self._room.popleft()
            if not waiting.is_over:
                self._inside += 1
                waiting.verdict.set_result(None)

    def _beware(self) -> None:
        self._wary_until = asyncio.get_running_loop().time() + WARY_SECONDS
        if self._room:
            self._looks_around = True
            self._begin()

    def _begin(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._work(), name="orders-crowd")

    async def _work(self) -> None:
        try:
            while self._asking or self._looks_around:
                asking, self._asking = self._asking, []
                group = [*asking, *(self._room if self._looks_around else ())]
                try:
                    for start in range(0, len(group), LARGEST_LOOK):
                        await self._tell(group[start : start + LARGEST_LOOK])
                finally:
                    self._looks_around = False
                    _let_go(asking)
                    self._admit()
        finally:
            self._task = None
            _let_go(self._asking)

    async def _tell(self, group: Sequence[_Waiting]) -> None:
        """Look for a group, and tell those of it for whom nothing is left."""
        by_kind: defaultdict[Look, list[_Waiting]] = defaultdict(list)
        for each in group:
            if not each.is_over:
                by_kind[each.question.look].append(each)
        for look, those in by_kind.items():
            try:
                verdicts = await look(self._database, [each.question.wanted for each in those])
            except Problem as problem:  # they hear it when it is their turn
                logger.info("a look at what is gone failed", error=str(problem))
                continue
            for each, verdict in zip(those, verdicts, strict=True):
                if verdict is not None and not each.is_over:
                    each.verdict.set_exception(verdict)


def _let_go(asking: Sequence[_Waiting]) -> None:
    """Who was told nothing goes on."""
    for each in asking:
        if not each.is_over:
            each.verdict.set_result(None)


def turn(database: Database, question: Question) -> contextlib.AbstractAsyncContextManager[None]:
    """A turn to order among those of this process; see `Crowd.turn`."""
    return database.companion(Crowd).turn(question)
