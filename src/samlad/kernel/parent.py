"""A child process ends when its parent is gone, however that ended: nothing is left behind after ``kill -9``."""

import os
import signal
import threading
import time
from collections.abc import Mapping

VARIABLE = "SAMLAD_PARENT"
"""Environment variable that holds the process id of the parent to follow."""
LOOK_SECONDS = 1.0
GRACE_SECONDS = 20.0


def follow_parent(environment: Mapping[str, str]) -> threading.Thread | None:
    """If a parent is named, watch it from a thread: SIGTERM to ourselves once it is gone, SIGKILL if that is in vain.

    Watching works on every platform and from every kind of start; a parent-death signal does not.
    """
    named = environment.get(VARIABLE)
    if not named:
        return None
    thread = threading.Thread(target=_watch, args=(int(named),), name="follow-parent", daemon=True)
    thread.start()
    return thread


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)
