"""A process that changes a channel again and again, for the benchmark ``live``.

``python -m samlad.bench.committer CHANNEL COUNT PAUSE`` prints a line for each commit: the id of its event and the
moment (`time.monotonic`) at which the commit was acknowledged.
"""

import asyncio
import sys
import time
from functools import partial
from uuid import UUID

from samlad import channels
from samlad.channels import ChannelChange
from samlad.kernel.database import Tx
from samlad.kernel.runtime import open_runtime
from samlad.kernel.settings import load


async def commit(channel: UUID, count: int, pause: float) -> dict[UUID, float]:
    """Change the channel's name ``count`` times with a pause (seconds) after each; moments by event id."""
    moments: dict[UUID, float] = {}

    async def rename(tx: Tx, name: str) -> None:
        await channels.change(tx, channel, ChannelChange(name=name))
        event = tx.events[-1].id
        tx.after_commit(lambda: moments.__setitem__(event, time.monotonic()))

    async with open_runtime(load()) as runtime:
        for number in range(count):
            await runtime.database.transaction(partial(rename, name=f"Shop {number}"))
            await asyncio.sleep(pause)
    return moments


if __name__ == "__main__":
    for event, moment in asyncio.run(commit(UUID(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))).items():
        print(event, moment)  # noqa: T201 - this is what the parent reads
