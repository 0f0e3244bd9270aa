"""The database: one pool, transactions that retry, rows into structs.

Nothing here names a schema but the connection's ``search_path``: one schema is one retailer, and the same code
serves them all. SQL is plain and parameters are always ``$1``.
"""

import asyncio
import contextlib
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from typing import Any, Literal, TypeVar, cast

import asyncpg
import msgspec
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

from samlad.kernel.connections import UNREACHABLE, make_pool, refusals
from samlad.kernel.context import BACKGROUND, Context
from samlad.kernel.gate import EAGER, Gate
from samlad.kernel.priority import COMES_LAST
from samlad.kernel.problems import Busy, OutcomeUnknown, Problem, StillRunning
from samlad.kernel.rows import into
from samlad.kernel.settings import Settings
from samlad.kernel.tx import GoAlone, Many, Reader, Tx, asked_once, for_one, poke_marker

__all__ = [
    "ATTEMPTS",
    "RETRIED",
    "Database",
    "GoAlone",
    "Isolation",
    "Many",
    "Reader",
    "Stale",
    "Tx",
    "asked_once",
    "open_database",
]

T = TypeVar("T")
A = TypeVar("A")

Isolation = Literal["read_committed", "repeatable_read", "serializable"]


class Stale(Exception):
    """What this process remembers is not so any more: the transaction is done again, with what is so now."""


RETRIED = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError, Stale)
ATTEMPTS = 6


class Database:
    """The connection pool of one process for one retailer's schema."""

    def __init__(self, pool: asyncpg.Pool, settings: Settings, dsn: str) -> None:
        self.pool = pool
        self.settings = settings
        self.dsn = dsn
        self.on_events: Callable[[], None] = poke_marker
        """Called after each commit that appended events: the log's poker sets it."""
        self.around: Callable[[], AbstractContextManager[Any]] | None = None
        """Entered around each transaction: telemetry sets it when traces are collected."""
        # A PostgreSQL of its own machine has its own processors: what they bear is what the size of the pool says.
        self._gate = Gate(settings.pool_size, settings.pool_size if settings.database_url else EAGER)
        self._others: dict[str, Database] = {}
        self._opening = asyncio.Lock()
        self._companions: dict[Callable[[Database], Any], Any] = {}
        self._background: set[asyncio.Task[None]] = set()

    async def beside(self) -> "Database":
        """The same database through one connection of its own: for what transactions of the pool wait for.

        It waits a second for locks at most, because what PostgreSQL cannot see it cannot call a deadlock.
        """
        return await self._other(
            "beside", msgspec.structs.replace(self.settings, lock_seconds=1, pool_size=1)
        )

    async def giving_way(self) -> "Database":
        """The same database through one connection that comes last: for much that comes at once and that nobody waits for.

        Where PostgreSQL has the processor with us, people who check out meanwhile are served first.
        """
        one = msgspec.structs.replace(self.settings, pool_size=1)
        return await self._other("giving way", one, niceness=COMES_LAST)

    async def _other(self, name: str, settings: Settings, *, niceness: int = 0) -> "Database":
        async with self._opening:
            if name not in self._others:
                pool = await make_pool(self.dsn, settings, niceness=niceness)
                other = Database(pool, settings, self.dsn)
                other.on_events = lambda: self.on_events()
                self._others[name] = other
        return self._others[name]

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
        for other in self._others.values():
            await other.close()
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
        return await for_one(self, many, item)

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
    with contextlib.suppress(asyncpg.InterfaceError):  # it was lost meanwhile, and the pool has let it go
        if connection.is_closed():
            return
        try:
            await connection.execute("ROLLBACK")
        except (*UNREACHABLE, asyncpg.InterfaceError):
            connection.terminate()


def _is_unreachable(error: BaseException) -> bool:
    """InterfaceError is also raised for wrong use; only a connection that was closed is worth a second try. The pool lets go of it
    when it is lost."""
    said = str(error)
    return not isinstance(error, asyncpg.InterfaceError) or "closed" in said or "released back" in said


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
