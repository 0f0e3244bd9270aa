"""Transactions that go together: while one of a kind is under way, those that come wait, and then share one.

What a transaction costs that many do at once is mostly what each does anew: to begin, to plan and run each statement, to
reach the disk; and who wants a row that another has changed waits until that one is on the disk. Verbs of which a crowd
may come therefore ask what they can by `Tx.with_others`, in statements that take many items, and those who wait are served
in one transaction, step by step, one statement for all who are at that step.

Nobody fails for another's reason. Whoever is refused, or does what is no work for several at once, before anything was
written for them, goes alone or hears so; if it comes later, everything is taken back and each goes alone. Alone is as if
there were no others: `Database.transaction`.
"""

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, TypeVar, cast

import asyncpg
import structlog

from samlad.kernel.context import BACKGROUND, Context
from samlad.kernel.database import Database, GoAlone, Many, Tx
from samlad.kernel.problems import OutcomeUnknown, Problem, StillRunning

T = TypeVar("T")
A = TypeVar("A")

LARGEST = 32
"""So many go together at most."""
REST = 64
"""So many go alone after a group of which most could not go together: trying has its price."""
STUCK_SECONDS = 0.2
"""Nothing has ended for so long: what is under way may be waiting for somebody, so one more may begin beside it."""

logger = structlog.get_logger("samlad.database")


class _Wish:
    """What a member waits for: to be asked of the database with whoever else comes to it."""

    __slots__ = ("item", "many", "writes")

    def __init__(self, many: Many[Any, Any] | None, item: Any, *, writes: bool = False) -> None:
        self.many, self.item, self.writes = many, item, writes

    def __await__(self) -> Generator["_Wish", Any, Any]:
        return (yield self)


