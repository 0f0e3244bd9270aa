"""A database that stays warm: one test after another gets it, as empty as the template that it is a copy of.

A fresh copy for each test cost as much as the test: 1,800 files, and connections that know nothing of the schema yet. So
each worker keeps one copy, and the connections to it, and makes it clean before the next test has it (`Warm.clean`):
tables with rows lose them, the rows that migrations brought are as they were, sequences begin anew, and what was analyzed is
forgotten. What cannot be undone so is not
tried: a database in which anything was defined, that still has large objects, whose address a process was told, or to
which somebody else is connected is dropped, and the next test gets a fresh copy.
"""

import asyncio
import contextlib
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from unittest.mock import patch

import asyncpg
import asyncpg.pool
from asyncpg.pool import PoolConnectionHolder

from samlad.kernel import connections, database
from samlad.kernel.embedded import Embedded
from samlad.kernel.settings import Settings

FEW_PAGES = 10
"""Below this the planner takes an empty table for one of ten pages, whatever dead rows it has; above it, it is made new."""
LEAVE_SECONDS = 0.5
"""How long connections of the test before may take to be gone."""
MOST_IDLE = 24

AS_CONNECTED = "SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL; DISCARD TEMP"

WATCH = """
    CREATE SCHEMA warm;
    CREATE TABLE warm.defined (tag text NOT NULL);
    CREATE FUNCTION warm.note() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- Whoever makes an order number makes its sequence; those are dropped again.
        IF tg_tag <> 'CREATE SEQUENCE' AND (tg_tag LIKE 'DROP%' OR EXISTS (
            SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp'
        )) THEN
            INSERT INTO warm.defined VALUES (tg_tag);
        END IF;
    END $$;
    CREATE EVENT TRIGGER warm_note ON ddl_command_end EXECUTE FUNCTION warm.note();
"""

