"""A warm database is made exactly as the template is: every table, every sequence, whatever else."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from samlad.kernel.database import Database, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.settings import load
from warm import Databases, apart

RELATIONS = """
    SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'S') AND c.oid >= 16384 AND n.nspname NOT IN ('warm', 'pg_toast') ORDER BY 1
"""
LOOSE = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I CASCADE', conrelid::regclass, conname) FROM pg_constraint
    WHERE contype IN ('c', 'f', 'p', 'u', 'x', 'n') AND conrelid >= 16384 AND conparentid = 0 AND conislocal
    ORDER BY array_position('{f,p,u,x,c,n}'::"char"[], contype)
"""
LEAVES = "SELECT format('ALTER TABLE %s DETACH PARTITION %s', inhparent::regclass, inhrelid::regclass) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r'"


async def content(connection: asyncpg.Connection) -> dict[str, list[Any]]:
    """Every row of every table, and where every sequence is."""
    found = {}
    for name, kind in await connection.fetch(RELATIONS):
        columns = "last_value, is_called" if kind == "S" else "*"
        found[name] = [tuple(row) for row in await connection.fetch(f"SELECT {columns} FROM {name}")]
    found["large objects"] = await connection.fetch("SELECT oid FROM pg_largeobject_metadata")
    found["analyzed"] = await connection.fetch("SELECT starelid FROM pg_statistic WHERE starelid >= 16384")
    return found


@pytest.fixture
async def loose(postgres: Embedded, template: str) -> Any:
    """A template that takes any row: without constraints, and its partitions are tables."""
    name = f"loose_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    connection = await asyncpg.connect(postgres.dsn.replace("/samlad?", f"/{name}?"))
    for statements in (LEAVES, LOOSE):
        for (sql,) in await connection.fetch(statements):
            with contextlib.suppress(
                asyncpg.PostgresError
            ):  # gone with another, or an identity, which has a value
                await connection.execute(sql)
    await connection.close()
    yield name
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_every_table_and_sequence_is_as_in_the_template(postgres: Embedded, loose: str) -> None:
    databases = Databases(postgres, loose)
    dsn = await databases.clean()
    connection = await asyncpg.connect(dsn)
    before = await content(connection)
    assert len(before) > 250
    await connection.execute("SET session_replication_role = replica")
    for name, kind in await connection.fetch(RELATIONS):
        if kind == "S":
            await connection.execute(f"SELECT nextval('{name}'), nextval('{name}')")
        else:
            await connection.execute(f"DELETE FROM {name} WHERE ctid = (SELECT max(ctid) FROM {name})")
            await connection.execute(f"INSERT INTO {name} DEFAULT VALUES")
    await connection.execute("CREATE SEQUENCE samlad.of_a_test")
    await connection.execute("ANALYZE")
    filled = await content(connection)
    assert [name for name in before if filled[name] == before[name]] == ["large objects"]
    await connection.close()
    assert await databases.clean() == dsn  # made clean, not copied
    connection = await asyncpg.connect(dsn)
    assert await content(connection) == before
    await connection.close()
    await databases.close()


@pytest.mark.parametrize("rows", [1, 3_000])
async def test_a_table_of_any_size(postgres: Embedded, template: str, rows: int) -> None:
    databases = Databases(postgres, template)
    dsn = await databases.clean()
    connection = await asyncpg.connect(dsn)
    before = await content(connection)
    await connection.execute("SET session_replication_role = replica")
    many = "INSERT INTO samlad.tax_product_class SELECT (jsonb_populate_record(t, jsonb_build_object('code', t.code || n))).*"
    await connection.execute(f"{many} FROM samlad.tax_product_class t, generate_series(1, {rows}) n")
    await connection.close()
    assert await databases.clean() == dsn
    connection = await asyncpg.connect(dsn)
    assert await content(connection) == before
    await connection.close()
    await databases.close()


SPOILING = {
    "a table is made": "CREATE TABLE samlad.mine (id int)",
    "a column is added": "ALTER TABLE samlad.migration ADD COLUMN mine int",
    "a table goes": "DROP TABLE samlad.price_clock CASCADE",
    "somebody may do more": "GRANT SELECT ON samlad.migration TO PUBLIC",
    "a large object": "SELECT lo_create(0)",
}


async def test_what_cannot_be_made_clean_is_not_used_again(postgres: Embedded, template: str) -> None:
    databases = Databases(postgres, template)
    wrong = []
    for what, sql in SPOILING.items():
        dsn = await databases.clean()
        connection = await asyncpg.connect(dsn)
        await connection.execute(sql)
        await connection.close()
        if await databases.clean() == dsn:
            wrong.append(what)
    dsn = await databases.clean()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "", dsn)
    await process.wait()
    if await databases.clean() == dsn:
        wrong.append("a process knows it")
    dsn = await databases.clean()
    stays = await asyncpg.connect(dsn)
    if await databases.clean() == dsn:
        wrong.append("somebody is connected")
    stays.terminate()
    await databases.close()
    assert wrong == []


def test_connections_outlive_their_pool_as_they_were_made(
    postgres: Embedded, template: str, tmp_path: Path
) -> None:
    with apart(postgres, template) as (loop, databases):

        async def opened() -> Database:
            dsn = await databases.clean()
            return await open_database(dsn, load({}, home=tmp_path, database_url=dsn, pool_size=2))

        async def uses() -> None:
            first = await opened()
            async with first.pool.acquire() as connection:
                pid = connection.get_server_pid()
                await connection.execute("SET lock_timeout = 7; SELECT pg_advisory_lock(7)")
                await connection.execute("CREATE TEMPORARY TABLE mine (id int)")
            await first.close()
            with pytest.raises(asyncpg.InterfaceError, match="closed"):
                await first.pool.fetchval("SELECT 1")
            second = await opened()
            assert await second.value("SELECT pg_backend_pid()") == pid
            assert await second.value("SHOW lock_timeout") == f"{second.settings.lock_seconds}s"
            assert (
                await second.value(
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = $1", pid
                )
                == 0
            )
            assert await second.value("SELECT to_regclass('mine')") is None
            await second.close()

        loop.run_until_complete(uses())


async def test_a_database_whose_connections_were_ended_is_replaced(postgres: Embedded, template: str) -> None:
    databases = Databases(postgres, template)
    try:
        first = await databases.clean()
        admin = await asyncpg.connect(postgres.dsn)
        name = first.partition("?")[0].rpartition("/")[2]
        await admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1", name
        )
        await admin.close()
        second = await databases.clean()
        assert second != first
        assert await databases.clean() == second
    finally:
        await databases.close()
