"""The kernel's own addresses: health, metrics, live events, and the reference of problems and event types."""

import asyncio
import functools
import html
import inspect
from typing import Any

import msgspec
from litestar import MediaType, Response, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from samlad.kernel import live as live_events
from samlad.kernel import log, metrics, migrations
from samlad.kernel.edge import is_near
from samlad.kernel.http import AnyRequest, actor_of
from samlad.kernel.log import Fact, Position
from samlad.kernel.problems import Busy, NotFound, Problem
from samlad.kernel.runtime import Runtime
from samlad.kernel.worker import Work

READY_SECONDS = 2.0


class Health(msgspec.Struct, frozen=True):
    """How a process is. ``reason`` says what is missing."""

    status: str
    reason: str | None = None


class EventType(msgspec.Struct, frozen=True):
    """One type of event on the log; ``schema`` is the JSON schema of its payload."""

    type: str
    description: str
    personal: list[str]
    schema: dict[str, Any]


def _runtime(request: AnyRequest) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def _work(request: AnyRequest) -> Work:
    work: Work = request.app.state.work
    return work


@get("/health/live", sync_to_thread=False, summary="Is the process alive?", tags=["operations"])
def alive() -> Health:
    """Answers as long as the process runs; says nothing about the database."""
    return Health("ok")


@get(
    "/health/ready",
    summary="Can the process serve?",
    tags=["operations"],
    responses={503: ResponseSpec(Health, description="It cannot, and why", generate_examples=False)},
)
async def ready(request: AnyRequest) -> Response[Health]:
    """Answers 200 when the database answers and its schema is up to date, else 503 with the reason."""
    reason = await _why_not_ready(request)
    status = "ok" if reason is None else "not ready"
    return Response(Health(status, reason), status_code=200 if reason is None else 503)


async def _why_not_ready(request: AnyRequest) -> str | None:
    runtime = _runtime(request)
    try:
        async with asyncio.timeout(READY_SECONDS):
            await runtime.database.value("SELECT 1")
            if not request.app.state.get("is_migrated"):
                await migrations.require_current(
                    runtime.database.dsn, runtime.settings, _work(request).packages
                )
                request.app.state.is_migrated = True  # files do not change under a running process
    except migrations.MigrationProblem as problem:
        return problem.detail
    except (TimeoutError, OSError, Busy):
        return "The database does not answer."
    return None


@get("/metrics", include_in_schema=False)
async def prometheus(request: AnyRequest) -> Response[bytes]:
    """Metrics in Prometheus' text format: for this machine and private networks, or with ``metrics.read``."""
    if not is_near(request.scope):  # type: ignore[arg-type]
        actor_of(request).require("metrics.read")
    body = await metrics.exposition(_runtime(request), _work(request).followers)
    return Response(body, media_type="text/plain; version=0.0.4")


@get("/live", include_in_schema=False)
async def live(
    request: AnyRequest,
    topic: FromQuery[list[str]],
    after: FromQuery[str | None] = None,
) -> Stream:
    """Server-sent events of the topics, from now on; with ``Last-Event-ID`` (or ``after``) first what was missed."""
    runtime = _runtime(request)
    wanted = await live_events.admit(runtime.database, actor_of(request), topic)
    position = _position(request.headers.get("last-event-id") or after)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(runtime.live.stream(wanted, position), media_type="text/event-stream", headers=headers)


def _position(text: str | None) -> Position | None:
    """A position from outside; one that cannot be is taken for none, as a browser would not learn of the error."""
    try:
        return Position.parse(text) if text else None
    except ValueError:
        return None


@get("/problems/{code:str}", include_in_schema=False, sync_to_thread=False)
def problem_page(request: AnyRequest, code: FromPath[str]) -> Response[Any]:
    """What a kind of problem means: the ``type`` of every problem document leads here."""
    kind = Problem.kinds().get(code)
    if kind is None:
        raise NotFound(f"There is no kind of problem called {code}.")
    text = inspect.cleandoc(kind.__doc__ or "")
    if "text/html" not in request.headers.get("accept", ""):
        return Response(
            {"type": f"/problems/{code}", "title": kind.title, "status": kind.status, "description": text}
        )
    page = _PAGE.format(
        code=html.escape(code), title=html.escape(kind.title), status=kind.status, text=html.escape(text)
    )
    return Response(page, media_type=MediaType.HTML)


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>:root{{color-scheme:light dark}}body{{font:1rem/1.6 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}}</style>
<h1>{title}</h1>
<p><code>/problems/{code}</code> · HTTP status {status}</p>
<p style="white-space:pre-line">{text}</p>
"""


@get("/api/event-types", summary="Every type of event", tags=["operations"])
async def event_types() -> list[EventType]:
    """Every type of event that this program writes to its log, with the JSON schema of the payload."""
    return await asyncio.to_thread(_event_types)


@functools.cache
def _event_types() -> list[EventType]:
    """Made once a process: some hundred schemas take a third of a second."""
    return [_event_type(name, fact) for name, fact in log.declared().items()]


def _event_type(name: str, fact: type[Fact]) -> EventType:
    return EventType(
        type=name,
        description=inspect.cleandoc(fact.__doc__ or ""),
        personal=sorted(fact.personal),
        schema=msgspec.json.schema(fact),
    )


routes = [Router(path="/", route_handlers=[alive, ready, prometheus, live, problem_page, event_types])]
