"""The headers that tell browsers what our pages may do: nothing that we did not write ourselves."""

from __future__ import annotations

from collections.abc import Mapping

from litestar.types import BeforeMessageSendHookHandler, Message, Scope

POLICY: Mapping[str, str] = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: https:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}
"""The Content-Security-Policy: no inline script or style, nothing from elsewhere but pictures over https."""


CAMERA_POLICY: Mapping[str, str] = {**POLICY, "script-src": "'self' 'wasm-unsafe-eval'"}
"""Of pages that read barcodes with a camera: the reader is WebAssembly. Scripts of others stay as forbidden as anywhere."""


def policy_text(directives: Mapping[str, str]) -> str:
    """A policy as its header's value."""
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def security_headers(*, https: bool, policy: Mapping[str, str] | None = None) -> BeforeMessageSendHookHandler:
    """A hook for `Litestar(before_send=[…])` that adds the headers to every answer, errors and static files included.

    `https` also adds HSTS (one year); set it when the public address is https. `policy` changes single directives of `POLICY`.
    A header that the route has set itself stays as it is: the chat widget, for one, must be framed by others.
    """
    directives = {**POLICY, **(policy or {})}
    headers = {
        b"content-security-policy": policy_text(directives).encode(),
        b"x-content-type-options": b"nosniff",
        b"referrer-policy": b"strict-origin-when-cross-origin",
        b"permissions-policy": b"camera=(self), geolocation=(self), microphone=(), payment=(self), usb=(self), serial=(self)",
        b"cross-origin-opener-policy": b"same-origin",
    }
    if https:
        headers[b"strict-transport-security"] = b"max-age=31536000; includeSubDomains"
    items = list(headers.items())

    async def add(message: Message, _scope: Scope) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *(item for item in items if item[0] not in present)]

    return add
