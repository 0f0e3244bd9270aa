"""Two ways to do the same, in turns on the same machine: over HTTP, and straight through asyncpg."""

import gc
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import asyncpg
import msgspec

from samlad.bench.meter import Meter
from samlad.bench.server import Server, postgres_pid
from samlad.bench.shop import each
from samlad.bench.wire import Connection
from samlad.kernel.connections import connect
from samlad.kernel.runtime import dsn_of

C = TypeVar("C")
S = TypeVar("S")

CONNECTIONS = 8


class Block(msgspec.Struct):
    """What was done in one way: seconds, CPU seconds of that way and of PostgreSQL, the wait for each (seconds)."""

    seconds: float = 0
    cpu: float = 0
    postgres_cpu: float = 0
    waits: list[float] = []

    @property
    def rate(self) -> float:
        """So many a second."""
        return len(self.waits) / self.seconds

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds for one, PostgreSQL's with it."""
        return (self.cpu + self.postgres_cpu) / len(self.waits) * 1000


class Turns(msgspec.Struct, frozen=True):
    """Both ways added up. CPU over HTTP is the server's; straight, this process's."""

    http: Block
    straight: Block

    def ratios(self) -> dict[str, float]:
        """The figures of every such benchmark: rates and CPU of ours to those of straight."""
        return {
            "ratio": round(self.http.rate / self.straight.rate, 3),
            "cpu_ratio": round(self.http.cpu_ms / self.straight.cpu_ms, 3),
            "http_per_s": round(self.http.rate),
            "straight_per_s": round(self.straight.rate),
            "server_cpu_ms": round(self.http.cpu / len(self.http.waits) * 1000, 3),
            "postgres_cpu_ms": round(self.http.postgres_cpu / len(self.http.waits) * 1000, 3),
            "straight_client_cpu_ms": round(self.straight.cpu / len(self.straight.waits) * 1000, 3),
            "straight_postgres_cpu_ms": round(
                self.straight.postgres_cpu / len(self.straight.waits) * 1000, 3
            ),
        }


async def take_turns(
    server: Server,
    requests: Sequence[bytes],
    straight: Sequence[S],
    send: Callable[[asyncpg.Connection, S], Awaitable[object]],
    *,
    blocks: int,
    status: int,
    at_once: int = CONNECTIONS,
) -> Turns:
    """Send requests and what is their like straight, in blocks one after the other, so many at a time.

    The first block of each is to get warm and does not count. Over HTTP this process makes the load, which is
    nobody's cost, so its CPU is not counted there.

    Raises:
        RuntimeError: an answer with another status.
    """
    settings = server.settings
    kept = await server.connect(at_once)
    plain = [await connect(dsn_of(settings), settings) for _ in range(at_once)]
    postgres, ours, alone = Meter(postgres_pid(server.home)), Meter(server.pid), Meter(os.getpid())
    size = len(requests) // (blocks + 1)
    turns = Turns(Block(), Block())

    async def ask(connection: Connection, data: bytes) -> None:
        answer = await connection.ask(data)
        if answer.status != status:
            raise RuntimeError(f"refused with {answer.status}: {answer.body.decode(errors='replace')}")

    gc.collect()
    gc.freeze()  # what was prepared is not the straight client's to look through
    try:
        for number in range(blocks + 1):
            part = slice(number * size, (number + 1) * size)
            if number == 1:
                turns = Turns(Block(), Block())
            await _measured(kept, requests[part], ask, turns.http, ours, postgres)
            await _measured(plain, straight[part], send, turns.straight, alone, postgres)
    finally:
        gc.unfreeze()
        for connection in kept:
            connection.close()
        for each_plain in plain:
            await each_plain.close()
    return turns


async def _measured(
    connections: Sequence[C],
    items: Sequence[S],
    work: Callable[[C, S], Awaitable[object]],
    block: Block,
    side: Meter,
    postgres: Meter,
) -> None:
    """Work through the items on all connections, and add what it took to the block."""
    waiting = iter(items)

    async def go(connection: C) -> None:
        for item in waiting:
            began = time.perf_counter()
            await work(connection, item)
            block.waits.append(time.perf_counter() - began)

    began, side_before, postgres_before = time.perf_counter(), side.seconds(), postgres.seconds()
    await each(connections, go, at_once=len(connections))
    block.seconds += time.perf_counter() - began
    block.cpu += side.seconds() - side_before
    block.postgres_cpu += postgres.seconds() - postgres_before
