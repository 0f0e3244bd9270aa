"""``live``: from a commit in one process to a hundred browsers on another."""

import asyncio
import collections
import sys
from pathlib import Path

from samlad.bench import shop as shops
from samlad.bench.benchmark import Benchmark, Bound, Figures
from samlad.bench.meter import milliseconds
from samlad.bench.server import Server, environment, fresh_shop
from samlad.bench.wire import EventStream, request
from samlad.kernel.runtime import Runtime

LISTENERS = 100
COMMITS = 400
PAUSE_SECONDS = 0.025
SETTLE_SECONDS = 2.0


async def run(listeners: int = LISTENERS, commits: int = COMMITS) -> Figures:
    """Listeners on a server; another process changes a channel; each frame's way from the commit to each listener.

    Both processes read the same monotonic clock. The listeners share the bench's own process, so the time that
    it takes to hand the hundredth its frame is in the figures.
    """
    async with fresh_shop() as runtime, Server(runtime.settings.home) as server:
        shop = await shops.open_shop(runtime)
        heard: list[tuple[float, str]] = []
        data = request(
            "GET",
            f"/live?topic=channel:{shop.channel.id}",
            key=shop.key,
            headers={"accept": "text/event-stream"},
        )
        streams = [
            await EventStream.listen(server.host, server.port, data, lambda *frame: heard.append(frame))
            for _ in range(listeners)
        ]
        committed = await _commit_elsewhere(runtime, str(shop.channel.id), commits)
        await asyncio.sleep(SETTLE_SECONDS)
        for stream in streams:
            stream.close()
    waits = [moment - committed[event] for moment, event in heard if event in committed]
    times = collections.Counter(event for _, event in heard if event in committed)
    return {
        **milliseconds(waits, 50, 99),
        "listeners": listeners,
        "commits": len(committed),
        "lost": sum(max(0, listeners - times[event]) for event in committed),
        "repeated": sum(max(0, times[event] - listeners) for event in committed),
    }


async def _commit_elsewhere(runtime: Runtime, channel: str, commits: int) -> dict[str, float]:
    """Let another process commit; the moment of each commit by the id of its event."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "samlad.bench.committer", channel, str(commits), str(PAUSE_SECONDS),
        stdout=asyncio.subprocess.PIPE, env=environment(Path(runtime.settings.home)),
    )  # fmt: skip
    try:
        output, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise RuntimeError(f"the committing process failed with code {process.returncode}")
    lines = (line.split() for line in output.decode().splitlines())
    return {event: float(moment) for event, moment in lines}


BENCHMARK = Benchmark(
    "live",
    "From a commit in one process to 100 browsers on another",
    (Bound("p99_ms", most=25), Bound("lost", most=0), Bound("repeated", most=0)),
    run,
)
