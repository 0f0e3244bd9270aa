"""Migrations: in order, once, whole; refused when the files or the database are not what they should be."""

import asyncio
import itertools
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from samlad.kernel import migrations
from samlad.kernel.embedded import Embedded
from samlad.kernel.migrations import Migration, MigrationProblem
from samlad.kernel.settings import Settings, load
from samlad.packages import PACKAGES

RELEASED = Path(__file__).parent / "released"
_numbers = itertools.count()


@pytest.fixture
async def empty(postgres: Embedded) -> AsyncIterator[str]:
    """URL of a fresh database with nothing in it."""
    name = f"empty_{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.dsn)
    await admin.execute(f"CREATE DATABASE {name}")
    yield postgres.dsn.replace("/samlad?", f"/{name}?")
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.close()


@pytest.fixture
def alone(tmp_path: Path) -> Settings:
    return load({}, home=tmp_path)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ``sql`` folder of a package called ``fresh``; its files are the test's."""
    folder = tmp_path / "fresh" / "sql"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "fresh", raising=False)
    return folder


async def tables(dsn: str) -> set[str]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'samlad'")
        return {row["tablename"] for row in rows}
    finally:
        await connection.close()


async def test_the_plan_says_what_is_done_and_changes_nothing(empty: str, alone: Settings) -> None:
    planned = await migrations.plan(empty, alone, PACKAGES)
    assert planned[0].label == "kernel/0001_kernel"
    assert await tables(empty) == set()
    done = await migrations.migrate(empty, alone, PACKAGES)
    assert [m.label for m in done] == [m.label for m in planned]
    assert await migrations.plan(empty, alone, PACKAGES) == []
    assert await migrations.migrate(empty, alone, PACKAGES) == []
    await migrations.require_current(empty, alone, PACKAGES)


async def test_a_changed_file_is_refused(empty: str, alone: Settings, package: Path) -> None:
    (package / "0001_a.sql").write_text("CREATE TABLE a (id int)")
    await migrations.migrate(empty, alone, ["fresh"])
    (package / "0001_a.sql").write_text("CREATE TABLE a (id bigint)")
    for verb in (migrations.plan, migrations.migrate):
        with pytest.raises(MigrationProblem, match=r"fresh/0001_a was changed"):
            await verb(empty, alone, ["fresh"])


async def test_a_newer_database_is_refused(empty: str, alone: Settings, package: Path) -> None:
    for number in (1, 2):
        (package / f"000{number}_a.sql").write_text(f"CREATE TABLE a{number} (id int)")
    await migrations.migrate(empty, alone, ["fresh"])
    (package / "0002_a.sql").unlink()
    with pytest.raises(MigrationProblem, match=r"fresh/0002.*newer Samlad"):
        await migrations.migrate(empty, alone, ["fresh"])


@pytest.mark.parametrize("name", ["0002_gap.sql", "1_short.sql", "0001-dash.sql", "0001_Upper.sql"])
def test_files_with_wrong_names_are_refused(package: Path, name: str) -> None:
    (package / name).write_text("SELECT 1")
    with pytest.raises(MigrationProblem, match="without gaps"):
        migrations.find(["fresh"])


async def test_a_broken_file_leaves_nothing_half_done(empty: str, alone: Settings, package: Path) -> None:
    (package / "0001_a.sql").write_text("CREATE TABLE a (id int)")
    (package / "0002_b.sql").write_text("CREATE TABLE b (id int); SELECT 1 / 0")
    with pytest.raises(MigrationProblem, match="division by zero"):
        await migrations.migrate(empty, alone, ["fresh"])
    assert await tables(empty) == {"a", "migration"}
    (package / "0002_b.sql").write_text("CREATE TABLE b (id int)")
    assert [m.label for m in await migrations.migrate(empty, alone, ["fresh"])] == ["fresh/0002_b"]
    (package / "0003_c.sql").write_text("SELECT 1")
    with pytest.raises(MigrationProblem, match=r"fresh/0003_c.*samlad migrate"):
        await migrations.require_current(empty, alone, ["fresh"])


MIGRATE = """
import asyncio, sys
from samlad.kernel import migrations
from samlad.kernel.settings import load
dsn, home, *packages = sys.argv[1:]
sys.path.insert(0, home)
print(len(asyncio.run(migrations.migrate(dsn, load({}, home=home), packages))))
"""


