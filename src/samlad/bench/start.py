"""``start``: how long until one can work."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.server import Server, environment

ROUNDS = 5


async def run(rounds: int = ROUNDS) -> Figures:
    """First start in an empty folder, later starts in the same, and the help of the command line."""
    with tempfile.TemporaryDirectory(prefix="samlad-bench-") as folder:
        home = Path(folder)
        server = Server(home)
        first = await server.start()
        await server.stop()
        again = []
        for _ in range(rounds):
            again.append(await server.start())
            await server.stop()
        helps = [_help_seconds(home) for _ in range(rounds)]
    return {
        "first_s": round(first, 2),
        "again_s": round(statistics.median(again), 2),
        "help_s": round(statistics.median(helps), 3),
    }


def _help_seconds(home: Path) -> float:
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "samlad.cli", "--help"],
        check=True,
        stdout=subprocess.DEVNULL,
        env=environment(home),
    )
    return time.monotonic() - began


BENCHMARK = Benchmark(
    "start",
    "From `samlad serve` until it is ready: the first time, later; `samlad --help`",
    (Bound("first_s", most=20), Bound("again_s", most=5), Bound("help_s", most=1)),
    run,
)
