"""``python -m samlad.web``: serve HTTP until SIGTERM. Started by ``samlad serve``, with its settings in the environment."""

import gc
import multiprocessing
import os
import sys

gc.disable()  # nothing that is made while loading will be garbage

from granian.constants import Interfaces, Loops  # noqa: E402
from granian.log import LogLevels  # noqa: E402
from granian.server import Server  # noqa: E402

import samlad.web  # noqa: E402, F401 - loaded here, so that the forked processes need not
from samlad.kernel.parent import VARIABLE, follow_parent  # noqa: E402
from samlad.kernel.settings import load  # noqa: E402

KILL_SECONDS = 8
CONNECTIONS = 8_192
"""So many connections a process keeps open. Browsers keep theirs, and those that listen to what happens (``/live``) stay: with
the library's limit (1,024 shared by all processes) who comes after that waits until others have gone."""
BACKLOG = 2_048
"""So many may wait to be taken at the same moment."""


def main() -> None:
    """Serve until SIGTERM or SIGINT. Returns when every web process has ended."""
    settings = load()
    gc.freeze()
    gc.set_threshold(
        10_000, 20, 50
    )  # a request makes some thousand objects; almost none of them is in a cycle
    gc.enable()
    follow_parent(os.environ)
    os.environ[VARIABLE] = str(os.getpid())  # the processes that we start follow us
    _allow_connections()
    # Elsewhere than on Linux a fork is not safe with the system's libraries loaded.
    multiprocessing.set_start_method("fork" if sys.platform == "linux" else "spawn")
    Server(
        "samlad.web:application",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop if sys.platform != "win32" else Loops.asyncio,
        websockets=False,
        backlog=BACKLOG,
        backpressure=CONNECTIONS,
        log_level=LogLevels.error,
        respawn_failed_workers=True,
        workers_kill_timeout=KILL_SECONDS,
    ).serve()
    # One that had to be killed is perhaps not gone yet.
    for process in multiprocessing.active_children():
        process.join(KILL_SECONDS)


def _allow_connections() -> None:
    """Each connection is an open file: take as many as the system lets us have, not the 1,024 that it begins with."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 1_024 if hard == resource.RLIM_INFINITY else min(CONNECTIONS + 1_024, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
