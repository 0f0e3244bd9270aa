"""The real application, which serves one test's database after another: starting a server costs seconds, a database none.

Granian runs it in a process of its own, one for each worker of the tests::

    python -m granian --interface asgi --factory site_server:switchable

A POST to `SWITCH` closes the database of before, and opens the one of the settings (JSON) in its body, if there are any.
"""

import contextlib
import os
import signal
import threading
import time
from typing import Any

import msgspec
import psutil

from applications import running
from samlad.kernel.settings import load
from samlad.kernel.telemetry import configure_logging

SWITCH = "/-/switch"
TESTS = "TESTS_PROCESS"
"""Environment variable with the process id of the tests."""


class Switchable:
    """An ASGI application that is ours over the database that was named last."""

    def __init__(self) -> None:
        self._application: Any = None
        self._open = contextlib.AsyncExitStack()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == SWITCH:
            await self._switch(await _body(receive))
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        elif scope["type"] == "http":
            await self._application(scope, receive, send)

    async def _switch(self, body: bytes) -> None:
        await self._open.aclose()
        if body:
            settings = load({}, **msgspec.json.decode(body))
            self._application = await self._open.enter_async_context(running(settings))


async def _body(receive: Any) -> bytes:
    body, is_over = b"", False
    while not is_over:
        message = await receive()
        body += message.get("body", b"")
        is_over = not message.get("more_body")
    return body


def switchable() -> Switchable:
    """Granian's factory."""
    configure_logging(load({}, log_level="warning"))
    tests = int(os.environ[TESTS])
    threading.Thread(target=_end_with, args=(tests, os.getppid()), daemon=True).start()
    return Switchable()


def _end_with(tests: int, granian: int) -> None:
    """Tests that were killed leave no server behind."""
    while psutil.pid_exists(tests):
        time.sleep(1)
    os.kill(granian, signal.SIGTERM)
