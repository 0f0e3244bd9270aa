"""The database: one pool, transactions that retry, rows into structs.

Nothing here names a schema but the connection's ``search_path``: one schema is one retailer, and the same code
serves them all. SQL is plain and parameters are always ``$1``.
"""

import asyncio
import contextlib
import functools
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from typing import Any, Literal, Protocol, TypeVar, cast
from uuid import UUID

import asyncpg
import msgspec
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from samlad.kernel.connections import UNREACHABLE, make_pool, refusals
from samlad.kernel.context import BACKGROUND, EVENT_IDS, Actor, Context
from samlad.kernel.gate import EAGER, Gate
from samlad.kernel.outbox import Columns, KeptAnswer, PendingEvent, Statement, write
from samlad.kernel.problems import Busy, OutcomeUnknown, Problem, StillRunning
from samlad.kernel.rows import into
from samlad.kernel.settings import Settings

T = TypeVar("T")
A = TypeVar("A")

Isolation = Literal["read_committed", "repeatable_read", "serializable"]


class GoAlone(BaseException):
    """Where transactions go together: this one cannot go on with the others (`Tx.with_others`)."""


class Stale(Exception):
    """What this process remembers is not so any more: the transaction is done again, with what is so now."""


RETRIED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, Stale)
ATTEMPTS = 6


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


async def _for_one(reader: Any, many: Many[A, T], item: A) -> T:
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
        return await _for_one(self, many, item)

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
            self._after.append(_poke_marker)

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
            (poke if callback is _poke_marker else callback)()


def _poke_marker() -> None:
    """Stands in the list of a transaction that appended events; replaced by the real poke."""


