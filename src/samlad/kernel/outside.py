"""Requests to addresses that others name (pictures of an import, webhooks), without a way into our own network.

A name is resolved here, every address it has is judged, and the connection goes to an address that was judged: a name
that answers differently the second time (DNS rebinding) gains nothing. Redirects go through the same gate. Proxies of
the environment are not used: they would resolve the name again.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import certifi
import httpcore
import msgspec

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LATER = frozenset({408, 425, 429})


class OutsideError(Exception):
    """An address could not be read. ``is_final``: trying again cannot help."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, also when it is an IPv4 one in IPv6 clothes."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """The IPv4 address that a translated or tunnelled IPv6 address leads to."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


class Gate(msgspec.Struct, frozen=True):
    """What may be reached, and how much of it. Sizes in bytes, times in seconds."""

    allows: Callable[[Address], bool] = is_public
    ports: Container[int] = frozenset({80, 443})
    largest: int = 10 * 1024 * 1024
    seconds: float = 15
    redirects: int = 3


PUBLIC = Gate()


class Fetched(msgspec.Struct, frozen=True):
    """What was there, and its final address after redirects."""

    url: str
    content: bytes


async def read(url: str, gate: Gate = PUBLIC, *, accept: str = "*/*") -> Fetched:
    """GET an address through the gate; its whole content.

    Raises:
        OutsideError: it may not be reached, is not there, too large, too slow or not HTTP.
    """
    try:
        async with asyncio.timeout(gate.seconds), _pool(gate) as pool:
            for _ in range(gate.redirects + 1):
                answer = await _get(pool, _checked(url, gate), gate, accept)
                if isinstance(answer, bytes):
                    return Fetched(url, answer)
                url = _joined(url, answer.location)
    except TimeoutError:
        raise OutsideError(f"no complete answer within {gate.seconds:g} seconds", is_final=False) from None
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, ssl.SSLError) as error:
        raise OutsideError(f"no answer: {error or type(error).__name__}", is_final=False) from None
    raise OutsideError(f"more than {gate.redirects} redirects", is_final=True)


class Answer(msgspec.Struct, frozen=True):
    """What a service answered: the HTTP status, the body whatever it is, and the header Retry-After."""

    status: int
    content: bytes
    retry_after: str | None = None


async def post(
    url: str,
    content: bytes,
    gate: Gate = PUBLIC,
    *,
    kind: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """POST to an address through the gate. Redirects are not followed: they would carry what was sent elsewhere.

    Raises:
        OutsideError: it may not be reached, its answer is too large or too slow, or it is not HTTP.
    """
    sent: dict[bytes | str, bytes | str] = {**_HEADERS, "Accept": kind, "Content-Type": kind}
    sent.update(headers or {})
    try:
        async with (
            asyncio.timeout(gate.seconds),
            _pool(gate) as pool,
            pool.stream(
                "POST", _checked(url, gate), headers=sent, content=content, extensions=_limits(gate)
            ) as response,
        ):
            found = {name.lower(): value for name, value in response.headers}
            body = await _bounded(response, found.get(b"content-length", b""), gate.largest)
            later = found.get(b"retry-after")
            return Answer(response.status, body, later.decode("latin-1") if later else None)
    except TimeoutError:
        raise OutsideError(f"no complete answer within {gate.seconds:g} seconds", is_final=False) from None
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, ssl.SSLError) as error:
        raise OutsideError(f"no answer: {error or type(error).__name__}", is_final=False) from None


# Without compression: what is small on the way cannot become large here.
_HEADERS: dict[bytes | str, bytes | str] = {"Accept-Encoding": "identity", "User-Agent": "Samlad"}


def _limits(gate: Gate) -> dict[str, Any]:
    return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), gate.seconds)}


class _Moved(msgspec.Struct, frozen=True):
    location: str


async def _get(
    pool: httpcore.AsyncConnectionPool, url: httpcore.URL, gate: Gate, accept: str
) -> bytes | _Moved:
    headers: dict[bytes | str, bytes | str] = {**_HEADERS, "Accept": accept}
    async with pool.stream("GET", url, headers=headers, extensions=_limits(gate)) as response:
        found = {name.lower(): value for name, value in response.headers}
        if response.status in _REDIRECTS and b"location" in found:
            return _Moved(found[b"location"].decode("utf-8", "replace"))
        if response.status != 200:
            is_final = response.status < 500 and response.status not in _LATER
            raise OutsideError(f"it answered {response.status}", is_final=is_final)
        if found.get(b"content-encoding", b"identity").lower() != b"identity":
            raise OutsideError("it answered compressed, which was not asked for", is_final=True)
        return await _bounded(response, found.get(b"content-length", b""), gate.largest)


async def _bounded(response: httpcore.Response, announced: bytes, largest: int) -> bytes:
    too_large = OutsideError(f"it is larger than {largest:,} bytes", is_final=True)
    if announced.isdigit() and int(announced) > largest:
        raise too_large
    content = bytearray()
    async for chunk in response.aiter_stream():
        content += chunk
        if len(content) > largest:
            raise too_large
    return bytes(content)


def _checked(url: str, gate: Gate) -> httpcore.URL:
    """The address in parts, if scheme and port are allowed; a fragment and a name with password are not sent."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        raw = _quoted(target)
    except (ValueError, UnicodeError):
        raise OutsideError("it is no valid address", is_final=True) from None
    if parts.scheme not in ("http", "https") or not host:
        raise OutsideError("only http and https addresses are read", is_final=True)
    if port not in gate.ports:
        raise OutsideError(f"port {port} is not allowed", is_final=True)
    return httpcore.URL(scheme=parts.scheme.encode(), host=host.encode(), port=port, target=raw)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise OutsideError("it redirects to no valid address", is_final=True) from None