def migrating(dsn: str, home: Path, *packages: str) -> "asyncio.Future[asyncio.subprocess.Process]":
    return asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, dsn, str(home), *packages, stdout=asyncio.subprocess.PIPE
        )
    )


async def test_four_processes_at_once_run_each_file_once(empty: str, tmp_path: Path) -> None:
    processes = await asyncio.gather(*(migrating(empty, tmp_path, *PACKAGES) for _ in range(4)))
    outputs = [(await p.communicate())[0] for p in processes]
    assert [p.returncode for p in processes] == [0] * 4
    assert sorted(int(out) for out in outputs) == [0, 0, 0, len(migrations.find(PACKAGES))]


async def test_killed_in_the_middle_the_next_goes_on(
    empty: str, alone: Settings, package: Path, tmp_path: Path
) -> None:
    (package / "0001_a.sql").write_text("CREATE TABLE a (id int)")
    (package / "0002_b.sql").write_text("CREATE TABLE b (id int); SELECT pg_sleep(3600)")
    process = await migrating(empty, tmp_path, "fresh")
    connection = await asyncpg.connect(empty)
    async with asyncio.timeout(30):
        while not await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3600)%' AND pid <> pg_backend_pid()"
        ):
            await asyncio.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    await process.communicate()
    # PostgreSQL notices the lost client at its next write; that takes too long for a test.
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    assert "b" not in await tables(empty)
    (package / "0002_b.sql").write_text("CREATE TABLE b (id int)")
    assert [m.label for m in await migrations.migrate(empty, alone, ["fresh"])] == ["fresh/0002_b"]


async def shape(dsn: str) -> list[tuple[str, ...]]:
    """Columns, indexes, constraints and functions: what two databases of one schema have in common."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            """
            SELECT 'column', table_name || '.' || column_name, data_type || coalesce(column_default, '') || is_nullable
            FROM information_schema.columns WHERE table_schema = 'samlad'
            UNION ALL SELECT 'index', indexname, indexdef FROM pg_indexes WHERE schemaname = 'samlad'
            UNION ALL SELECT 'constraint', conrelid::regclass::text || conname, pg_get_constraintdef(c.oid)
            FROM pg_constraint c WHERE connamespace = 'samlad'::regnamespace
            UNION ALL SELECT 'function', proname, prosrc FROM pg_proc WHERE pronamespace = 'samlad'::regnamespace
            ORDER BY 1, 2, 3
            """
        )
        return [tuple(row) for row in rows]
    finally:
        await connection.close()


async def test_upgrades_from_prefixes_of_the_migrations(
    empty: str, dsn: str, alone: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = migrations.find(PACKAGES)
    expected = await shape(dsn)
    for count in range(0, len(every), len(every) // 5):  # of development; the next test has the released ones
        monkeypatch.setattr(migrations, "find", lambda _packages, count=count: every[:count])
        await migrations.migrate(empty, alone, PACKAGES)
        monkeypatch.setattr(migrations, "find", lambda _packages: every)
        assert len(await migrations.migrate(empty, alone, PACKAGES)) == len(every) - count
        assert await shape(empty) == expected, f"from the first {count}"
        connection = await asyncpg.connect(empty)
        await connection.execute("DROP SCHEMA samlad CASCADE")
        await connection.close()


def released() -> list[Path]:
    """Dumps of databases of released versions: ``released/<version>.sql``, made by ``pg_dump --schema=samlad``."""
    return sorted(RELEASED.glob("*.sql"))


async def test_upgrades_from_every_release(empty: str, dsn: str, alone: Settings) -> None:
    expected = await shape(dsn)
    connection = await asyncpg.connect(empty)
    for dump in released():
        await migrations._prepare_schema(connection, "samlad")  # for the extensions
        await connection.execute("DROP SCHEMA samlad CASCADE")
        await connection.execute(dump.read_text("utf-8"))
        await migrations.migrate(empty, alone, PACKAGES)
        assert await shape(empty) == expected, dump.stem
    await connection.close()


def test_every_version_in_the_changelog_has_its_dump() -> None:
    changelog = (Path(__file__).parents[2] / "CHANGELOG.md").read_text("utf-8")
    versions = re.findall(r"^## \[?(\d+\.\d+\.\d+)", changelog, flags=re.MULTILINE)
    assert {path.stem for path in released()} == set(versions), "see tests/kernel/released/README.md"


def test_labels() -> None:
    assert Migration("stock", 3, "holds", "", "").label == "stock/0003_holds"