class Database:
    """The connection pool of one process for one retailer's schema."""

    def __init__(self, pool: asyncpg.Pool, settings: Settings, dsn: str) -> None:
        self.pool = pool
        self.settings = settings
        self.dsn = dsn
        self.on_events: Callable[[], None] = _poke_marker
        """Called after each commit that appended events: the log's poker sets it."""
        self.around: Callable[[], AbstractContextManager[Any]] | None = None
        """Entered around each transaction: telemetry sets it when traces are collected."""
        # A PostgreSQL of its own machine has its own processors: what they bear is what the size of the pool says.
        self._gate = Gate(settings.pool_size, settings.pool_size if settings.database_url else EAGER)
        self._beside: Database | None = None
        self._opening = asyncio.Lock()
        self._companions: dict[Callable[[Database], Any], Any] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def beside(self) -> "Database":
        """The same database through one connection of its own: for what transactions of the pool wait for.

        It waits a second for locks at most, because what PostgreSQL cannot see it cannot call a deadlock.
        """
        async with self._opening:
            if self._beside is None:
                settings = msgspec.structs.replace(self.settings, lock_seconds=1, pool_size=1)
                beside = Database(await make_pool(self.dsn, settings), settings, self.dsn)
                beside.on_events = lambda: self.on_events()
                self._beside = beside
        return self._beside

    @contextlib.asynccontextmanager
    async def patient(self) -> "AsyncIterator[Database]":
        """The same database without a limit of time for a statement: for what looks through all there is."""
        settings = msgspec.structs.replace(self.settings, statement_seconds=0, pool_size=2)
        patient = Database(await make_pool(self.dsn, settings), settings, self.dsn)
        patient.on_events = lambda: self.on_events()
        try:
            yield patient
        finally:
            await patient.close()

    def companion(self, kind: Callable[["Database"], T]) -> T:
        """The one object of its kind that goes with this handle."""
        found: T | None = self._companions.get(kind)
        if found is None:
            found = self._companions[kind] = kind(self)
        return found

    def in_background(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it soon, and at the latest before closing."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[PoolConnectionProxy]:
        """One of the pool, in turn."""
        await self._gate.enter()
        try:
            async with self.pool.acquire() as connection:
                yield connection
        finally:
            self._gate.leave()

    async def close(self) -> None:
        """Close every connection, waiting at most five seconds for those in use."""
        if self._background:
            await asyncio.wait(self._background, timeout=5)
        if self._beside is not None:
            await self._beside.close()
        try:
            await asyncio.wait_for(self.pool.close(), 5)
        except TimeoutError:
            self.pool.terminate()

    async def transaction(
        self,
        work: Callable[[Tx], Awaitable[T]],
        context: Context = BACKGROUND,
        *,
        isolation: Isolation | None = None,
        alone: str | None = None,
    ) -> T:
        """Run ``work`` in one transaction and answer what it answers; its events are written with it.

        ``work`` may run several times (serialization failure, deadlock, a connection that broke before the
        commit), so whatever it does outside the transaction must wait for `Tx.after_commit`. Of transactions that are
        ``alone`` by the same words one runs at a time.

        Raises:
            StillRunning: another that is ``alone`` by these words has not ended.
            Busy: the database could not be reached, or a lock or statement ran into its time limit.
            OutcomeUnknown: the connection broke while the commit was under way.
        """
        begin = _begin(isolation, None if alone is None else f"{self.settings.schema} {alone}")
        if self.around is None:
            return await self._until_done(work, context, begin)
        with self.around():
            return await self._until_done(work, context, begin)

    async def _until_done(self, work: Callable[[Tx], Awaitable[T]], context: Context, begin: str) -> T:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return await self._once(work, context, begin, is_retry=attempt > 1)
            except RETRIED:
                if attempt == ATTEMPTS:
                    raise Busy("Others keep changing the same rows.") from None
            except (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError) as error:
                raise Busy(f"A time limit of the database was reached: {error}.") from error
            except (*UNREACHABLE, asyncpg.InterfaceError) as error:
                if not _is_unreachable(error):
                    raise
                if attempt == ATTEMPTS:
                    raise Busy("The database cannot be reached.") from error
                await asyncio.sleep(0.2 * attempt)
            await asyncio.sleep(random.uniform(0.001, 0.004 * 2**attempt))  # noqa: S311 - jitter, not a secret
        raise AssertionError("unreachable")

    async def _once(
        self, work: Callable[[Tx], Awaitable[T]], context: Context, begin: str, *, is_retry: bool
    ) -> T:
        async with self._connection() as connection:
            tx = Tx(connection, context, self)
            tx.is_retry = is_retry
            is_committed = False
            try:
                result = await self._run(tx, begin, work)
                is_committed = True
            finally:
                tx.ended(is_committed=is_committed)
        tx.committed(self.on_events)
        return result

    async def _run(self, tx: Tx, begin: str, work: Callable[[Tx], Awaitable[T]]) -> T:
        connection = tx.connection
        try:
            if await connection.execute(begin) == _TAKEN:
                raise StillRunning("The first request with this key has not ended. Try again in a moment.")
            result = await self._work(tx, work)
            await tx.flush()
        except BaseException:
            await _roll_back(connection)
            raise
        try:
            await connection.execute("COMMIT")
        except (*UNREACHABLE, asyncpg.InterfaceError) as error:
            raise OutcomeUnknown("It may or may not have been done.") from error
        return result

    async def _work(self, tx: Tx, work: Callable[[Tx], Awaitable[T]]) -> T:
        try:
            return await work(tx)
        except Problem as problem:
            if tx.doubt is None or tx.is_retry:
                raise
            try:
                is_outdated = await tx.doubt(tx)
            except asyncpg.PostgresError:  # the transaction had failed before
                raise problem from None
            if is_outdated:
                raise Stale from problem
            raise

    async def rows(self, sql: str, *args: Any) -> list[Record]:
        """All rows, in a snapshot of its own."""
        return cast("list[Record]", await self._read("fetch", sql, args))

    async def row(self, sql: str, *args: Any) -> Record | None:
        """The first row, or None."""
        return cast("Record | None", await self._read("fetchrow", sql, args))

    async def value(self, sql: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        return await self._read("fetchval", sql, args)

    async def all(self, kind: type[T], sql: str, *args: Any) -> list[T]:
        """All rows as structs."""
        return into(kind, await self.rows(sql, *args))

    async def one(self, kind: type[T], sql: str, *args: Any) -> T | None:
        """The first row as a struct, or None."""
        row = await self.row(sql, *args)
        return None if row is None else into(kind, [row])[0]

    async def with_others(self, many: Many[A, T], item: A, *, writes: bool = False) -> T:  # noqa: ARG002
        """What ``many`` says for an item."""
        return await _for_one(self, many, item)

    async def only_once(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """As `transaction`, tried once: what the database says against it is raised as it says it."""
        with contextlib.nullcontext() if self.around is None else self.around():
            return await self._once(work, BACKGROUND, "BEGIN", is_retry=False)

    async def lock_words(self, tx: Tx, words: Sequence[str]) -> list[bool]:
        """Take the locks that ``alone`` takes in `transaction`, and say of each whether it was free. One statement."""
        rows = await tx.rows(
            "SELECT pg_try_advisory_xact_lock(w.lock) AS is_free FROM unnest($1::bigint[]) WITH ORDINALITY AS w (lock, n) ORDER BY w.n",
            [_lock_of(f"{self.settings.schema} {each}") for each in words],
        )
        return [row["is_free"] for row in rows]

    async def _read(self, method: str, sql: str, args: tuple[Any, ...]) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._connection() as connection:
                    return await getattr(connection, method)(sql, *args)
            except asyncpg.QueryCanceledError as error:
                raise Busy(f"A time limit of the database was reached: {error}.") from error
            except (*UNREACHABLE, asyncpg.InterfaceError) as error:
                if not _is_unreachable(error):
                    raise
                if attempt == ATTEMPTS:
                    raise Busy("The database cannot be reached.") from error
                await asyncio.sleep(0.2 * attempt)
        raise AssertionError("unreachable")


_TAKEN = "SELECT 0"
"""What is answered to `_begin` by who must be alone and is not."""


def _begin(isolation: Isolation | None, alone: str | None) -> str:
    """The statement that begins a transaction, and in the same message takes a lock on some words, if nobody has it."""
    begin = "BEGIN" if isolation is None else f"BEGIN ISOLATION LEVEL {isolation.replace('_', ' ')}"
    if alone is None:
        return begin
    lock = _lock_of(alone)
    return f"{begin}; SELECT FROM (SELECT pg_try_advisory_xact_lock({lock}) AS is_free) AS l WHERE is_free"


def _lock_of(words: str) -> int:
    return int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "big", signed=True)


async def _roll_back(connection: PoolConnectionProxy) -> None:
    """Undo, or if that cannot be said to the server any more, cut the connection, which undoes too."""
    if connection.is_closed():
        return
    try:
        await connection.execute("ROLLBACK")
    except (*UNREACHABLE, asyncpg.InterfaceError):
        connection.terminate()


def _is_unreachable(error: BaseException) -> bool:
    """InterfaceError is also raised for wrong use; only a closed connection is worth a second try."""
    return not isinstance(error, asyncpg.InterfaceError) or "closed" in str(error)


async def open_database(dsn: str, settings: Settings) -> Database:
    """Open the pool.

    Raises:
        Busy: no server answers at this address, or it does not let us in; the message says what it said.
    """
    async with AsyncExitStack() as stack:
        with refusals():
            pool = await stack.enter_async_context(make_pool(dsn, settings))
            async with pool.acquire():  # a wrong address is told now, not at the first request
                pass
        stack.pop_all()
    return Database(pool, settings, dsn)
