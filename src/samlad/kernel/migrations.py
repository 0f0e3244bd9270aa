"""Migrations: plain SQL files per package (``sql/0001_….sql``), forward only, checksummed, under one lock."""

import asyncio
import contextlib
import hashlib
import re
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import msgspec

from samlad.kernel.connections import EXTENSIONS_SCHEMA, UNREACHABLE, connect
from samlad.kernel.problems import Busy, Problem
from samlad.kernel.settings import Settings

EXTENSIONS = ("pg_trgm", "unaccent", "btree_gist")
PATIENCE_SECONDS = 300.0
_LOCK = 0x5A_4D_4C_41  # any number that nobody else takes
_NAME = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")


class MigrationProblem(Problem):
    """The database's history of migrations does not fit the files of this program."""

    code, status, title = "migration", 500, "The database does not fit this program"


class Migration(msgspec.Struct, frozen=True):
    """One file: ``package`` is the last part of the Python package's name, ``checksum`` SHA-256 in hex."""

    package: str
    version: int
    name: str
    checksum: str
    sql: str

    @property
    def label(self) -> str:
        """As people refer to it: ``stock/0001_stock``."""
        return f"{self.package}/{self.version:04d}_{self.name}"


def find(packages: Sequence[str]) -> list[Migration]:
    """All migrations of the packages, in the packages' order, then by number.

    Raises:
        MigrationProblem: a file with a wrong name, or numbers with a gap.
    """
    found = []
    for package in packages:
        files = sorted((_folder(package) / "sql").glob("*.sql"))
        for number, file in enumerate(files, 1):
            match = _NAME.match(file.name)
            if match is None or int(match[1]) != number:
                raise MigrationProblem(
                    f"{package}/sql/{file.name}: files are 0001_name.sql, 0002_… without gaps."
                )
            sql = file.read_text("utf-8")
            digest = hashlib.sha256(sql.encode()).hexdigest()
            found.append(Migration(package.rsplit(".", 1)[-1], number, match[2], digest, sql))
    return found


def _folder(package: str) -> Path:
    """Where a package lies; it is not imported for that, which would load all of the program."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MigrationProblem(f"There is no package {package}.")
    return Path(spec.submodule_search_locations[0])


async def plan(dsn: str, settings: Settings, packages: Sequence[str]) -> list[Migration]:
    """The migrations that `migrate` would run now, in order; nothing is changed."""
    connection = await connect(dsn, settings)
    try:
        return _pending(find(packages), await _applied(connection))
    finally:
        await connection.close()


async def migrate(dsn: str, settings: Settings, packages: Sequence[str]) -> list[Migration]:
    """Bring the schema up to date; what was run. Any number of programs may call it at once.

    Each file is one transaction together with its row in ``migration``: killed in the middle, the next call goes on.

    Raises:
        MigrationProblem: an applied file was changed, or the database is newer than this program.
    """
    connection = await connect(dsn, settings)
    try:
        await connection.execute("SET lock_timeout = 0")
        await connection.execute("SET statement_timeout = 0")
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        await _prepare_schema(connection, settings.schema)
        todo = _pending(find(packages), await _applied(connection))
        for migration in todo:
            async with connection.transaction():
                await _run(connection, migration)
        # No ANALYZE here: statistics of empty tables make later foreign-key checks three times slower.
        return todo
    finally:
        await connection.close()


async def require_current(dsn: str, settings: Settings, packages: Sequence[str]) -> None:
    """Make sure that nothing is left to run.

    Raises:
        MigrationProblem: something is; run ``samlad migrate``.
    """
    pending = await plan(dsn, settings, packages)
    if pending:
        raise MigrationProblem(
            f"The database lacks {len(pending)} migrations, from {pending[0].label} on. Run: samlad migrate"
        )


async def until_current(dsn: str, settings: Settings, packages: Sequence[str]) -> None:
    """Wait while another program starts PostgreSQL and brings the schema up to date.

    Raises:
        Busy: nobody has done so within `PATIENCE_SECONDS`.
        MigrationProblem: the database does not fit this program.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(*UNREACHABLE, Busy):
            if not await plan(dsn, settings, packages):
                return
        if time.monotonic() > deadline:
            raise Busy("The database cannot be reached, or nobody brings its schema up to date.")
        await asyncio.sleep(0.1)


async def _run(connection: asyncpg.Connection, migration: Migration) -> None:
    try:
        await connection.execute(migration.sql)
    except asyncpg.PostgresError as error:
        raise MigrationProblem(f"{migration.label}: {error}") from error
    await connection.execute(
        "INSERT INTO migration (package, version, name, checksum) VALUES ($1, $2, $3, $4)",
        migration.package,
        migration.version,
        migration.name,
        migration.checksum,
    )


async def _prepare_schema(connection: asyncpg.Connection, schema: str) -> None:
    await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {EXTENSIONS_SCHEMA}")
    for extension in EXTENSIONS:
        await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension} SCHEMA {EXTENSIONS_SCHEMA}")
    await connection.execute(
        """
        CREATE TABLE IF NOT EXISTS migration (
            package    text        NOT NULL,
            version    int         NOT NULL,
            name       text        NOT NULL,
            checksum   text        NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (package, version)
        )
        """
    )


async def _applied(connection: asyncpg.Connection) -> dict[tuple[str, int], str]:
    if await connection.fetchval("SELECT to_regclass('migration')") is None:
        return {}
    rows = await connection.fetch("SELECT package, version, checksum FROM migration")
    return {(row["package"], row["version"]): row["checksum"] for row in rows}


def _pending(files: list[Migration], applied: dict[tuple[str, int], str]) -> list[Migration]:
    known = {(m.package, m.version) for m in files}
    packages = {m.package for m in files}
    for package, version in applied:
        if package in packages and (package, version) not in known:
            raise MigrationProblem(
                f"The database has {package}/{version:04d}, which this program does not know. "
                "It was used by a newer Samlad: upgrade the program."
            )
    for migration in files:
        checksum = applied.get((migration.package, migration.version))
        if checksum not in (None, migration.checksum):
            raise MigrationProblem(
                f"{migration.label} was changed after it had been applied. Write a new one instead."
            )
    return [m for m in files if (m.package, m.version) not in applied]
