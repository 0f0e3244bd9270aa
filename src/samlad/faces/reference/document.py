"""The OpenAPI document as it is sent. Building it takes seconds of a processor, in which a web process would answer nobody else.

So a process of its own builds it, and it is kept below the home for all processes, until the program is another one. It is there
before anybody asks: web processes see to it when they have been up for a while (`keep_ready`).
"""

import asyncio
import contextlib
import fcntl
import gzip
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog
from litestar import Litestar

import samlad
from samlad.kernel import openapi
from samlad.kernel.settings import Settings

FOLDER = "openapi"
QUIET_SECONDS = 60
"""A process that has just started has better things to do."""
LONGEST_SECONDS = 3600
"""What is written for longer is written by nobody any more."""

_logger = structlog.get_logger("samlad.reference")


class Document:
    """The document in the forms in which it is sent."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'

    @cached_property
    def compressed(self) -> bytes:
        """The gzip form."""
        return gzip.compress(self.content, mtime=0)


async def document_of(app: Litestar) -> Document:
    """The application's document: the first who asks waits until it is there, the others for the same."""
    if "reference" not in app.state:
        app.state.reference = asyncio.ensure_future(_read_or_build(app))
    found: Document = await asyncio.shield(app.state.reference)
    return found


async def keep_ready(settings: Settings) -> None:
    """Have the document built, with the least priority, where nobody has yet. One process of a machine does."""
    await asyncio.sleep(QUIET_SECONDS)
    kept = await asyncio.to_thread(kept_at, settings)
    with contextlib.suppress(OSError), _alone(kept.parent) as is_alone:
        if is_alone and not kept.exists():
            await _build_apart(kept, niceness=19)


async def _read_or_build(app: Litestar) -> Document:
    kept = await asyncio.to_thread(kept_at, app.state.runtime.settings)
    if not kept.exists():
        await _build_apart(kept)
    with contextlib.suppress(OSError):
        return Document(kept.read_bytes())
    # A home that cannot be written to, or a machine that lets us start nothing: slower, and right.
    return Document(await asyncio.to_thread(lambda: msgspec.json.encode(openapi.document(app))))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def kept_at(settings: Settings) -> Path:
    """Where the document of this very program is: by the state of its files, and the versions of what reads them."""
    source = Path(samlad.__file__).parent
    state = hashlib.sha256()
    for name in ("litestar", "msgspec"):
        state.update(f"{name} {version(name)}\0".encode())
    for path in sorted(source.rglob("*.py")):
        found = path.stat()
        state.update(f"{path.relative_to(source)} {found.st_mtime_ns} {found.st_size}\0".encode())
    return settings.home / FOLDER / f"{samlad.__version__}-{state.hexdigest()[:16]}.json"


async def _build_apart(kept: Path, *, niceness: int = 0) -> None:
    """Let a process of its own print the document, and keep it, whole or not at all; those of other programs go."""
    unfinished = kept.with_suffix(f".{os.getpid()}")
    try:
        kept.parent.mkdir(exist_ok=True)
        with unfinished.open("wb") as output:
            await _print_into(output, niceness)
        unfinished.rename(kept)
        for other in kept.parent.iterdir():  # of other programs, and what was killed while it was written
            is_old = other.suffix == ".json" or other.stat().st_mtime < time.time() - LONGEST_SECONDS
            if is_old and other not in (kept, kept.parent / "lock"):
                other.unlink(missing_ok=True)
    except OSError as error:
        _logger.warning("openapi document not kept", reason=str(error))
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)


async def _print_into(output: BinaryIO, niceness: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "samlad.cli", "openapi", stdout=output
    )
    try:
        os.setpriority(os.PRIO_PROCESS, process.pid, niceness)
        if await process.wait() != 0:
            raise ChildProcessError(f"exit code {process.returncode}")
    finally:
        if process.returncode is None:  # this process ends meanwhile
            process.kill()
            await process.wait()
