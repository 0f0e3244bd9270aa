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
from faulty import BUSY, DROP, LATER, SLOW_DOWN, TWICE, UNANSWERED, faulty

from samlad.kernel.database import Database
from samlad.kernel.settings import Settings
from skipping import is_ci
from tracked import Tracked, open_tracked

COUNT = 12
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
        await run(sys.executable, str(HERE / "send.py"), client, proxy.url, tracked.server.key, str(COUNT))
        assert [fault for _, fault in proxy.seen[: len(FAULTS)]] == list(FAULTS)
    await check(tracked, WHAT_IS_SENT)


async def test_segments_client_of_node(address: str, tracked: Tracked) -> None:
    async with faulty(address, LATER, *FAULTS) as proxy:
        await run_node("segment", proxy.url, tracked.server.key)
        assert len(proxy.seen) > len(FAULTS)
    await check(tracked, WHAT_IS_SENT)


async def test_rudderstacks_client_of_node(address: str, tracked: Tracked) -> None:
    async with faulty(address, BUSY, UNANSWERED, TWICE, SLOW_DOWN) as proxy:  # it gives up after three tries
        await run_node("rudder", proxy.url, tracked.server.key)
    await check(tracked, WHAT_IS_SENT)


async def test_jitsus_client_of_node(address: str, tracked: Tracked) -> None:
    async with faulty(address, TWICE, TWICE) as proxy:  # it tries nothing again
        await run_node("jitsu", proxy.url, tracked.server.key)
        assert {path for path, _ in proxy.seen} == {
            f"/api/s/s2s/{kind}" for kind in ("identify", "track", "page", "group")
        }
    await check(tracked, WHAT_IS_SENT - Counter(alias=1))