class MemberTx(Tx):
    """The transaction as one of several sees it: its own events and actor, the statements of all."""

    __slots__ = ("may_go_alone",)

    def __init__(self, shared: Tx, context: Context) -> None:
        super().__init__(shared.connection, context, shared.database)
        self.is_shared = True
        self.may_go_alone = True
        """Nothing was written for it yet."""

    async def with_others(self, many: Many[A, T], item: A, *, writes: bool = False) -> T:
        """What ``many`` says for this item, asked with those of the others."""
        return cast("T", await _Wish(many, item, writes=writes))

    def alone(self) -> None:
        """Leave the others, unless too much was done with them."""
        if self.may_go_alone:
            raise GoAlone

    async def _one_of_ours(self, method: str, *args: Any) -> Any:
        """A statement that nobody can share: whoever can still go alone does, else it is asked between the others'."""
        self.alone()
        self.statements += 1
        return await _Wish(None, (method, args))

    async def execute(self, sql: str, *args: Any) -> int:
        """Run a statement; the number of rows that it touched."""
        return cast("int", await self._one_of_ours("execute", sql, *args))

    async def rows(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """All rows."""
        return cast("list[asyncpg.Record]", await self._one_of_ours("rows", sql, *args))

    async def row(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """The first row, or None."""
        return cast("asyncpg.Record | None", await self._one_of_ours("row", sql, *args))

    async def value(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        return await self._one_of_ours("value", sql, *args)

    async def execute_many(self, sql: str, args: Any) -> None:  # noqa: ARG002
        """No work for several at once."""
        raise GoAlone

    async def copy(self, table: str, columns: Sequence[str], records: Any) -> int:  # noqa: ARG002
        """No work for several at once."""
        raise GoAlone

    def savepoint(self) -> Any:
        """No work for several at once."""
        raise GoAlone

    async def settle(self) -> None:
        """What was left for later goes with the others' to the end."""
        if self._later:
            raise GoAlone


class Member:
    """One of those who go together: its work, how far that is, and where its caller hears what its work has answered, or
    that it is to be done alone (`_TURN`, `_ALONE`)."""

    def __init__(self, work: Callable[[Tx], Awaitable[Any]], context: Context, key: str | None) -> None:
        self.work, self.context, self.key = work, context, key
        self.verdict: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._variables = contextvars.copy_context()
        self.tx: MemberTx | None = None
        self.wish: _Wish | None = None
        self.outcome: Any = None
        self.error: Exception | None = None
        self.has_left = False

    def start(self, shared: Tx) -> None:
        """Go as far as the first wish."""
        self.tx = MemberTx(shared, self.context)
        self._work = self._worked(self.tx)
        self.go_on(None)

    async def _worked(self, tx: MemberTx) -> Any:
        try:
            return await self.work(tx)
        except Problem:
            if tx.doubt is not None and await tx.doubt(tx):
                raise GoAlone from None
            raise

    def go_on(self, answer: Any) -> None:
        """Go on with what was wished for, or with what there is against it."""
        self.wish = None
        try:
            if isinstance(answer, BaseException):
                wish = self._variables.run(self._work.throw, answer)
            else:
                wish = self._variables.run(self._work.send, answer)
        except StopIteration as end:
            self.outcome = end.value
        except GoAlone:
            self.has_left = True
        except Exception as error:  # noqa: BLE001 - goes to who waits
            self.error = error
        else:
            if isinstance(wish, _Wish):
                self.wish = wish
            else:  # it waits for something that is not the database: nobody can wait with it
                self._work.close()
                self.has_left = True

    @property
    def is_done(self) -> bool:
        """Whether its work has ended well."""
        return self.wish is None and self.error is None and not self.has_left

    def ended(self, *, is_committed: bool) -> None:
        """Run what waits for the end of its transaction."""
        if self.tx is None:
            return
        if self.wish is not None:  # the others' end has come in the middle of its work
            self._work.close()
        self._variables.run(self.tx.ended, is_committed=is_committed)
        if is_committed:
            self._variables.run(self.tx.committed, self.tx.database.on_events)


class Together:
    """The transactions of one kind in this process. One for each database handle and kind."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: deque[Member] = deque()
        self._under_way, self._allowed, self._rest = 0, 1, 0
        self._timer: asyncio.TimerHandle | None = None
        self._moved = 0.0
        """When something last ended, or began because nothing had."""

    async def transaction(
        self, work: Callable[[Tx], Awaitable[T]], context: Context = BACKGROUND, *, alone: str | None = None
    ) -> T:
        """As `Database.transaction`, with whoever else has come meanwhile."""
        if self._rest:
            self._rest -= 1
            return await self._database.transaction(work, context, alone=alone)
        if self._under_way < self._allowed and not self._waiting:
            self._under_way += 1
            return await self._take_turn(work, context, alone)
        member = Member(work, context, alone)
        if not self._waiting:
            self._moved = asyncio.get_running_loop().time()
        self._waiting.append(member)
        self._watch()
        try:
            verdict = await member.verdict
        except asyncio.CancelledError:
            if member.verdict.done() and not member.verdict.cancelled() and member.verdict.result() is _TURN:
                self._end_turn()
            raise
        if verdict is _TURN:
            return await self._take_turn(work, context, alone)
        if verdict is _ALONE:
            return await self._database.transaction(work, context, alone=alone)
        return cast("T", verdict)

    async def _take_turn(self, work: Callable[[Tx], Awaitable[T]], context: Context, alone: str | None) -> T:
        try:
            return await self._database.transaction(work, context, alone=alone)
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        self._under_way -= 1
        self._moved = asyncio.get_running_loop().time()
        if self._under_way == 0:
            self._allowed = 1
        self._begin_turn()

    def _begin_turn(self) -> None:
        group: list[Member] = []
        while self._waiting and len(group) < LARGEST and self._under_way < self._allowed:
            member = self._waiting.popleft()
            if not member.verdict.done():  # else its caller has gone
                group.append(member)
        if not group:
            return
        self._under_way += 1
        if len(group) == 1:
            group[0].verdict.set_result(_TURN)
        else:
            self._database.in_background(self._serve(group))

    def _watch(self) -> None:
        if self._timer is None and self._waiting:
            self._timer = asyncio.get_running_loop().call_later(STUCK_SECONDS, self._look)

    def _look(self) -> None:
        self._timer = None
        moment = asyncio.get_running_loop().time()
        if self._waiting and moment - self._moved >= STUCK_SECONDS:
            self._allowed = self._under_way + 1
            self._moved = moment
            self._begin_turn()
        self._watch()

    async def _serve(self, group: list[Member]) -> None:
        try:
            await self._at_once(group)
        except OutcomeUnknown as error:
            _tell(group, error)
        except Exception as error:  # noqa: BLE001 - each hears of its own when it goes alone
            logger.info("transactions went apart", members=len(group), reason=repr(error))
            self._rest = REST
        finally:
            self._end_turn()
            _tell(group, _ALONE)

    async def _at_once(self, group: list[Member]) -> None:
        """One transaction for the group. Raises `_Apart`, or what the database says, when it was taken back."""
        is_committed = False
        try:
            await self._database.only_once(lambda tx: _all(tx, group))
            is_committed = True
        finally:
            for member in group:
                member.ended(is_committed=is_committed and member.is_done)
        if sum(member.has_left for member in group) > len(group) // 2:
            self._rest = REST
        for member in group:
            if member.is_done:
                _tell([member], member.outcome)
            elif member.has_left:
                _tell([member], _ALONE)
            else:
                _tell([member], member.error)


_TURN, _ALONE = object(), object()
"""It is its turn, alone; it is to be done alone, whoever's turn it is."""


class _Apart(Exception):
    """Something was written for somebody who cannot go on."""


def _tell(group: Sequence[Member], verdict: Any) -> None:
    for member in group:
        if member.verdict.done():
            continue
        if isinstance(verdict, Exception):
            member.verdict.set_exception(verdict)
        else:
            member.verdict.set_result(verdict)


async def _all(shared: Tx, group: list[Member]) -> None:
    """The work of all, as far as it goes together; what they leave for the end is left for the end of this one."""
    shared.is_shared = True
    for member in await _free(shared, group):
        member.start(shared)
    ranks: dict[Many[Any, Any], int] = {}
    while waiting := [member for member in group if member.wish is not None]:
        await _step(shared, waiting, ranks)
    for member in group:
        if member.is_done:
            shared.take_over(cast("Tx", member.tx))
        elif member.tx is not None and not member.tx.may_go_alone:
            raise _Apart(repr(member.error) if member.error else "something that others do not wait for")


async def _free(shared: Tx, group: list[Member]) -> list[Member]:
    """Those who may begin: of those that are alone by the same words, one that nobody else is about just now."""
    keys = {member.key: member for member in group if member.key is not None}
    words = list(keys)
    is_free = dict(zip(words, await shared.database.lock_words(shared, words), strict=True))
    may = []
    for member in group:
        if member.key is None or (keys[member.key] is member and is_free[member.key]):
            may.append(member)
        else:
            member.error = StillRunning(
                "The first request with this key has not ended. Try again in a moment."
            )
    return may


async def _step(shared: Tx, waiting: list[Member], ranks: dict[Many[Any, Any], int]) -> None:
    """One statement: what only one wants or some need before they go on, else what the first came to first."""
    for member in waiting:
        wish = cast("_Wish", member.wish)
        if wish.many is None:
            method, args = wish.item
            member.go_on(await getattr(shared, method)(*args))
            return
        ranks.setdefault(wish.many, -1 if hasattr(wish.many, "comes_first") else len(ranks))
    many = min(
        (cast("_Wish", member.wish).many for member in waiting),
        key=lambda many: ranks[cast("Many[Any, Any]", many)],
    )
    these = [(member, wish) for member in waiting if (wish := cast("_Wish", member.wish)).many is many]
    answers = await cast("Many[Any, Any]", many)(shared, [wish.item for _, wish in these])
    for (member, wish), answer in zip(these, answers, strict=True):
        if wish.writes and not isinstance(answer, BaseException):
            cast("MemberTx", member.tx).may_go_alone = False
        member.go_on(answer)
