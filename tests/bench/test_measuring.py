"""The tools of the benchmarks: figures and bounds, CPU of process trees, the lean client."""

import asyncio
import subprocess
import sys

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samlad.bench.benchmark import Bound
from samlad.bench.meter import Meter, milliseconds, percentile
from samlad.bench.registry import BENCHMARKS, choose
from samlad.bench.wire import Chunks, Connection, EventStream, request
from samlad.kernel.problems import InvalidInput

BURN = "import time\nwhile time.process_time() < {seconds}: pass"


@given(st.lists(st.floats(0, 1e6), min_size=1), st.integers(1, 100))
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(values: list[float], percent: int) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(v <= found for v in values) * 100 >= percent * len(values)
    assert sum(v < found for v in values) * 100 < percent * len(values)


def test_percentiles_are_told_in_milliseconds() -> None:
    assert milliseconds([0.001 * n for n in range(1, 101)], 50, 99) == {"p50_ms": 50.0, "p99_ms": 99.0}


@pytest.mark.parametrize(("value", "holds"), [(49, False), (50, True), (51, False), (None, False)])
def test_an_exact_bound(value: float | None, holds: bool) -> None:
    assert Bound("sold", least=50, most=50).holds({"sold": value}) is holds


def test_a_missing_figure_breaks_its_bound() -> None:
    assert not Bound("ratio", least=0.5).holds({})
    assert str(Bound("ratio", least=0.5)) == "ratio ≥ 0.5"


def test_names_choose_benchmarks() -> None:
    assert [b.name for b in choose(["start", "live"])] == ["start", "live"]
    assert choose([]) == list(BENCHMARKS)
    with pytest.raises(InvalidInput, match="no benchmark called nonsense"):
        choose(["nonsense"])


def test_cpu_is_counted_over_the_tree_and_after_the_death_of_a_child() -> None:
    child = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN.format(seconds=0.4)!r}])\n"
    script = child + BURN.format(seconds=0.3) + "\nprint('done', flush=True)\ninput()"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        meter = Meter(process.pid)
        assert process.stdout.readline() == "done\n"
        spent = meter.seconds()
    finally:
        process.communicate("\n")
    assert 0.65 <= spent <= 3, "its own 0.3 s and the dead child's 0.4 s, and starting Python twice"
    assert meter.seconds() == 0, "a root that is gone has nothing to add"
    assert not psutil.pid_exists(process.pid)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.integers(1, 17))
def test_chunks_come_out_however_they_were_cut(parts: list[bytes], step: int) -> None:
    coded = b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"
    chunks = Chunks()
    body = b"".join(chunks.feed(coded[start : start + step]) for start in range(0, len(coded), step))
    assert body == b"".join(parts)
    assert chunks.is_over


async def _answering(*pieces: bytes) -> tuple[asyncio.Server, int]:
    """A server that answers everything with these pieces, a moment apart; the last closes the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1")
    return server, server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("pieces", "status", "body"),
    [
        ([b"HTTP/1.1 201 Created\r\nContent-Le", b"ngth: 5\r\n\r\nhe", b"llo"], 201, b"hello"),
        ([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r", b"\n0\r\n\r\n"], 200, b"abc"),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, b""),
    ],
)
async def test_answers_are_put_together(pieces: list[bytes], status: int, body: bytes) -> None:
    server, port = await _answering(*pieces)
    async with server, asyncio.timeout(60):
        connection = await Connection.open("127.0.0.1", port)
        answer = await connection.ask(request("GET", "/"))
        connection.close()
    assert (answer.status, answer.body) == (status, body)


async def test_an_answer_that_breaks_off_is_an_error() -> None:
    server, port = await _answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
    async with server, asyncio.timeout(60):
        connection = await Connection.open("127.0.0.1", port)
        with pytest.raises(ConnectionResetError):
            await connection.ask(request("GET", "/"))
        with pytest.raises(ConnectionResetError):
            await connection.ask(request("GET", "/"))


async def test_a_stream_of_events_is_heard() -> None:
    frame = b'id: 1-1\nevent: bell\ndata: {"id":"aaa"}\n\n'
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    server, port = await _answering(
        head, b"d\r\nretry: 2000\n\n\r\n", b"%x\r\n%b\r\n" % (len(frame), frame), b"0\r\n\r\n"
    )
    heard: list[str] = []
    async with server, asyncio.timeout(60):
        await EventStream.listen(
            "127.0.0.1", port, request("GET", "/live"), lambda _, event: heard.append(event)
        )
        while not heard:
            await asyncio.sleep(0.01)
    assert heard == ["aaa"]


async def test_a_refused_stream_is_an_error() -> None:
    server, port = await _answering(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
    async with server, asyncio.timeout(60):
        with pytest.raises(ConnectionRefusedError, match="403"):
            await EventStream.listen("127.0.0.1", port, request("GET", "/live"), lambda *_: None)
