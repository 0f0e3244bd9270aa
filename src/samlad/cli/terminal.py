"""What commands say: progress, tables, JSON. A terminal gets bars and colours, anything else plain lines."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec
import typer

if TYPE_CHECKING:
    from samlad.kernel.runtime import Runtime

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
PLAIN_SECONDS = 5.0
"""How often a plain line tells of progress."""


def say(text: str) -> None:
    """A line for people, on standard output."""
    print(text, flush=True)


def print_json(document: Any) -> None:
    """The document of a command with ``--json``, in one line."""
    print(json.dumps(msgspec.to_builtins(document), ensure_ascii=False), flush=True)


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table: drawn in a terminal, else columns parted by tabs."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [list(columns), *texts]:
            say("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    for row in texts:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


class Step:
    """The progress of one piece of work."""

    def __init__(self, shown: Callable[[int, int | None], None], total: int | None) -> None:
        self._shown = shown
        self.done = 0
        self.total = total

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count
        self._shown(self.done, self.total)

    def set_total(self, total: int) -> None:
        """How many there are, once that is known."""
        self.total = total
        self._shown(self.done, self.total)


@contextlib.contextmanager
def progress(title: str, total: int | None = None, *, quiet: bool = False) -> Iterator[Step]:
    """Show how far something is: a bar in a terminal, else a line every few seconds; nothing if ``quiet``.

    It goes to standard error, so that standard output stays the result's own. Give ``quiet`` the value of ``--json``.
    """
    if quiet:
        yield Step(lambda _done, _total: None, total)
    elif sys.stderr.isatty():
        with _bar(title, total) as step:
            yield step
    else:
        with _lines(title, total) as step:
            yield step


@contextlib.contextmanager
def _bar(title: str, total: int | None) -> Iterator[Step]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(title, total=total)
        yield Step(lambda done, whole: bar.update(task, completed=done, total=whole), total)


@contextlib.contextmanager
def _lines(title: str, total: int | None) -> Iterator[Step]:
    started = last = time.monotonic()

    def shown(done: int, whole: int | None) -> None:
        nonlocal last
        if time.monotonic() - last >= PLAIN_SECONDS:
            last = time.monotonic()
            print(f"{title}: {done:,}" + (f" of {whole:,}" if whole else ""), file=sys.stderr, flush=True)

    step = Step(shown, total)
    yield step
    counted = f" {step.done:,}" if step.done else ""
    print(f"{title}:{counted} done in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def with_runtime(work: Callable[["Runtime"], Awaitable[T]], *, migrate: bool = True) -> T:
    """Run a command's work with everything open: settings loaded, PostgreSQL up, schema brought up to date."""
    import samlad.app  # noqa: F401 - so that every package has declared its events, permissions and jobs
    from samlad.kernel.runtime import open_runtime
    from samlad.kernel.settings import load
    from samlad.kernel.telemetry import configure_logging
    from samlad.packages import PACKAGES

    settings = load()
    configure_logging(settings)

    async def run() -> T:
        async with open_runtime(settings, packages=PACKAGES if migrate else ()) as runtime:
            return await work(runtime)

    return asyncio.run(run())
