"""Where tests put folders that nobody keeps: in memory, where the system has a place for that.

Whoever kills processes loses nothing that was handed to the system, on a disk or in memory: only a machine that falls would.
So what such a test proves is the same, and nobody waits for the disk.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOM = 4 * 2**30


def memory() -> Path | None:
    """The folder of the system that is in memory, if there is room in it."""
    found = Path("/dev/shm")
    return found if found.is_dir() and shutil.disk_usage(found).free > ROOM else None


@contextmanager
def folder() -> Iterator[Path]:
    """A folder in memory, or where temporary ones are, that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="samlad-test-", dir=memory()) as made:
        Path(made).chmod(0o755)  # PostgreSQL runs as somebody else under root
        yield Path(made)