def _quoted(target: str) -> bytes:
    """A path as it goes over the wire: what is not ASCII in percent, spaces and control characters too."""
    return "".join(
        char if "!" <= char <= "~" else "".join(f"%{byte:02X}" for byte in char.encode()) for char in target
    ).encode("ascii")


def _pool(gate: Gate) -> httpcore.AsyncConnectionPool:
    return httpcore.AsyncConnectionPool(
        ssl_context=_tls(), network_backend=_Guarded(gate), max_keepalive_connections=0
    )


_CONTEXTS: list[ssl.SSLContext] = []


def _tls() -> ssl.SSLContext:
    if not _CONTEXTS:  # reading all authorities takes 20 ms
        _CONTEXTS.append(ssl.create_default_context(cafile=certifi.where()))
    return _CONTEXTS[0]


class _Guarded(httpcore.AsyncNetworkBackend):
    """Connects to judged addresses only. TLS still checks the certificate against the name."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve, judge, connect: the first address that answers."""
        failure: Exception = OutsideError("its host has no address", is_final=False)
        for address in await _judged(host, port, self._gate):
            try:
                return await self._plain.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


async def connect(host: str, port: int, gate: Gate) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A plain TCP connection through the gate, to an address that was judged; ``gate.seconds`` for each that it has.

    Raises:
        OutsideError: it may not be reached, or nobody answers there.
    """
    if port not in gate.ports:
        raise OutsideError(f"port {port} is not allowed", is_final=True)
    failure = "its host has no address"
    for address in await _judged(host, port, gate, "may not be reached from here"):
        try:
            async with asyncio.timeout(gate.seconds):
                return await asyncio.open_connection(str(address), port)
        except TimeoutError:
            failure = f"no answer within {gate.seconds:g} seconds"
        except OSError as error:
            failure = f"no answer: {error.strerror or type(error).__name__}"
    raise OutsideError(failure, is_final=False)


async def _judged(
    host: str, port: int, gate: Gate, refusal: str = "is not on the public internet"
) -> list[Address]:
    """All addresses of a host. One that is not allowed spoils all: such an answer is an attempt or a mistake."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise OutsideError(f"the host {host} is not known", is_final=False) from None
    addresses = [ipaddress.ip_address(each[4][0]) for each in found]
    if not all(map(gate.allows, addresses)):
        raise OutsideError(f"the host {host} {refusal}", is_final=True)
    return list(dict.fromkeys(addresses))
