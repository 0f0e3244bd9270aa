"""The outermost layer of the web application: request ids, proxies, the access log, metrics and traces.

Plain ASGI around the whole application, so that it also sees what no route answered. Cheap: it runs for every
request.
"""

import contextlib
import ipaddress
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import structlog

from samlad.kernel import metrics, turns
from samlad.kernel.context import EVENT_IDS, GUEST
from samlad.kernel.http import ACTOR_SCOPE, REQUEST_ID_SCOPE
from samlad.kernel.ids import new_id
from samlad.kernel.problems import InvalidInput
from samlad.kernel.settings import Settings
from samlad.kernel.telemetry import log_request

if TYPE_CHECKING:
    from samlad.kernel.telemetry import OpenTelemetry

Scope = dict[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

PROXIED_SCOPE = "samlad.proxied"
"""ASGI scope key: the client's address was told by a proxy that we trust."""

UNROUTED = "(none)"
STREAMS = frozenset({"/live"})
"""Routes whose answers last as long as somebody listens: their duration is no latency."""
QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Routes that machines ask every few seconds: logged at level debug."""


class Edge:
    """Wraps the application's ASGI handler."""

    def __init__(self, app: Any, settings: Settings) -> None:
        self._app = app
        self._trusted = networks(settings.trusted_proxies)
        self.tracer: OpenTelemetry | None = None
        """Set while traces are collected."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = scope["headers"]
        believe_proxy(scope, self._trusted)
        request_id = _request_id(_header(headers, b"x-request-id"))
        scope[REQUEST_ID_SCOPE] = request_id
        status = 500
        id_header = (b"x-request-id", str(request_id).encode())

        async def send_with_id(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                turns.leave(scope)
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), id_header]
            await send(message)

        started = time.perf_counter()
        event_ids: list[UUID] = []
        token = EVENT_IDS.set(event_ids)
        turns.arrive(scope)
        try:
            with (
                structlog.contextvars.bound_contextvars(request_id=str(request_id)),
                self._span(scope) as span,
            ):
                try:
                    await self._app(scope, receive, send_with_id)
                finally:
                    self._record(scope, status, time.perf_counter() - started, event_ids, span)
        finally:
            turns.leave(scope)
            EVENT_IDS.reset(token)

    def _span(self, scope: Scope) -> contextlib.AbstractContextManager[Any]:
        if self.tracer is None:
            return contextlib.nullcontext()
        parent = _header(scope["headers"], b"traceparent")
        attributes = {
            "http.request.method": scope["method"],
            "samlad.request_id": str(scope[REQUEST_ID_SCOPE]),
        }
        return self.tracer.span("request", attributes, parent=parent.decode("latin-1") or None)

    @staticmethod
    def _record(scope: Scope, status: int, seconds: float, event_ids: list[UUID], span: Any) -> None:
        route = scope.get("path_template") or UNROUTED
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        if route not in STREAMS:
            metrics.observe_request(route, method, status, seconds)
        if span is not None:
            span.update_name(f"{method} {route}")
            span.set_attributes({"http.route": route, "http.response.status_code": status})
        fields: dict[str, Any] = {
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "actor": scope.get(ACTOR_SCOPE, GUEST).label,
        }
        if event_ids:
            fields["event_ids"] = [str(event_id) for event_id in event_ids]
        log_request(fields, scope[REQUEST_ID_SCOPE], is_quiet=route in QUIET)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def _header(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes:
    return next((value for key, value in headers if key == name), b"")


def _request_id(given: bytes) -> UUID:
    """The caller's own id if it is a UUID, else a new one."""
    if given:
        with contextlib.suppress(ValueError):
            return UUID(given.decode("latin-1"))
    return new_id()


def networks(text: str) -> list[Network]:
    """Addresses and networks parted by commas.

    Raises:
        InvalidInput: one of them is neither.
    """
    try:
        return [ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip()]
    except ValueError as error:
        raise InvalidInput(f"SAMLAD_TRUSTED_PROXIES: {error}.") from None


def _is_in(address: str, trusted: Sequence[Network]) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(ip in network for network in trusted)


def believe_proxy(scope: Scope, trusted: Sequence[Network]) -> None:
    """Take client, scheme and host from ``X-Forwarded-…`` if a trusted proxy sent the request.

    The client is the last address in ``X-Forwarded-For`` that is no trusted proxy: what stands before it was
    written by somebody else.
    """
    client = scope.get("client")
    if not trusted or not client or not _is_in(client[0], trusted):
        return
    headers = scope["headers"]
    hops = [
        hop.strip()
        for hop in _header(headers, b"x-forwarded-for").decode("latin-1").split(",")
        if hop.strip()
    ]
    for hop in reversed(hops):
        scope["client"] = (hop, 0)
        if not _is_in(hop, trusted):
            break
    scope[PROXIED_SCOPE] = bool(hops)
    scheme = _header(headers, b"x-forwarded-proto").decode("latin-1").strip().lower()
    if scheme in ("http", "https"):
        scope["scheme"] = scheme
    host = _header(headers, b"x-forwarded-host").split(b",")[-1].strip()
    if host:
        scope["headers"] = [(b"host", host), *((k, v) for k, v in headers if k != b"host")]


_NEAR = networks("127.0.0.0/8, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, ::1, fc00::/7, fe80::/10")


def is_near(scope: Scope) -> bool:
    """Whether the request comes from this machine or a private network, not through a proxy that we do not know."""
    client = scope.get("client")
    if not client:
        return False
    forwarded = any(name in (b"x-forwarded-for", b"forwarded") for name, _ in scope["headers"])
    if forwarded and not scope.get(PROXIED_SCOPE):
        return False
    return _is_in(client[0], _NEAR)
