"""The processes of ``samlad serve``: PostgreSQL, web workers, one worker. What starts here also ends here."""

import asyncio
import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import structlog

from samlad.kernel.connections import UNREACHABLE
from samlad.kernel.embedded import Embedded
from samlad.kernel.parent import VARIABLE
from samlad.kernel.problems import Busy, InvalidInput, Problem
from samlad.kernel.settings import Settings

SUPERVISE_SECONDS = 0.5
STOP_SECONDS = 20.0
PATIENCE_SECONDS = 20.0
SHORTEST_LIFE = 5.0
"""A process that ends sooner than this is started again only after a pause."""

T = TypeVar("T")

logger = structlog.get_logger("samlad.serve")


def check_port(settings: Settings) -> None:
    """Make sure that the port is free, before anything is started.

    Raises:
        InvalidInput: it is taken, or the address is none of ours; the message says what to do.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise InvalidInput(
                f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}). "
                "Stop what listens there, or take another: samlad serve --port 8001"
            ) from None


class Repeating(threading.Thread):
    """Calls something every half second until stopped; what it raises is logged."""

    def __init__(self, name: str, action: str, target: object) -> None:
        super().__init__(name=name, daemon=True)
        self._call = getattr(target, action)
        self._stopping = threading.Event()

    def run(self) -> None:
        """The thread's work."""
        while not self._stopping.wait(SUPERVISE_SECONDS):
            try:
                self._call()
            except (Problem, OSError, subprocess.SubprocessError) as error:
                logger.warning("supervision failed", what=self.name, error=str(error))

    def stop(self) -> None:
        """Stop, after the call that is under way."""
        self._stopping.set()
        self.join()


@contextlib.contextmanager
def ending_in_order() -> Iterator[None]:
    """SIGTERM and Ctrl-C end the block through every ``finally``, and are no error; a second one changes nothing."""

    def end(*_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    with contextlib.suppress(KeyboardInterrupt):
        yield


@contextlib.contextmanager
def postgres(settings: Settings) -> Iterator[None]:
    """The embedded PostgreSQL, if these settings need one: started, kept alive, and stopped if we are the last."""
    if settings.database_url:
        yield
        return
    with Embedded(settings.home) as server:
        supervisor = Repeating("PostgreSQL", "supervise", server)
        supervisor.start()
        try:
            yield
        finally:
            supervisor.stop()


def persistently(settings: Settings, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do the work, and again as long as a PostgreSQL of ours is being brought back. Of others we hear at once."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return asyncio.run(work())
        except (*UNREACHABLE, Busy) as error:
            if settings.database_url or time.monotonic() > deadline:
                raise
            logger.warning("PostgreSQL went away, trying again", error=str(error))
        time.sleep(SUPERVISE_SECONDS)


class Child:
    """A process of our own that we look after: started again when it ends unasked."""

    def __init__(self, name: str, *arguments: str) -> None:
        """``arguments`` are Python's."""
        self._name, self._arguments = name, arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def look(self) -> None:
        """Start it if it does not run."""
        if self.is_running:
            return
        if self._process is not None:
            if time.monotonic() - self._started < SHORTEST_LIFE:
                return
            logger.warning(
                "a process ended, starting it again", what=self._name, code=self._process.returncode
            )
        self._started = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            [sys.executable, *self._arguments],
            stdin=subprocess.DEVNULL,
            env={**os.environ, VARIABLE: str(os.getpid())},
            start_new_session=True,  # Ctrl-C is for us; we then stop it in order
        )

    def stop(self) -> None:
        """End it: first asked, then forced."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            logger.warning("a process did not stop, killing it", what=self._name)
            self._process.kill()
            self._process.wait()
        self._process = None


@contextlib.contextmanager
def kept_running(child: Child) -> Iterator[None]:
    """A child that runs while the block does."""
    child.look()
    supervisor = Repeating("children", "look", child)
    supervisor.start()
    try:
        yield
    finally:
        supervisor.stop()
        child.stop()


@contextlib.contextmanager
def shared_metrics() -> Iterator[None]:
    """A folder through which the web workers add up their counters for ``/metrics``."""
    with tempfile.TemporaryDirectory(prefix="samlad-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(Path(folder))
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def wait_until_served(settings: Settings, web: Child) -> None:
    """Until the web processes answer, but not for ever.

    Raises:
        Problem: they ended instead; what they said stands above.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if not web.is_running:
            raise Problem("The web processes ended before they could serve.")
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(settings.host, settings.port, timeout=1)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return
        time.sleep(0.1)


def serve_all(
    settings: Settings, prepare: Callable[[contextlib.ExitStack], None], *, worker: bool = True
) -> None:
    """Serve HTTP, with a worker process beside it, until SIGTERM or SIGINT; meanwhile ``prepare`` it.

    The web processes load while what they wait for is made (`samlad.web`): that takes both as long. The worker comes
    last: loading at the same time it would keep the first customer waiting.
    """
    web = Child("web", "-m", "samlad.web")
    with shared_metrics(), contextlib.ExitStack() as outer:
        web.look()
        outer.callback(web.stop)
        with contextlib.ExitStack() as stack:
            prepare(stack)
            wait_until_served(settings, web)
            stack.enter_context(kept_running(web))
            if worker:
                stack.enter_context(kept_running(Child("worker", "-m", "samlad.cli", "worker")))
            threading.Event().wait()
