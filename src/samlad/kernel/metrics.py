"""Metrics for Prometheus. Counters of all web processes are added up through a shared folder (``samlad serve``)."""

import asyncio
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from samlad.kernel import followers, jobs
from samlad.kernel.database import Database, Reader
from samlad.kernel.followers import Follower

if TYPE_CHECKING:
    from samlad.kernel.runtime import Runtime

KEPT_SECONDS = 1.0
KEPT_REQUESTS = 1000

_registry = CollectorRegistry()

REQUESTS = Histogram(
    "samlad_request_seconds",
    "Time to answer a request",
    ("route", "method", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_registry,
)
POOL = Gauge(
    "samlad_pool_connections",
    "Database connections of the web processes by state",
    ("state",),
    registry=_registry,
    multiprocess_mode="livesum",
)
LISTENERS = Gauge(
    "samlad_live_listeners",
    "Browsers that listen to live events",
    registry=_registry,
    multiprocess_mode="livesum",
)


_KNOWN: dict[tuple[str, str, int], Histogram] = {}
_answered: list[tuple[Histogram, float]] = []
"""Requests that are not in the shared file yet. Each write there can wait for the disk that the file is on: written one by
one, counting cost a twentieth of all CPU of a purchase."""


def observe_request(route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request; others hear of it within `KEPT_SECONDS`."""
    key = (route, method, status)
    counted = _KNOWN.get(key)
    if counted is None:
        counted = _KNOWN[key] = REQUESTS.labels(*key)
    _answered.append((counted, seconds))
    if len(_answered) >= KEPT_REQUESTS:
        _write_requests()


def _write_requests() -> None:
    for counted, seconds in _answered:
        counted.observe(seconds)
    _answered.clear()


def write(runtime: "Runtime") -> None:
    """Tell the other processes what was counted here, and what this process holds right now."""
    _write_requests()
    _set_gauges(runtime)


def _set_gauges(runtime: "Runtime") -> None:
    pool = runtime.database.pool
    POOL.labels("idle").set(pool.get_idle_size())
    POOL.labels("used").set(pool.get_size() - pool.get_idle_size())
    POOL.labels("most").set(pool.get_max_size())
    LISTENERS.set(runtime.live.audience)


async def keep_writing(runtime: "Runtime") -> None:
    """`write` every `KEPT_SECONDS` until cancelled, for when another process is asked."""
    try:
        while True:
            write(runtime)
            await asyncio.sleep(KEPT_SECONDS)
    finally:
        _write_requests()


async def exposition(runtime: "Runtime", known: Sequence[Follower]) -> bytes:
    """Everything in Prometheus' text format."""
    write(runtime)
    processes = _registry
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        processes = CollectorRegistry()
        MultiProcessCollector(processes)  # type: ignore[no-untyped-call]
    return generate_latest(processes) + generate_latest(await _of_database(runtime.database, known))


async def _of_database(database: Database, known: Sequence[Follower]) -> CollectorRegistry:
    registry = CollectorRegistry()
    lag = Gauge(
        "samlad_follower_lag_events",
        "Events that a follower has yet to handle",
        ("follower",),
        registry=registry,
    )
    age = Gauge(
        "samlad_follower_lag_seconds", "Age of a follower's next event", ("follower",), registry=registry
    )
    parked = Gauge(
        "samlad_follower_parked_events", "Events that a follower put aside", ("follower",), registry=registry
    )
    for found in await followers.lags(database, known):
        lag.labels(found.name).set(found.events)
        age.labels(found.name).set(found.seconds)
        parked.labels(found.name).set(found.parked)
    await _add_jobs(registry, database)
    return registry


async def _add_jobs(registry: CollectorRegistry, reader: Reader) -> None:
    gauge = Gauge("samlad_jobs", "Jobs by state", ("state",), registry=registry)
    for state, count in (await jobs.counts(reader)).items():
        gauge.labels(state).set(count)
    gauge.labels("stalled").set(await jobs.stalled_count(reader))
