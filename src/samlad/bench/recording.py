"""What a request asks the database, recorded without a trace: its transaction is rolled back.

So the very statements, with their arguments, can be sent once more without us: the measure of what we add.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, TypeVar

import asyncpg
import httpx
import msgspec

from samlad.app import create
from samlad.kernel.context import Context
from samlad.kernel.database import Database, Tx
from samlad.kernel.runtime import Runtime

T = TypeVar("T")


class Statement(msgspec.Struct, frozen=True):
    """A statement as it was given to asyncpg: the method of its connection, SQL, arguments."""

    method: str
    sql: str
    args: tuple[Any, ...]


class RecordingTx(Tx):
    """A transaction that notes what it is asked."""

    __slots__ = ("noted",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.noted: list[Statement] = []

    async def execute(self, sql: str, *args: Any) -> int:
        """Note and execute."""
        self.noted.append(Statement("execute", sql, args))
        return await super().execute(sql, *args)

    async def execute_many(self, sql: str, args: Iterable[Sequence[Any]]) -> None:
        """Note and execute."""
        rows = list(args)
        self.noted.append(Statement("executemany", sql, (rows,)))
        await super().execute_many(sql, rows)

    async def rows(self, sql: str, *args: Any) -> list[asyncpg.Record]:
        """Note and fetch."""
        self.noted.append(Statement("fetch", sql, args))
        return await super().rows(sql, *args)

    async def row(self, sql: str, *args: Any) -> asyncpg.Record | None:
        """Note and fetch."""
        self.noted.append(Statement("fetchrow", sql, args))
        return await super().row(sql, *args)

    async def value(self, sql: str, *args: Any) -> Any:
        """Note and fetch."""
        self.noted.append(Statement("fetchval", sql, args))
        return await super().value(sql, *args)


class RecordingDatabase(Database):
    """A database whose transactions are noted and rolled back, and whose plain reads are noted."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.pool, database.settings, database.dsn)
        self.transactions: list[list[Statement]] = []
        self.reads: list[Statement] = []

    async def _once(
        self,
        work: Callable[[Tx], Awaitable[T]],
        context: Context,
        begin: str,
        *,
        is_retry: bool,
    ) -> T:
        async with self.pool.acquire() as connection:
            await connection.execute(begin)
            tx = RecordingTx(connection, context, self)
            tx.is_retry = is_retry
            try:
                result = await work(tx)
                await tx.flush()
            finally:
                await connection.execute("ROLLBACK")
                tx.ended(is_committed=False)
        self.transactions.append(tx.noted)
        return result

    async def _read(self, method: str, sql: str, args: tuple[Any, ...]) -> Any:
        self.reads.append(Statement(method, sql, args))
        return await super()._read(method, sql, args)


class Recorder:
    """Our application in this process, over a `RecordingDatabase`, asked as over HTTP."""

    def __init__(self, runtime: Runtime, key: str) -> None:
        """``key`` is the API key that the requests come with."""
        self._database = RecordingDatabase(runtime.database)
        app: Any = create(runtime.settings)
        app.state.runtime = Runtime(runtime.settings, self._database, runtime.live)
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app),
            base_url="http://bench",
            headers={"authorization": f"Bearer {key}"},
        )

    async def transaction(
        self, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> list[Statement]:
        """The statements of the one transaction of a request that succeeds. One at a time."""
        self._database.transactions.clear()
        answer = await self._client.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        [noted] = self._database.transactions
        return noted

    async def read(self, path: str) -> tuple[list[Statement], bytes]:
        """The statements of a read, without the look at its key, and what was answered."""
        await self._client.get(path)  # the key is known and the caches are warm from now on
        self._database.reads.clear()
        answer = await self._client.get(path)
        assert answer.status_code == 200, answer.text
        return list(self._database.reads), answer.content


async def replay(connection: asyncpg.Connection, statements: Sequence[Statement]) -> None:
    """Send the statements of a transaction once more, in a transaction."""
    async with connection.transaction():
        for statement in statements:
            await getattr(connection, statement.method)(statement.sql, *statement.args)


async def fetch(connection: asyncpg.Connection, statements: Sequence[Statement]) -> None:
    """Send the statements of a read once more, each in a snapshot of its own."""
    for statement in statements:
        await getattr(connection, statement.method)(statement.sql, *statement.args)
