"""Clients of other makers, as PyPI and npm have them, against a running server: what they send arrives once.

Between them stands a proxy (`faulty`) that answers 503 and 429, breaks connections, doubles and delays requests.
"""

import asyncio
import shutil
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from browser import ROOT, Server
from faulty import BUSY, DROP, LATER, PASS, RETRY_AFTER, SLOW_DOWN, TWICE, UNANSWERED, faulty

from samlad.kernel.database import Database
from samlad.kernel.settings import Settings
from samlad.tracking.model import SourceKind
from skipping import is_ci
from tracked import Tracked, open_door, open_tracked

COUNT = 12
TWO_AT_ONCE = "2"
"""Requests that a client has under way: with one nothing can overtake anything."""
PATIENCE = 0.95
"""Of the seconds that were asked for: clocks differ a little."""
HERE = Path(__file__).parent
FAULTS = (BUSY, UNANSWERED, SLOW_DOWN, TWICE, DROP)
WHAT_IS_SENT = Counter(identify=1, track=COUNT, page=1, group=1, alias=1)


@pytest.fixture
async def address(server: Server, settings: Settings, tracked: Tracked) -> AsyncIterator[str]:
    """The address of a server over this test's database."""
    await server.switch(msgspec.structs.replace(settings, pool_size=4, log_level="warning"))
    yield server.url
    await server.switch(None)


@pytest.fixture
async def tracked(db: Database) -> Tracked:
    return await open_tracked(db)


async def run(*command: str) -> None:
    """A program to its end."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
    assert process.returncode == 0, said.decode()


async def run_python(client: str, url: str, key: str, at_once: str = "1", count: int = COUNT) -> None:
    """A client of PyPI."""
    await run(sys.executable, str(HERE / "send.py"), client, url, key, str(count), at_once)


async def run_node(client: str, url: str, key: str) -> None:
    """A client of npm; skipped with a clear line where it is missing."""
    node = shutil.which("node")
    if node is None or not (ROOT / "node_modules/@segment/analytics-node").exists():
        said = "no Node or no clients: apt-get install nodejs npm; npm ci"
        pytest.fail(said) if is_ci() else pytest.skip(said)
    await run(node, str(HERE / "send.mjs"), client, url, key, str(COUNT))


async def check(tracked: Tracked, expected: Counter[str]) -> list[dict[str, Any]]:
    """Everything that was sent is there once, and in its right order whatever order it came in."""
    found = await tracked.events(
        "type", "name", "user_id", "traits", "previous_id", "group_id", "payload", "occurred_at"
    )
    assert await tracked.parked() == []
    assert Counter(event["type"] for event in found) == expected
    numbers = [event["payload"]["properties"]["n"] for event in found if event["type"] == "track"]
    assert numbers == list(range(1, COUNT + 1))
    by_type = {event["type"]: event for event in found}
    identified = by_type["identify"]
    assert (identified["user_id"], identified["traits"]["email"]) == ("kim", "kim@example.org")
    assert by_type["track"]["name"] == "Product Added"
    if "alias" in expected:
        assert (by_type["alias"]["previous_id"], by_type["alias"]["user_id"]) == ("anon-1", "kim")
    if "group" in expected:
        assert by_type["group"]["group_id"] == "acme"
    return found


@pytest.mark.parametrize("client", ["segment", "rudder"])
async def test_clients_of_python(client: str, address: str, tracked: Tracked) -> None:
    async with faulty(address, *FAULTS) as proxy:
        await run_python(client, proxy.url, tracked.server.key)
        assert [fault for _, fault in proxy.seen[: len(FAULTS)]] == list(FAULTS)
        if client == "segment":  # RudderStack's reads no Retry-After
            assert min(proxy.waited) >= RETRY_AFTER * PATIENCE
    await check(tracked, WHAT_IS_SENT)


@pytest.mark.parametrize("client", ["segment", "rudder"])
async def test_clients_of_python_in_disorder(client: str, address: str, tracked: Tracked) -> None:
    async with faulty(address, LATER, TWICE) as proxy:
        await run_python(client, proxy.url, tracked.server.key, TWO_AT_ONCE)
        assert proxy.reordered
    await check(tracked, WHAT_IS_SENT)


async def test_segments_client_of_node(address: str, tracked: Tracked) -> None:
    async with faulty(address, LATER, *FAULTS) as proxy:
        await run_node("segment", proxy.url, tracked.server.key)
        assert len(proxy.seen) > len(FAULTS)
        assert proxy.reordered
        assert min(proxy.waited) >= RETRY_AFTER * PATIENCE
    await check(tracked, WHAT_IS_SENT)


@pytest.mark.parametrize("faults", [(BUSY, UNANSWERED, TWICE, SLOW_DOWN), (DROP, PASS, LATER, SLOW_DOWN)])
async def test_rudderstacks_client_of_node(faults: tuple[str, ...], address: str, tracked: Tracked) -> None:
    """It gives up after three tries."""
    async with faulty(address, *faults) as proxy:
        await run_node("rudder", proxy.url, tracked.server.key)
        assert {fault for _, fault in proxy.seen} >= set(faults)
        assert bool(proxy.reordered) == (LATER in faults)
        assert min(proxy.waited) >= RETRY_AFTER * PATIENCE
    await check(tracked, WHAT_IS_SENT)


async def test_jitsus_client_of_node(address: str, tracked: Tracked) -> None:
    async with faulty(address, TWICE, TWICE) as proxy:  # it tries nothing again
        await run_node("jitsu", proxy.url, tracked.server.key)
        assert {path for path, _ in proxy.seen} == {
            f"/api/s/s2s/{kind}" for kind in ("identify", "track", "page", "group")
        }
    await check(tracked, WHAT_IS_SENT - Counter(alias=1))


async def test_what_jitsus_client_is_refused_it_loses_and_nothing_else(
    address: str, tracked: Tracked
) -> None:
    """It sends each event once, whatever it is answered; so we answer it nothing but 200 while we can."""
    faults = (BUSY, UNANSWERED, SLOW_DOWN, TWICE, DROP)
    async with faulty(address, *faults) as proxy:
        await run_node("jitsu", proxy.url, tracked.server.key)
        assert [fault for _, fault in proxy.seen[: len(faults)]] == list(faults)
    found = await tracked.events("type", "payload")
    numbers = [event["payload"]["properties"]["n"] for event in found if event["type"] == "track"]
    lost = [faults.index(each) for each in (BUSY, SLOW_DOWN, DROP)]
    assert Counter(event["type"] for event in found) == Counter(track=COUNT - len(lost) + 1, page=1, group=1)
    assert numbers == [number for number in range(1, COUNT + 1) if number not in lost]


async def test_a_source_that_sends_too_much_is_slowed_down_and_loses_nothing(
    address: str, tracked: Tracked
) -> None:
    """The refusals are our own server's."""
    slow = await open_door(tracked.db, tracked.web.id, kind=SourceKind.SERVER, per_second=1)
    async with faulty(address) as proxy:
        await run_python("segment", proxy.url, slow.key, TWO_AT_ONCE, count=60)
    found = [row["type"] for row in await tracked.events("type", "source") if row["source"] == slow.source.id]
    assert Counter(found) == WHAT_IS_SENT + Counter(track=60 - COUNT)
    refused = [status for status in proxy.answered if status != 200]
    assert refused
    assert set(refused) == {429}