TABLES = """
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, n.nspname AS schema, c.relname AS bare,
           EXISTS (SELECT FROM pg_constraint k WHERE k.confrelid = c.oid AND k.conrelid <> c.oid) AS is_referenced
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND c.oid >= 16384 AND n.nspname NOT IN ('warm', 'pg_toast') ORDER BY 2
"""
SEQUENCES = """
    SELECT format('%I.%I', schemaname, sequencename) AS name, coalesce(last_value, start_value) AS at,
           last_value IS NOT NULL AS is_called, format('%I.%I', schemaname, sequencename)::regclass::oid AS oid
    FROM pg_sequences
"""
ADDED = """
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND c.oid <> ALL($1::oid[])
"""
BEYOND = """
    SELECT EXISTS (SELECT FROM warm.defined) OR EXISTS (SELECT FROM pg_largeobject_metadata)
        OR EXISTS (SELECT FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase
                   WHERE d.datname = current_database())
        OR EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())
"""
OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND pid <> ALL($1::int[])
"""
ANALYZED = """
    SELECT pg_clear_relation_stats(n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND c.oid >= 16384 AND c.reltuples <> -1
"""
LARGE = f"SELECT oid FROM unnest($1::oid[]) t (oid) WHERE pg_relation_size(oid) > {FEW_PAGES} * 8192"


class Warm:
    """One database of this worker, and the connections to it that nobody uses at the moment."""

    def __init__(self, dsn: str, name: str, admin: asyncpg.Connection) -> None:
        self.dsn = dsn
        self.name = name
        self.is_spoiled = False
        self.idle: dict[tuple[Any, ...], list[asyncpg.Connection]] = {}
        self._admin = admin
        self._loop = asyncio.get_running_loop()

    async def open(self) -> None:
        """Remember what the template has."""
        await self._admin.execute(WATCH)
        self._tables = await self._admin.fetch(TABLES)
        names = [table["name"] for table in self._tables]
        exists = ", ".join(f"EXISTS (SELECT FROM {name})" for name in names)
        self._has_rows = await self._admin.prepare(f"SELECT ARRAY[{exists}]")
        filled = await self._has_rows.fetchval()
        self._seeds = {
            name: await self._content(name) for name, has in zip(names, filled, strict=True) if has
        }
        sequences = await self._admin.fetch(SEQUENCES)
        self._sequences = [row["oid"] for row in sequences]
        restart = [f"setval('{row['name']}', {row['at']}, {row['is_called']})" for row in sequences]
        self._restart = await self._admin.prepare(f"SELECT {', '.join(restart)}")
        await self._admin.execute("SET session_replication_role = replica; SET event_triggers = off")

    def is_here(self) -> bool:
        """Whether this is the event loop that it lives in, and its connections may be kept."""
        return asyncio.get_running_loop() is self._loop and not self.is_spoiled

    def idle_connections(self) -> list[asyncpg.Connection]:
        """Those that live."""
        return [one for kind in self.idle.values() for one in kind if not one.is_closed()]

    async def clean(self) -> bool:
        """Make it as the template is; False if that cannot be, and it should be dropped."""
        try:
            return await self._clean()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError):
            return False  # a test ended every connection, ours too

    async def _clean(self) -> bool:
        if self.is_spoiled or not await self._is_alone() or await self._admin.fetchval(BEYOND):
            return False
        await self._empty()
        await self._restart.fetchrow()
        for name, content in self._seeds.items():
            if await self._content(name) != content:
                await self._admin.execute(f"DELETE FROM {name}")
                await _copy_in(self._admin, name, content)
        return True

    def close(self) -> None:
        """Close its connections."""
        for connection in [*self.idle_connections(), self._admin]:
            connection.terminate()

    async def _is_alone(self) -> bool:
        known = [one.get_server_pid() for one in self.idle_connections()]
        until = time.monotonic() + LEAVE_SECONDS
        while await self._admin.fetchval(OTHERS, known):
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.005)
        return True

    async def _empty(self) -> None:
        filled = await self._has_rows.fetchval()
        large = {
            row["oid"] for row in await self._admin.fetch(LARGE, [table["oid"] for table in self._tables])
        }
        added = await self._admin.fetch(ADDED, self._sequences)
        batch, made_new = [f"DROP SEQUENCE {row['name']}" for row in added], []
        for table, has_rows in zip(self._tables, filled, strict=True):
            name = table["name"]
            if table["oid"] in large and not table["is_referenced"]:
                batch.append(f"TRUNCATE {name}")
            elif has_rows and name not in self._seeds:
                batch.append(f"DELETE FROM {name}")
            if table["oid"] in large and table["is_referenced"]:
                made_new.append(name)
        if batch:
            await self._admin.execute("; ".join(batch))
        if made_new:
            await self._admin.execute(f"VACUUM {', '.join(made_new)}")
        await self._admin.execute("DELETE FROM pg_statistic WHERE starelid >= 16384")
        await self._admin.fetch(ANALYZED)

    async def _content(self, name: str) -> bytes:
        parts: list[bytes] = []

        async def keep(part: bytes) -> None:
            parts.append(part)

        await self._admin.copy_from_query(f"SELECT * FROM {name}", output=keep)
        return b"".join(parts)


async def _copy_in(connection: asyncpg.Connection, name: str, content: bytes) -> None:
    schema, table = name.split(".")

    async def parts() -> AsyncIterator[bytes]:
        yield content

    await connection.copy_to_table(table, schema_name=schema, source=parts())


class KeepingPool(asyncpg.Pool):
    """A pool like any other, but that its connections outlive it."""

    kept: list[asyncpg.Connection]
    """Of the pools before it that were like it."""

    async def _get_new_connection(self) -> asyncpg.Connection:
        while self.kept:
            connection = self.kept.pop()
            if not connection.is_closed():
                return connection
        return await super()._get_new_connection()

    async def close(self) -> None:
        """Keep the connections that are in order, once they are free, and close."""
        if not self._closed and self._initialized:
            self._closing = True
            await asyncio.gather(*(holder.wait_until_released() for holder in self._holders))
            freed = [one for holder in self._holders if (one := _taken_from(holder)) is not None]
            ready = await asyncio.gather(*map(_as_connected, freed))
            self.kept.extend(one for one in ready if one is not None)
        await super().close()


def _taken_from(holder: PoolConnectionHolder) -> asyncpg.Connection | None:
    connection, holder._con = holder._con, None
    if connection is not None:
        holder._maybe_cancel_inactive_callback()
        connection._pool_holder = None
    return connection


async def _as_connected(connection: asyncpg.Connection) -> asyncpg.Connection | None:
    """The connection as it was when it was made; None if it is not in order."""
    try:
        connection._query_loggers.clear()
        await connection._reset()
        await connection.execute(AS_CONNECTED)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        connection.terminate()
        return None
    return connection


class Databases:
    """Clean databases, one at a time, in the event loop that it is used in."""

    numbers = itertools.count()

    def __init__(self, server: Embedded, template: str) -> None:
        self._server = server
        self._template = template
        self._warm: Warm | None = None

    async def clean(self, *, only_once: bool = False) -> str:
        """URL of a database as the template is. The one of before is no more.

        Args:
            only_once: a copy of its own with connections of its own, which nobody has after it.
        """
        if self._warm is not None and (only_once or not await self._warm.clean()):
            await self.close()
        if self._warm is None:
            self._warm = await self._copy()
        self._warm.is_spoiled = only_once
        return self._warm.dsn

    async def close(self) -> None:
        """Drop what there is."""
        if self._warm is not None:
            gone, self._warm = self._warm, None
            del _living[gone.dsn]
            gone.close()
            await self._admin(f"DROP DATABASE IF EXISTS {gone.name} WITH (FORCE)")

    async def _copy(self) -> Warm:
        worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
        name = f"test_{worker}_{os.getpid()}_{next(self.numbers)}"
        await self._admin(f"CREATE DATABASE {name} TEMPLATE {self._template} STRATEGY file_copy")
        url = self._server.dsn.replace("/samlad?", f"/{name}?")
        made = Warm(url, name, await asyncpg.connect(url))
        await made.open()
        _living[url] = made
        return made

    async def _admin(self, sql: str) -> None:
        connection = await asyncpg.connect(self._server.dsn)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()


@contextlib.contextmanager
def apart(server: Embedded, template: str) -> Iterator[tuple[asyncio.AbstractEventLoop, Databases]]:
    """An event loop and its databases, for a test that runs its loop by hand and wants one after another."""
    with asyncio.Runner() as runner:
        databases = Databases(server, template)
        try:
            yield runner.get_loop(), databases
        finally:
            runner.run(databases.close())


_living: dict[str, Warm] = {}
"""By their URLs."""

_cold_pool = database.make_pool


def _pool(dsn: str, settings: Settings, *, niceness: int = 0) -> asyncpg.Pool:
    warm = _living.get(dsn)
    if warm is None or not warm.is_here():
        return _cold_pool(dsn, settings, niceness=niceness)
    kind = (settings.database_url is None, niceness, *connections.connection_options(settings).items())
    with patch.object(asyncpg.pool, "Pool", KeepingPool):
        pool = _cold_pool(dsn, settings, niceness=niceness)
    pool.kept = warm.idle.setdefault(kind, [])
    return pool


database.make_pool = _pool


def _watch_processes(event: str, args: tuple[Any, ...]) -> None:
    """A process that was told the address may live longer than the test."""
    if event in ("os.fork", "os.forkpty", "os.posix_spawn"):
        for warm in _living.values():
            warm.is_spoiled = True
    elif event == "subprocess.Popen":
        for warm in _living.values():
            warm.is_spoiled = warm.is_spoiled or _tells(args, warm.name)


def _tells(args: tuple[Any, ...], name: str) -> bool:
    _, command, _, environment = args
    said = [command] if isinstance(command, str | bytes) else list(command)
    said += list((os.environ if environment is None else environment).values())
    return any(name in os.fsdecode(one) for one in said)


sys.addaudithook(_watch_processes)
