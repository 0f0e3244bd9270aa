"""``samlad serve`` as people run it: real processes on a real port, ended in every way there is."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from memory import folder
from samlad.bench.server import kill_postgres
from samlad.cli import processes
from samlad.kernel.database import open_database
from samlad.kernel.embedded import Embedded
from samlad.kernel.problems import Busy
from samlad.kernel.runtime import dsn_of
from samlad.kernel.settings import Settings, load

pytestmark = pytest.mark.slow

SECONDS = 100


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(condition: Callable[[], object], what: str, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.1)


async def current_schema(settings: Settings) -> str:
    """A question that every database of ours can answer."""
    database = await open_database(dsn_of(settings), settings)
    try:
        schema: str = await database.value("SELECT current_setting('search_path')")
        return schema.split(",")[0].strip('"')
    finally:
        await database.close()


class Shop:
    """A running ``samlad serve`` in a folder of its own."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home, self.port = home, free_port()
        self.log = home.parent / f"{home.name}.log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SAMLAD_")}
        self.environment = environment | {"SAMLAD_HOME": str(home), "SAMLAD_LOG_FORMAT": "json"}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "samlad.cli", "serve", "--port", str(self.port), *options],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.url = f"http://127.0.0.1:{self.port}"
        self.family: list[psutil.Process] = []

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Another command on the same folder."""
        command = [sys.executable, "-m", "samlad.cli", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=SECONDS, check=True
        )

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/health/ready", timeout=5).status_code == 200
        return False

    def processes(self) -> list[psutil.Process]:
        top = psutil.Process(self.process.pid)
        return [top, *top.children(recursive=True)]

    def worker(self) -> psutil.Process | None:
        children = psutil.Process(self.process.pid).children()
        return next((p for p in children if p.status() != "zombie" and p.cmdline()[-1:] == ["worker"]), None)

    def postgres(self) -> int | None:
        return Embedded(self.home).pid()

    def is_gone(self) -> bool:
        alive = [p for p in self.family if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]
        return not alive and self.postgres() is None

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.family = self.processes()
            self.process.send_signal(number)
        return self.process.wait(SECONDS)


@pytest.fixture
def start() -> Iterator[Callable[..., Shop]]:
    shops: list[Shop] = []
    with folder() as own:

        def begin(*options: str, home: str = "home") -> Shop:
            shops.append(Shop(own / home, *options))
            until(shops[-1].answers, "the first answer")
            return shops[-1]

        yield begin
        for shop in shops:
            shop.stop()
            until(shop.is_gone, "nothing left")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_without_leaving_anything(start: Callable[..., Shop], number: int) -> None:
    shop = start("--workers", "2")
    assert httpx.get(f"{shop.url}/api/event-types").status_code == 200
    until(shop.worker, "the worker")
    started = time.monotonic()
    assert shop.stop(number) == 0, shop.log.read_text()
    assert time.monotonic() - started < 12
    until(shop.is_gone, "nothing left", 3)
    assert "Traceback" not in shop.log.read_text()


@contextlib.contextmanager
def many_browsers(port: int, count: int) -> Iterator[None]:
    """So many who keep their connection open, as browsers do, and ask nothing at the moment."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, count + 500)), hard))
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            browser = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            browser.sendall(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert browser.recv(4_096).startswith(b"HTTP/1.1 200")
        yield


def test_open_streams_do_not_hold_up_the_end(start: Callable[..., Shop]) -> None:
    shop = start("--no-worker")
    assert shop.worker() is None
    made = shop.run("key", "create", "listener", "--scope", "channels.read")
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    with httpx.stream("GET", f"{shop.url}/live?topic=channels", headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        assert next(answer.iter_bytes()).startswith(b"retry:")
        with many_browsers(shop.port, 1_100):
            assert httpx.get(f"{shop.url}/health/ready", timeout=20).status_code == 200, (
                "there is room for more"
            )
        started = time.monotonic()
        assert shop.stop() == 0
    assert time.monotonic() - started < 15


def test_a_killed_parent_leaves_no_orphans(start: Callable[..., Shop]) -> None:
    shop = start("--workers", "2")
    until(shop.worker, "the worker")
    shop.family = shop.processes()
    shop.process.kill()
    shop.process.wait()
    until(shop.is_gone, "web processes, worker and PostgreSQL to notice", 60)


def test_killed_parts_come_back(start: Callable[..., Shop]) -> None:
    shop = start()
    until(shop.worker, "the worker")
    time.sleep(5.5)  # what ends sooner after its start is given a pause
    worker, server = shop.worker(), shop.postgres()
    assert worker is not None
    assert server is not None
    worker.kill()
    os.kill(server, signal.SIGKILL)
    until(lambda: shop.postgres() not in (None, server), "PostgreSQL to be started again")
    until(shop.answers, "answers again")
    until(lambda: shop.worker() not in (None, worker), "a new worker")


def test_a_taken_port_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = subprocess.run(
            [sys.executable, "-m", "samlad.cli", "serve", "--port", str(port)],
            env=os.environ | {"SAMLAD_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert f"Port {port}" in result.stderr
    assert not (tmp_path / "home").exists(), "told before anything was started"


def test_two_shops_on_one_folder_share_postgres_and_the_last_one_stops_it(start: Callable[..., Shop]) -> None:
    first, second = start("--no-worker"), start("--no-worker")
    assert first.postgres() == second.postgres()
    assert first.stop() == 0
    assert second.answers()
    assert second.stop() == 0
    assert second.postgres() is None


def test_a_postgres_that_is_lost_while_the_start_prepares_is_waited_for() -> None:
    tries = 0

    async def work() -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            kill_postgres(settings.home)
        return await current_schema(settings)

    with folder() as own:
        settings = load({}, home=own / "home")
        with processes.postgres(settings):
            assert processes.persistently(settings, work) == settings.schema
    assert tries > 1


def test_a_database_of_others_that_does_not_answer_is_said_at_once(tmp_path: Path) -> None:
    settings = load({}, home=tmp_path, database_url="postgresql://nobody@127.0.0.1:1/none")
    tries = 0

    async def work() -> str:
        nonlocal tries
        tries += 1
        return await current_schema(settings)

    with pytest.raises((Busy, OSError)):
        processes.persistently(settings, work)
    assert tries == 1
