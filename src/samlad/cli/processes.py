"""The processes of ``samlad serve``: PostgreSQL, web workers, one worker. What starts here also ends here."""

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
from collections.abc import Callable, Iterator
from pathlib import Path

import structlog

from samlad.kernel.embedded import Embedded
from samlad.kernel.parent import VARIABLE
from samlad.kernel.problems import InvalidInput, Problem
from samlad.kernel.settings import Settings

SUPERVISE_SECONDS = 0.5
STOP_SECONDS = 20.0
KILL_WEB_SECONDS = 8
PATIENCE_SECONDS = 20.0
SHORTEST_LIFE = 5.0
"""A worker that ends sooner than this is started again only after a pause."""

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
    """SIGTERM ends the block like Ctrl-C does, through every ``finally``; neither is an error."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
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


class WorkerProcess:
    """A ``samlad worker`` of our own, started again when it ends unasked."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def look(self) -> None:
        """Start it if it does not run."""
        if self._process is not None and self._process.poll() is None:
            return
        if self._process is not None:
            if time.monotonic() - self._started < SHORTEST_LIFE:
                return
            logger.warning("the worker ended, starting it again", code=self._process.returncode)
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "samlad.cli", "worker"],
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
            logger.warning("the worker did not stop, killing it")
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def worker_process() -> Iterator[None]:
    """A worker process while the block runs."""
    worker = WorkerProcess()
    worker.look()
    supervisor = Repeating("worker", "look", worker)
    supervisor.start()
    try:
        yield
    finally:
        supervisor.stop()
        worker.stop()


@contextlib.contextmanager
def shared_metrics() -> Iterator[None]:
    """A folder through which the web workers add up their counters for ``/metrics``."""
    with tempfile.TemporaryDirectory(prefix="samlad-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(Path(folder))
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def serve_web(settings: Settings) -> None:
    """Serve HTTP with granian until SIGTERM or SIGINT. Returns when every web worker has ended."""
    import multiprocessing

    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels
    from granian.server import Server

    # Forked workers would inherit our lock on the data folder, and none could ever be the last to leave.
    multiprocessing.set_start_method("spawn", force=True)
    os.environ[VARIABLE] = str(os.getpid())
    Server(
        "samlad.app:web",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop if sys.platform != "win32" else Loops.asyncio,
        websockets=False,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_WEB_SECONDS,
        factory=True,
    ).serve()
    # One that had to be killed is perhaps not gone yet, and would be taken for a user of the data folder.
    for process in multiprocessing.active_children():
        process.join(KILL_WEB_SECONDS)


class Preparation(threading.Thread):
    """What must be there before anybody is answered, made while the web processes load: that takes both as long.

    The web processes wait for a schema that is up to date (`samlad.app.web`). What the work enters is left by `end`.
    """

    def __init__(self, work: Callable[[contextlib.ExitStack], None]) -> None:
        super().__init__(name="preparation")
        self._work = work
        self._stack = contextlib.ExitStack()
        self._error: BaseException | None = None

    def run(self) -> None:
        """The thread's work; a failure ends the program."""
        try:
            self._work(self._stack)
        except BaseException as error:  # noqa: BLE001 - raised again by `end`
            self._error = error
            os.kill(os.getpid(), signal.SIGTERM)

    def end(self) -> None:
        """Leave what the work entered. Raises what the work raised."""
        self.join()
        self._stack.close()
        if self._error is not None:
            raise self._error


def wait_until_served(settings: Settings, ending: threading.Event) -> None:
    """Until the web processes answer or the program ends, but not for ever."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and not ending.wait(0.1):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(settings.host, settings.port, timeout=1)
            connection.request("GET", "/health/live")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return


def serve_all(
    settings: Settings, prepare: Callable[[contextlib.ExitStack], None], *, worker: bool = True
) -> None:
    """Serve HTTP, with a worker process beside it, until SIGTERM or SIGINT; meanwhile ``prepare`` it.

    The worker comes last: loading at the same time it would keep the first customer waiting.
    """

    ending = threading.Event()

    def work(stack: contextlib.ExitStack) -> None:
        prepare(stack)
        if worker:
            wait_until_served(settings, ending)
        if worker and not ending.is_set():
            stack.enter_context(worker_process())

    with shared_metrics():
        preparation = Preparation(work)
        preparation.start()
        try:
            serve_web(settings)
        finally:
            ending.set()
            preparation.end()
