"""A proxy between a client and the server that does to requests what networks and busy servers do."""

import asyncio
import contextlib
import re
import time
import zlib
from collections.abc import AsyncIterator, Sequence

MOST_SECONDS = 5.0
"""How long a request is held back for another one at most."""

PASS = "pass"
BUSY = "503"
SLOW_DOWN = "429"
DROP = "drop"
"""The connection breaks before the request has come through."""
UNANSWERED = "unanswered"
"""It came through, but the connection breaks before the answer: the client sends it again."""
TWICE = "twice"
"""It comes through two times at the same moment."""
LATER = "later"
"""It comes through after the next one."""

RETRY_AFTER = 2
"""Seconds that a refusal asks for."""
_REFUSED = {
    BUSY: b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: %d\r\n" % RETRY_AFTER,
    SLOW_DOWN: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: %d\r\n" % RETRY_AFTER,
}
_CORS = b"Access-Control-Allow-Origin: %s\r\nAccess-Control-Expose-Headers: Retry-After\r\nVary: Origin\r\n"
"""As our server says it: without it a browser tells its page of no answer at all, which would be another fault."""
_MESSAGE_ID = re.compile(rb'"messageId":\s*"([^"]+)"')
_BODY = b'{"code":"fault","message":"made by the test"}'


class Faulty:
    """What it does to the requests with events, in their order; afterwards it lets everything pass."""

    def __init__(self, server: tuple[str, int], faults: Sequence[str]) -> None:
        self._server = server
        self._faults = list(faults)
        self._passed = asyncio.Condition()
        self._count = 0
        self.seen: list[tuple[str, str]] = []
        """Address and fault of each request."""
        self.answered: list[int] = []
        """The statuses of the server's own answers."""
        self.reordered = 0
        """How many requests came through after one that had been sent later."""
        self._slowed: list[tuple[float, set[bytes]]] = []
        self.waited: list[float] = []
        """Seconds after which what was told to slow down came again."""
        self.url = ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; whether the connection goes on."""
        request = await _read(reader)
        if request is None:
            return False
        method, path = request.split(b" ", 2)[:2]
        fault = self._faults.pop(0) if method == b"POST" and self._faults else PASS
        self.seen.append((path.decode(), fault))
        self._watch(request, fault)
        if fault in _REFUSED:
            origin = _field(request, b"origin")
            head = (
                _REFUSED[fault]
                + (_CORS % origin if origin else b"")
                + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
            )
            writer.write(head + _BODY)
            await writer.drain()
            return True
        if fault == DROP:
            return False
        if fault == LATER:
            await self._after_another()
        if fault == TWICE:
            answer, _ = await asyncio.gather(self._forward(request), self._forward(request))
        else:
            answer = await self._forward(request)
        async with self._passed:
            self._count += 1
            self._passed.notify_all()
        if fault == UNANSWERED:
            return False
        writer.write(answer)
        await writer.drain()
        return True

    async def _after_another(self) -> None:
        """Until another request has passed; a client that sends nothing meanwhile is not kept for long."""
        async with self._passed:
            before = self._count
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(MOST_SECONDS):
                    await self._passed.wait_for(lambda: self._count > before)
                    self.reordered += 1

    def _watch(self, request: bytes, fault: str) -> None:
        """Notes how long what was told to slow down took to come again."""
        ids, moment = _message_ids(request), time.monotonic()
        for slowed in [each for each in self._slowed if each[1] & ids]:
            self._slowed.remove(slowed)
            self.waited.append(moment - slowed[0])
        if fault == SLOW_DOWN:
            self._slowed.append((moment, ids))

    async def _forward(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._server)
        writer.write(request)
        answer = await _read(reader)
        writer.close()
        assert answer is not None, "the server closed without an answer"
        self.answered.append(int(answer.split(b" ", 2)[1]))
        return answer


def _field(request: bytes, name: bytes) -> bytes:
    """A header of a request, or nothing."""
    head = request.partition(b"\r\n\r\n")[0]
    for line in head.split(b"\r\n")[1:]:
        field, _, value = line.partition(b":")
        if field.lower() == name:
            return value.strip()
    return b""


def _message_ids(request: bytes) -> set[bytes]:
    """The messages in a request, packed or not."""
    body = request.partition(b"\r\n\r\n")[2]
    if body.startswith(b"\x1f\x8b"):
        body = zlib.decompress(body, wbits=31)
    return set(_MESSAGE_ID.findall(body))


async def _read(reader: asyncio.StreamReader) -> bytes | None:
    """A whole message of HTTP/1.1, or None at the end."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    lines = head.lower().split(b"\r\n")
    fields = dict(line.split(b":", 1) for line in lines[1:] if b":" in line)
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        body = b""
        while True:
            size = await reader.readuntil(b"\r\n")
            chunk = await reader.readexactly(int(size.split(b";")[0], 16) + 2)
            body += size + chunk
            if int(size.split(b";")[0], 16) == 0:
                return head + body
    return head + await reader.readexactly(int(fields.get(b"content-length", b"0")))


@contextlib.asynccontextmanager
async def faulty(url: str, *faults: str) -> AsyncIterator[Faulty]:
    """The proxy, before the server at this address."""
    host, _, port = url.removeprefix("http://").partition(":")
    proxy = Faulty((host, int(port)), faults)
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
