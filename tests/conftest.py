"""One embedded PostgreSQL and one migrated template database a run; each test gets a fresh copy of it."""

import asyncio
import contextlib
import fcntl
import functools
import gc
import hashlib
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import hypothesis
import pytest
import structlog
from browser import require_chromium, server, site
from one_chromium import _function_scoped_runner, chromium, lasting_runner

from applications import running
from memory import memory
from samlad.access.permissions import permissions
from samlad.access.rate import LocalLimit
from samlad.kernel import migrations, telemetry
from samlad.kernel.context import Actor
from samlad.kernel.database import Database, open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.http import ACTOR_SCOPE
from samlad.kernel.ids import new_id
from samlad.kernel.settings import Settings, load
from samlad.packages import PACKAGES
from samlad.tax import checking
from samlad.tax.vies import RestVies
from skipping import refuse_skipped
from warm import Databases

__all__ = [
    "_function_scoped_runner",
    "chromium",
    "lasting_runner",
    "server",
    "site",
]  # fixtures for every folder

# No test asks the real VIES: one behind the gate is silent at once.
checking.use(RestVies("http://127.0.0.1:80/"))

# How long a machine that others use takes for an example says nothing about the example. In CI it does not matter already.
hypothesis.settings.register_profile(
    "patient", hypothesis.settings(), deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

ApiAs = Callable[..., contextlib.AbstractAsyncContextManager[httpx.AsyncClient]]

# Pytest closes its folder for other users whenever any run begins, also to the user that PostgreSQL runs as under
# root. A folder for each checkout keeps runs apart.
_temporary = Path(tempfile.gettempdir()) / f"samlad-tests-{hashlib.sha256(__file__.encode()).hexdigest()[:8]}"
_temporary.mkdir(exist_ok=True)
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_temporary))

TEMPLATE = "samlad_template"


gc.disable()  # until everything is loaded: nothing of it is garbage, and looking for some takes a fifth of the time


def pytest_collection_finish() -> None:
    """From here on only what tests make is looked through, not the modules and the tests themselves."""
    gc.freeze()
    gc.enable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Here and nowhere else, so that pytest says in one line what is missing and how to get it."""
    if item.get_closest_marker("browser"):
        require_chromium()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; otherwise it would end alone, with one core, when the rest is done."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is skipped."""
    report = yield
    refuse_skipped(report)
    return report


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Whoever configures logging in a test, or runs a program that does, leaves it to the next test as it was."""
    config, root = structlog.get_config(), logging.getLogger()
    handlers, level, plain = root.handlers[:], root.level, telemetry._plain_level
    yield
    telemetry._plain_level = plain
    structlog.configure(**config)
    root.handlers[:] = handlers
    root.setLevel(level)


@functools.lru_cache(maxsize=1)
def _local_limits(_modules: int) -> list[LocalLimit]:
    """Every limit of this process, by how many modules there are."""
    ours = [module for name, module in sys.modules.items() if name.startswith("samlad.")]
    return [value for module in ours for value in vars(module).values() if isinstance(value, LocalLimit)]


@pytest.fixture(autouse=True)
def limits_as_before() -> None:
    """What a test before did too often is not this one's: all of a process come from one address."""
    for limit in _local_limits(len(sys.modules)):
        limit._buckets.clear()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def postgres(run_folder: Path) -> Iterator[Embedded]:
    """The run's server; not durable and in memory where the system has a place for that: nobody keeps what it holds."""
    if (found := memory()) is not None:
        home = found / f"samlad-tests-{hashlib.sha256(str(run_folder).encode()).hexdigest()[:12]}"
    else:
        home = run_folder / "shared"
    with Embedded(home, durable=False) as server:
        yield server
    if server.pid() is None:  # the last worker has stopped it
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def template(postgres: Embedded, run_folder: Path) -> str:
    """Name of the database with all migrations applied and nothing in it."""

    async def prepare() -> None:
        admin = await asyncpg.connect(postgres.dsn)
        try:
            if await admin.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", TEMPLATE):
                return
            await admin.execute(f"CREATE DATABASE {TEMPLATE}_new")
            dsn = postgres.dsn.replace("/samlad?", f"/{TEMPLATE}_new?")
            await migrations.migrate(dsn, load({}, home=run_folder), PACKAGES)
            await admin.execute(f"ALTER DATABASE {TEMPLATE}_new RENAME TO {TEMPLATE}")
        finally:
            await admin.close()

    with (run_folder / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        asyncio.run(prepare())
    return TEMPLATE


@pytest.fixture(scope="session")
def databases(postgres: Embedded, template: str, lasting_runner: asyncio.Runner) -> Iterator[Databases]:
    """This worker's."""
    made = Databases(postgres, template)
    yield made
    lasting_runner.run(made.close())


@pytest.fixture
async def dsn(databases: Databases, request: pytest.FixtureRequest) -> str:
    """URL of a database with the schema and nothing in it (`warm`)."""
    # Whoever listens to the wire wants to see a connection from its beginning.
    return await databases.clean(only_once="wire" in request.fixturenames)


@pytest.fixture
def settings(dsn: str, tmp_path: Path) -> Settings:
    """Settings of a test: a fresh database and folder."""
    return load({}, home=tmp_path, database_url=dsn, pool_size=8)


@pytest.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    """An open database of this test's own."""
    database = await open_database(settings.database_url or "", settings)
    yield database
    await database.close()


OWNER = Actor(kind="staff", id=new_id(), name="Olivia Owner", permissions=frozenset(permissions()))
"""Somebody who may do everything, everywhere."""


@pytest.fixture
def api_as(settings: Settings, request: pytest.FixtureRequest) -> "ApiAs":
    """``async with api_as(actor) as api:`` an HTTP client of the whole application, acting as somebody."""

    @contextlib.asynccontextmanager
    async def open_client(actor: Actor = OWNER, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
        async with running(settings) as application:

            async def asgi(scope: Any, receive: Any, send: Any) -> None:
                scope[ACTOR_SCOPE] = actor
                await application(scope, receive, send)

            transport = httpx.ASGITransport(app=asgi, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://samlad.test", headers=headers
            ) as client:
                yield client

    return open_client


@pytest.fixture
async def api(api_as: "ApiAs") -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the whole application that may do everything."""
    async with api_as() as client:
        yield client


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that any connection sends, by asyncpg's own query log (prepared ones included)."""
    sent: list[str] = []
    init = asyncpg.Connection.__init__

    def watched(self: Any, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.add_query_logger(lambda record: sent.append(record.query))

    monkeypatch.setattr(asyncpg.Connection, "__init__", watched)
    return sent
