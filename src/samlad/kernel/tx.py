"""One transaction, and what can be read from: what verbs and stores are given.

Where transactions go together (`samlad.kernel.together`) a verb does not see it: it asks by `Tx.with_others`.
"""

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast
from uuid import UUID

from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from samlad.kernel.context import EVENT_IDS, Actor, Context
from samlad.kernel.outbox import Columns, KeptAnswer, PendingEvent, Statement, write
from samlad.kernel.rows import into

if TYPE_CHECKING:
    from samlad.kernel.database import Database

T = TypeVar("T")
A = TypeVar("A")


class GoAlone(BaseException):
    """Where transactions go together: this one cannot go on with the others (`Tx.with_others`)."""


class Reader(Protocol):
    """What can be read from: an open transaction, or the database (one statement a snapshot)."""

    async def rows(self, sql: str, *args: Any) -> list[Record]:
        """All rows."""
        ...

    async def row(self, sql: str, *args: Any) -> Record | None:
        """The first row, or None."""
        ...

    async def value(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        ...

    async def all(self, kind: type[T], sql: str, *args: Any) -> list[T]:
        """All rows as structs."""
        ...

    async def one(self, kind: type[T], sql: str, *args: Any) -> T | None:
        """The first row as a struct, or None."""
        ...

    async def with_others(self, many: "Many[A, T]", item: A, *, writes: bool = False) -> T:
        """What ``many`` says for an item, perhaps with those of others."""
        ...


Many = Callable[[Any, list[A]], Awaitable[Sequence[T | BaseException]]]
"""What asks the database, by a transaction or a plain reader, for many items at once."""


async def for_one(reader: Any, many: Many[A, T], item: A) -> T:
    """Ask what is asked for many for one."""
    [answer] = await many(reader, [item])
    if isinstance(answer, BaseException):
        raise answer
    return answer


def asked_once(ask: Callable[[Any], Awaitable[T]]) -> Callable[[Any], Awaitable[T]]:
    """A read without arguments: those who go together ask it once for all."""

    async def many(reader: Any, items: Sequence[None]) -> list[T]:
        return [await ask(reader)] * len(items)

    many.comes_first = True  # type: ignore[attr-defined]  # whoever asks it catches up with the others

    @functools.wraps(ask)
    async def read(reader: Any) -> T:
        return cast("T", await reader.with_others(many, None))

    return read


class Tx:
    """One open transaction: reads, writes, and the events that it will append when it commits.

    ``statements`` counts what was sent to the server, without ``BEGIN`` and ``COMMIT``. ``is_retry`` says that the same
    work was tried before and others were in its way: what is remembered from then is asked for anew.
    """

    __slots__ = (
        "_after",
        "_collected",
        "_ended",
        "_later",
        "_rolled_back",
        "_written",
        "answers",
        "connection",
        "context",
        "database",
        "doubt",
        "events",
        "is_retry",
        "is_shared",
        "statements",
    )

    def __init__(self, connection: PoolConnectionProxy, context: Context, database: "Database") -> None:
        self.connection = connection
        self.database = database
        self.context = context
        self.events: list[PendingEvent] = []
        self.answers: list[KeptAnswer] = []
        """To be kept with the events, for the same request once more."""
        self.statements = 0
        self.is_retry = False
        self.is_shared = False
        """Several go together in it: nobody of them may wait for what one of them wants."""
        self.doubt: Callable[[Tx], Awaitable[bool]] | None = None
        """Asked before a refusal stands: whether it rests on what is not so any more. Then the work is done again."""
        self._after: list[Callable[[], None]] = []
        self._ended: list[Callable[[], None]] = []
        self._rolled_back: list[Callable[[], None]] = []
        self._collected: dict[Callable[[Tx, list[Any]], Awaitable[None]], list[Any]] = {}
        self._later: list[Statement] = []
        self._written: list[UUID] = []

    @property
    def actor(self) -> Actor:
        """Who acts in this transaction."""
        return self.context.actor

    async def execute(self, sql: str, *args: Any) -> int:
        """Run a statement; the number of rows that it touched."""
        self.statements += 1
        status: str = await self.connection.execute(sql, *args)
        last = status.rsplit(" ", 1)[-1]
        return int(last) if last.isdigit() else 0

    async def execute_many(self, sql: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each row of arguments, in one round trip."""
        self.statements += 1
        await self.connection.executemany(sql, args)

    async def rows(self, sql: str, *args: Any) -> list[Record]:
        """All rows."""
        self.statements += 1
        return await self.connection.fetch(sql, *args)

    async def row(self, sql: str, *args: Any) -> Record | None:
        """The first row, or None."""
        self.statements += 1
        return await self.connection.fetchrow(sql, *args)

    async def value(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        self.statements += 1
        return await self.connection.fetchval(sql, *args)

    async def all(self, kind: type[T], sql: str, *args: Any) -> list[T]:
        """All rows as structs."""
        return into(kind, await self.rows(sql, *args))

    async def one(self, kind: type[T], sql: str, *args: Any) -> T | None:
        """The first row as a struct, or None."""
        row = await self.row(sql, *args)
        return None if row is None else into(kind, [row])[0]

    async def copy(self, table: str, columns: Sequence[str], records: Iterable[Sequence[Any]]) -> int:
        """COPY records into a table in binary form; the number of rows."""
        self.statements += 1
        status = await self.connection.copy_records_to_table(table, columns=list(columns), records=records)
        return int(status.rsplit(" ", 1)[-1])

    @contextlib.asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What fails inside is taken back alone: the transaction can go on."""
        await self.connection.execute("SAVEPOINT inner_work")
        try:
            yield
        except BaseException:
            if not self.connection.is_closed():
                await self.connection.execute("ROLLBACK TO SAVEPOINT inner_work")
            raise
        await self.connection.execute("RELEASE SAVEPOINT inner_work")

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call something quick once the commit has succeeded (never when it has not)."""
        self._after.append(callback)

    def at_rollback(self, callback: Callable[[], None]) -> None:
        """Call something quick when it was not committed, or when nobody knows whether it was."""
        self._rolled_back.append(callback)

    def at_end(self, callback: Callable[[], None]) -> None:
        """Call something quick when the transaction is over, however it ended."""
        self._ended.append(callback)

    def ended(self, *, is_committed: bool) -> None:
        """Run what waited for the end."""
        for callback in [*self._ended, *(() if is_committed else self._rolled_back)]:
            callback()

    def collect(self, write: Callable[["Tx", list[Any]], Awaitable[None]], item: Any) -> None:
        """Keep an item for ``write``, which gets all of its items in one call before the commit."""
        self._collected.setdefault(write, []).append(item)

    async def with_others(self, many: "Many[A, T]", item: A, *, writes: bool = False) -> T:  # noqa: ARG002
        """What ``many`` says for an item: a statement, or two, that can be asked for many items at once.

        Here it is asked for this one. Where transactions go together (`samlad.kernel.together`) it is asked once for all of
        them that come to it. ``many`` answers in the order of the items, and for those that it did nothing for with a
        refusal, or with `GoAlone`; ``writes``: it changes something for the others.
        """
        return await for_one(self, many, item)

    def alone(self) -> None:
        """Say that what follows is no work for several transactions at once; here it changes nothing."""

    def later(self, sql: str, *args: Any) -> None:
        """Insert rows with the last statement of the transaction: until then nobody reads them, not here either.

        What is refused is refused there. Not for updates: of two of one row in one statement the second is lost.
        """
        self._later.append((sql, args))

    def rows_later(self, sql: str, *columns: list[Any]) -> None:
        """As `later`, for SQL whose arguments are all columns of its rows: of one kind they are written together."""
        self._later.append((sql, Columns(columns)))

    async def settle(self) -> None:
        """Write what was left for later now, where something is to be done with it."""
        if self._later:
            later, self._later = self._later, []
            await write(self, later, [], [])

    def take_over(self, other: "Tx") -> None:
        """Write with this transaction what was left for the end of another, which goes together with it."""
        for write_items, items in other._collected.items():
            self._collected.setdefault(write_items, []).extend(items)
        self.answers += other.answers
        self._later += other._later
        self.events += other.events
        other.written(other.events)

    def written(self, events: Sequence[PendingEvent]) -> None:
        """Note events that are told of after the commit."""
        if events:
            self._written += [event.id for event in events]
            self._after.append(poke_marker)

    async def flush(self) -> None:
        """Write what was collected, what was left for later and the pending events now; `Database.transaction` does it before the commit."""
        while self._collected:
            write_items, items = self._collected.popitem()
            await write_items(self, items)
        if self.events or self.answers or self._later:
            events, self.events = self.events, []
            answers, self.answers = self.answers, []
            later, self._later = self._later, []
            await write(self, later, events, answers)
            self.written(events)

    def committed(self, poke: Callable[[], None]) -> None:
        """Tell of the events and run what waited for the commit."""
        told = EVENT_IDS.get()
        if told is not None:
            told += self._written
        for callback in dict.fromkeys(self._after):
            (poke if callback is poke_marker else callback)()


def poke_marker() -> None:
    """Stands in the list of a transaction that appended events; replaced by the real poke."""
