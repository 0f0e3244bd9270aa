"""Which benchmarks there are, and how they are run."""

import asyncio
import signal
import time
from collections.abc import Sequence

import msgspec

from samlad.bench import (
    checkout,
    duplicates,
    hot,
    live,
    oversell,
    pages,
    product_import,
    product_list,
    profile,
    promise,
    purchase,
    search,
    segments,
    start,
    tracking,
)
from samlad.bench.benchmark import Benchmark, Figures
from samlad.kernel.problems import InvalidInput

BENCHMARKS: Sequence[Benchmark] = (
    checkout.BENCHMARK,
    hot.BENCHMARK,
    purchase.BENCHMARK,
    oversell.BENCHMARK,
    oversell.RUSH,
    product_list.BENCHMARK,
    search.BENCHMARK,
    pages.BENCHMARK,
    promise.BENCHMARK,
    product_import.BENCHMARK,
    live.BENCHMARK,
    tracking.BENCHMARK,
    profile.BENCHMARK,
    segments.BENCHMARK,
    duplicates.BENCHMARK,
    start.BENCHMARK,
)
"""In the order in which they are run."""


class Outcome(msgspec.Struct, frozen=True):
    """A benchmark with what it measured."""

    benchmark: Benchmark
    figures: Figures
    seconds: float

    @property
    def broken(self) -> list[str]:
        """The bounds that do not hold, as texts."""
        return [str(bound) for bound in self.benchmark.broken(self.figures)]

    def document(self) -> Figures:
        """Everything, as one flat JSON object."""
        return {
            "benchmark": self.benchmark.name,
            **self.figures,
            "seconds": round(self.seconds, 1),
            "bounds": [str(bound) for bound in self.benchmark.bounds],
            "broken": self.broken,
        }


def choose(names: Sequence[str]) -> list[Benchmark]:
    """The named benchmarks in the order of the names; all when none is named.

    Raises:
        InvalidInput: one does not exist.
    """
    known = {benchmark.name: benchmark for benchmark in BENCHMARKS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InvalidInput(f"There is no benchmark called {unknown[0]}. There are: {', '.join(known)}.")
    return [known[name] for name in names] if names else list(BENCHMARKS)


def measure(benchmark: Benchmark) -> Outcome:
    """Run one benchmark. Ctrl-C and SIGTERM end it in order: nothing is left running.

    Raises:
        KeyboardInterrupt: after one of these.
    """
    began = time.monotonic()

    async def run() -> Figures:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await benchmark.run()

    with asyncio.Runner(loop_factory=_new_loop) as runner:
        try:
            figures = runner.run(run())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
    return Outcome(benchmark, figures, time.monotonic() - began)


def _new_loop() -> asyncio.AbstractEventLoop:
    """The loop that the server uses, so that the raw client is not slower for want of it."""
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
