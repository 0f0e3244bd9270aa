"""A real ``samlad serve`` to measure and to kill, and the fresh shop that it serves."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Self

import psutil

from samlad.bench.meter import Meter
from samlad.bench.wire import Answer, Connection, request
from samlad.kernel.embedded import Embedded
from samlad.kernel.runtime import Runtime, open_runtime
from samlad.kernel.settings import Settings, load
from samlad.kernel.telemetry import configure_logging
from samlad.packages import PACKAGES

READY_SECONDS = 120.0
STOP_SECONDS = 40.0
LOOK_SECONDS = 0.02

HOST = "127.0.0.1"


def settings_of(home: Path) -> Settings:
    """Settings of a shop in a folder: defaults, whatever the environment says; quiet in this process."""
    return load({}, home=home, log_level="warning")


@contextlib.asynccontextmanager
async def fresh_shop(within: Path | None = None) -> AsyncIterator[Runtime]:
    """An empty shop in a folder of its own, durable like a real one, gone afterwards; open for this process."""
    with tempfile.TemporaryDirectory(prefix="samlad-bench-", dir=within) as folder:
        settings = settings_of(Path(folder))
        configure_logging(settings)
        async with open_runtime(settings, packages=PACKAGES) as runtime:
            yield runtime


def postgres_pid(home: Path) -> int:
    """Process id of the shop's PostgreSQL.

    Raises:
        ProcessLookupError: it does not run.
    """
    pid = Embedded(home).pid()
    if pid is None:
        raise ProcessLookupError(f"no PostgreSQL runs in {home}")
    return pid


class Server:
    """``samlad serve`` on a free port. Use with ``async with``, or `start` and `stop`."""

    def __init__(
        self, home: Path, *, workers: int = 1, worker: bool = True, more: Mapping[str, str] | None = None
    ) -> None:
        """``workers`` are web processes; ``worker`` is the one in the background; ``more`` its environment has besides."""
        self.home = home
        self.settings = settings_of(home)
        self.host = HOST
        self.port = _free_port()
        self.log = home / "serve.log"
        self._workers = workers
        self._arguments = ["--workers", str(workers), "--worker" if worker else "--no-worker"]
        self._more = dict(more or {})
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def pid(self) -> int:
        """Process id of the top of its process tree."""
        assert self._process is not None
        return self._process.pid

    async def start(self) -> float:
        """Start it; the seconds until it was ready.

        Raises:
            RuntimeError: it ended or did not become ready; with the end of what it said.
        """
        began = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220, S603 - our own program; it returns at once
                [sys.executable, "-m", "samlad.cli", "serve", "--port", str(self.port), *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**environment(self.home), **self._more},
                start_new_session=True,  # Ctrl-C is for us; we then stop it in order
            )
        try:
            async with asyncio.timeout(READY_SECONDS):
                while not await self._is_ready():
                    if self._process.poll() is not None:
                        raise RuntimeError(f"samlad serve ended: {self._said()}")
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            await self.stop()
            raise RuntimeError(f"samlad serve did not become ready: {self._said()}") from None
        except BaseException:
            await self.stop()
            raise
        return time.monotonic() - began

    async def _is_ready(self) -> bool:
        """Whether it can serve, on all of its web processes."""
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                answer = await self.ask(request("GET", "/health/ready"))
            return answer.status == 200 and len(self.listening()) == self._workers
        return False

    def listening(self) -> list[int]:
        """Process ids of the web processes that take connections."""
        found = []
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(each.status == psutil.CONN_LISTEN for each in process.net_connections("tcp")):
                    found.append(process.pid)
        return found

    def meters(self) -> dict[str, Meter]:
        """Meters of what it is made of: ``server`` (its web processes), ``worker``, ``postgres``."""
        return {
            "server": Meter(*self.listening()),
            "worker": Meter(*[each.pid for each in self._in_background()][:1]),
            "postgres": Meter(postgres_pid(self.home)),
        }

    async def ask(self, data: bytes) -> Answer:
        """One request on a connection of its own."""
        connection = await Connection.open(self.host, self.port)
        try:
            return await connection.ask(data)
        finally:
            connection.close()

    async def connect(self, count: int) -> list[Connection]:
        """So many connections that are kept."""
        return [await Connection.open(self.host, self.port) for _ in range(count)]

    async def stop(self) -> None:
        """End it in order, by force if that is in vain."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            await asyncio.to_thread(self._process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"samlad serve did not stop when asked: {self._said()}") from None
        self._process = None

    def kill(self) -> None:
        """``kill -9`` of all its processes at once; not of PostgreSQL."""
        if self._process is None:
            return
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait()
        self._process = None

    def kill_worker(self) -> None:
        """``kill -9`` of the process in the background, if it runs just now; ``serve`` starts another one."""
        for process in self._in_background():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def _in_background(self) -> list[psutil.Process]:
        found = []
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                if process.cmdline()[-1:] == ["worker"]:
                    found.append(process)
        return found

    def _tree(self) -> list[psutil.Process]:
        top = psutil.Process(self.pid)
        return [top, *top.children(recursive=True)]

    def complaints(self) -> list[str]:
        """The errors that it logged."""
        lines = self.log.read_text("utf-8", errors="replace").splitlines()
        return [line for line in lines if '"level":"error"' in line]

    def _said(self) -> str:
        return self.log.read_text("utf-8", errors="replace")[-3000:]


def environment(home: Path) -> dict[str, str]:
    """Our environment for a program that shall work in a folder, with nobody's settings but the folder's."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("SAMLAD_")}
    return {**inherited, "SAMLAD_HOME": str(home), "SAMLAD_HOST": HOST}


def kill_postgres(home: Path) -> None:
    """``kill -9`` of the shop's PostgreSQL: its postmaster; its children then end by themselves."""
    os.kill(postgres_pid(home), signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
