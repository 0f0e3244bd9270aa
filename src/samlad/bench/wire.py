"""A lean HTTP/1.1 client for load: ready-made bytes out, status and body back, and server-sent events.

A comfortable client would eat the CPU that is to be measured. It knows what our own server sends and no more:
keep-alive, one request at a time on a connection, ``Content-Length`` or chunks.
"""

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

import msgspec

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_FRAME_ID = re.compile(rb'"id":"([^"]+)"')


class Answer(msgspec.Struct, frozen=True):
    """What came back. ``head`` is the status line and the headers, as they came."""

    status: int
    body: bytes
    head: bytes = b""

    def json(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)


def request(
    method: str,
    path: str,
    *,
    key: str | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A request as bytes: ``key`` is an API key, ``body`` anything that can be JSON."""
    data = b"" if body is None else msgspec.json.encode(body)
    lines = [f"{method} {path} HTTP/1.1", "host: bench"]
    if key:
        lines.append(f"authorization: Bearer {key}")
    if body is not None:
        lines.append("content-type: application/json")
    if data or method != "GET":
        lines.append(f"content-length: {len(data)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + data


class Connection(asyncio.Protocol):
    """A connection that is kept. `open` it, `ask`, `close`."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: asyncio.Future[Answer] | None = None

    @classmethod
    async def open(cls, host: str, port: int) -> Self:
        """Raises OSError when nobody listens there."""
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    async def ask(self, data: bytes) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            ConnectionError: the server went away before the answer was complete.
        """
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(data)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by class

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        self._buffer += data
        answer = _parse(self._buffer)
        if answer is not None:
            self._buffer = b""
            if self._waiting is not None and not self._waiting.done():
                self._waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError(str(exc or "the server hung up")))


def _parse(data: bytes) -> Answer | None:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, rest = data[:end], data[end + 4 :]
    status = int(head[9:12])
    length = _LENGTH.search(head)
    if length is not None:
        size = int(length[1])
        return Answer(status, rest, head) if len(rest) >= size else None
    if _CHUNKED.search(head) is None:
        return Answer(status, b"", head)
    chunks = Chunks()
    body = chunks.feed(rest)
    return Answer(status, body, head) if chunks.is_over else None


class Chunks:
    """Takes the chunk sizes out of a chunked body."""

    def __init__(self) -> None:
        self._buffer = b""
        self.is_over = False

    def feed(self, data: bytes) -> bytes:
        """More bytes as they came; what of the body is complete by now."""
        self._buffer += data
        whole = []
        while not self.is_over:
            line = self._buffer.find(b"\r\n")
            if line < 0:
                break
            size = int(self._buffer[:line].split(b";")[0], 16)
            if len(self._buffer) < line + 2 + size + 2:
                break
            whole.append(self._buffer[line + 2 : line + 2 + size])
            self._buffer = self._buffer[line + 2 + size + 2 :]
            self.is_over = size == 0
        return b"".join(whole)


class EventStream(Connection):
    """Listens to server-sent events; ``heard`` is called with the moment (`time.monotonic`) and the id in each."""

    def __init__(self, heard: Callable[[float, str], None]) -> None:
        super().__init__()
        self._heard = heard
        self._chunks = Chunks()
        self._text = b""
        self._begun = False
        self.is_open: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        """Its result is the status of the answer, once the stream says its first line."""

    @classmethod
    async def listen(cls, host: str, port: int, data: bytes, heard: Callable[[float, str], None]) -> Self:
        """Ask for a stream and wait until it is open.

        Raises:
            ConnectionError: it was refused.
        """
        _, stream = await asyncio.get_running_loop().create_connection(lambda: cls(heard), host, port)
        assert stream._transport is not None
        stream._transport.write(data)
        status = await stream.is_open
        if status != 200:
            raise ConnectionRefusedError(f"the stream was refused with {status}: {stream._buffer!r}")
        return stream

    def data_received(self, data: bytes) -> None:
        """Called by asyncio."""
        moment = time.monotonic()
        if not self._begun:
            self._buffer += data
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            if not self._buffer.startswith(b"HTTP/1.1 200"):
                self._opened(int(self._buffer[9:12]))
                return
            self._begun, data = True, self._buffer[end + 4 :]
        self._text += self._chunks.feed(data)
        *frames, self._text = self._text.split(b"\n\n")
        for frame in frames:
            self._opened(200)
            found = _FRAME_ID.search(frame)
            if found is not None:
                self._heard(moment, found[1].decode())

    def _opened(self, status: int) -> None:
        if not self.is_open.done():
            self.is_open.set_result(status)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by asyncio."""
        super().connection_lost(exc)
        if not self.is_open.done():
            self.is_open.set_exception(ConnectionResetError(str(exc or "the server hung up")))
