"""How much of a processor somebody else's work is worth: the niceness of POSIX, where Linux takes it at its word."""

import contextlib
import os
from pathlib import Path

GIVES_WAY = 5
"""How much less of a processor that others want, too, is for what gives way (the niceness of POSIX): a third."""
COMES_LAST = 12
"""The same for what takes what is left: a fifteenth. Not for whoever holds locks that people who buy wait for."""


def give_way(pid: int, niceness: int) -> None:
    """Let a process come after others by ``niceness`` (1 to 19); nothing where the system has no such thing or refuses it.

    A process that leads a session of its own, as those of PostgreSQL do, is niced together with its session: Linux compares
    processes with others of their session only, when they were started from a shell (``man 7 sched``, autogroup).
    """
    if niceness <= 0 or not hasattr(os, "setpriority"):
        return
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
        if os.getsid(pid) == pid:
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))
