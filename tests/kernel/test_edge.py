"""The outermost layer: request ids, proxies that are believed or not, the access log, metrics, health, reference."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
import structlog
from litestar import Request, Response, get, post
from litestar.params import FromPath

from applications import running
from samlad import app as composition
from samlad.kernel import edge, log, telemetry, turns
from samlad.kernel.context import Actor
from samlad.kernel.database import Tx
from samlad.kernel.http import ACTOR_SCOPE, database_of, write
from samlad.kernel.log import Fact, declare
from samlad.kernel.problems import InvalidInput, Problem
from samlad.kernel.settings import Settings, load
from samlad.kernel.telemetry import configure_logging, log_request


@pytest.fixture(autouse=True)
def every_level(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fixtures of other tests that still run have set up (conftest puts it back)."""
    structlog.reset_defaults()
    monkeypatch.setattr(telemetry, "_plain_level", None)


KIM = Actor(kind="staff", id=uuid4(), name="Kim Secret", permissions=frozenset())


@declare("test.touched", personal=("email",))
class Touched(Fact):
    """Something was touched."""

    email: str


@post("/api/test-touch/{number:int}", status_code=201)
async def touch(request: Request[Any, Any, Any], number: FromPath[int]) -> Response[Any]:
    async def work(tx: Tx) -> dict[str, str]:
        return {
            "id": str(log.append(tx, Touched(email="kim@example.com"))),
            "remote": tx.context.remote or "",
        }

    return await write(request, work, status=201)


@get("/api/test-crash")
async def crash(request: Request[Any, Any, Any]) -> None:
    await database_of(request).value("SELECT 1")
    raise RuntimeError("boom")


@get("/api/test-address", sync_to_thread=False)
def address(request: Request[Any, Any, Any]) -> dict[str, Any]:
    client = request.client
    return {"client": client and client.host, "url": str(request.url), "near": edge.is_near(request.scope)}


@get("/api/test-turns/{aside:str}", sync_to_thread=False)
def step_aside(request: Request[Any, Any, Any], aside: FromPath[str]) -> list[int]:
    before = turns.waited_for()
    for _ in range(2 if aside == "yes" else 0):
        turns.leave(request.scope)
    return [before, turns.waited_for()]


Open = Callable[..., contextlib.AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture
def web(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Open:
    monkeypatch.setattr(composition, "ROUTES", [*composition.ROUTES, touch, crash, address, step_aside])

    @contextlib.asynccontextmanager
    async def open_client(
        *, client: str = "127.0.0.1", actor: Actor | None = None, **changes: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        chosen = msgspec.structs.replace(settings, **changes)

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            if actor:
                scope[ACTOR_SCOPE] = actor
            await application(scope, receive, send)

        async with running(chosen) as application:
            transport = httpx.ASGITransport(app=asgi, raise_app_exceptions=False, client=(client, 5))
            async with httpx.AsyncClient(transport=transport, base_url="http://samlad.test") as http:
                yield http

    return open_client


async def test_every_answer_has_a_request_id_and_events_carry_it(web: Open, db: Any) -> None:
    given = str(uuid4())
    async with web() as api:
        answer = await api.post("/api/test-touch/1", headers={"X-Request-Id": given})
        assert answer.headers["x-request-id"] == given
        missing = await api.get("/nowhere")
        assert missing.status_code == 404
        assert UUID(missing.headers["x-request-id"]).version == 7
        assert UUID((await api.get("/nowhere", headers={"X-Request-Id": "rm -rf"})).headers["x-request-id"])
    event = await log.by_id(db, UUID(answer.json()["id"]))
    assert event is not None
    assert str(event.request) == given


async def test_the_access_log_has_route_actor_and_events_but_nothing_personal(web: Open) -> None:
    async with web(actor=KIM) as api:
        with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
            answer = await api.post("/api/test-touch/7?email=kim@example.com")
            await api.get("/health/live")
    (line,) = [entry for entry in lines if entry["event"] == "request" and entry["log_level"] == "info"]
    assert line["event_ids"] == [answer.json()["id"]]
    assert line["ms"] >= 0
    assert line["request_id"] == answer.headers["x-request-id"]
    rest = {k: v for k, v in line.items() if k not in ("event_ids", "ms", "request_id")}
    assert rest == {
        "event": "request",
        "log_level": "info",
        "method": "POST",
        "route": "/api/test-touch/{number}",
        "status": 201,
        "actor": f"staff:{KIM.id}",
    }
    assert "kim" not in json.dumps(lines, default=str).lower().replace(str(KIM.id), "")


def test_the_line_of_a_request_is_what_structlog_would_write(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is written past structlog for its cost; whoever reads the log must not notice."""
    request_id = uuid4()
    fields = {"method": "GET", "route": "/api/channels", "status": 200, "ms": 1.5, "actor": "guest"}
    configure_logging(load({}, home=tmp_path, log_format="json"))
    log_request(dict(fields), request_id, is_quiet=False)
    log_request(dict(fields), request_id, is_quiet=True)  # below the level
    structlog.get_logger("samlad.http").info("request", **fields, request_id=str(request_id))
    ours, theirs = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for line in (ours, theirs):
        assert abs(datetime.now(UTC) - datetime.fromisoformat(line.pop("timestamp"))) < timedelta(minutes=1)
    assert ours == theirs


async def test_what_nobody_foresaw_is_a_problem_and_is_logged_with_its_request(web: Open) -> None:
    async with web() as api:
        with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
            answer = await api.get("/api/test-crash")
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert "boom" not in answer.text
    (error,) = [line for line in lines if line["event"] == "unexpected error"]
    assert error["request_id"] == answer.headers["x-request-id"]
    assert [line["status"] for line in lines if line["event"] == "request"] == [500]


FORWARDED = {
    "X-Forwarded-For": "203.0.113.9, 198.51.100.7, 10.0.0.2",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
}


async def test_a_request_is_waited_for_until_it_is_answered_or_steps_aside(web: Open) -> None:
    before = turns.waited_for()
    async with web() as api:
        assert (await api.get("/api/test-turns/no")).json() == [before + 1, before + 1]
        assert (await api.get("/api/test-turns/yes")).json() == [before + 1, before]
        await api.get("/api/test-crash")
        await api.get("/nowhere")
    assert turns.waited_for() == before


async def test_forwarded_headers_count_only_from_trusted_proxies(web: Open) -> None:
    async with web(client="10.0.0.1") as api:
        seen = (await api.get("/api/test-address", headers=FORWARDED)).json()
        assert seen == {"client": "10.0.0.1", "url": "http://samlad.test/api/test-address", "near": False}
        assert (await api.get("/api/test-address")).json()["near"] is True
    async with web(client="10.0.0.1", trusted_proxies="10.0.0.0/8, ::1") as api:
        seen = (await api.get("/api/test-address", headers=FORWARDED)).json()
        assert seen["client"] == "198.51.100.7", "what stands before it may be invented"
        assert seen["url"] == "https://shop.example/api/test-address"
        assert seen["near"] is False
        inside = {"X-Forwarded-For": "10.0.0.9"}
        assert (await api.get("/api/test-address", headers=inside)).json()["near"] is True
        rubbish = {"X-Forwarded-For": "nonsense", "X-Forwarded-Proto": "gopher"}
        seen = (await api.get("/api/test-address", headers=rubbish)).json()
        assert (seen["client"], seen["near"]) == ("nonsense", False)
        assert seen["url"].startswith("http://samlad.test")


def test_a_wrong_proxy_setting_is_told() -> None:
    with pytest.raises(InvalidInput, match="SAMLAD_TRUSTED_PROXIES"):
        edge.networks("10.0.0.0/8, balancer")


async def test_metrics_count_requests_by_route_and_are_for_the_near_or_the_permitted(web: Open) -> None:
    async with web() as api:
        await api.post("/api/test-touch/3")
        await api.get("/nowhere/at/all")
        text = (await api.get("/metrics")).text
    assert 'samlad_request_seconds_count{method="POST",route="/api/test-touch/{number}",status="201"}' in text
    assert 'route="(none)",status="404"' in text
    assert "nowhere" not in text
    assert 'samlad_jobs{state="todo"} 0.0' in text
    assert "samlad_live_listeners 0.0" in text
    assert 'samlad_pool_connections{state="most"} 8.0' in text
    async with web(client="203.0.113.9") as api:
        assert (await api.get("/metrics")).status_code in (401, 403)
    key = Actor(kind="key", id=uuid4(), permissions=frozenset({"metrics.read"}))
    async with web(client="203.0.113.9", actor=key) as api:
        assert (await api.get("/metrics")).status_code == 200


async def test_health(web: Open) -> None:
    async with web() as api:
        assert (await api.get("/health/live")).json()["status"] == "ok"
        assert (await api.get("/health/ready")).status_code == 200


async def test_not_ready_without_the_newest_schema(web: Open, db: Any) -> None:
    await db.value("DELETE FROM migration WHERE package = 'kernel' AND version = 3 RETURNING 1")
    async with web() as api:
        answer = await api.get("/health/ready")
    assert answer.status_code == 503
    assert "kernel/0003_secret" in answer.json()["reason"]


async def test_a_problem_type_leads_to_its_page(web: Open) -> None:
    async with web() as api:
        for code, kind in Problem.kinds().items():
            found = (await api.get(f"/problems/{code}")).json()
            assert found["title"] == kind.title
            assert len(found["description"]) > 20, f"{kind.__name__} needs a docstring"
        page = await api.get("/problems/not-found", headers={"Accept": "text/html,*/*"})
        assert page.headers["content-type"].startswith("text/html")
        assert "<h1>Not found</h1>" in page.text
        assert (await api.get("/problems/nonsense")).status_code == 404


async def test_event_types_are_listed_with_schemas(web: Open) -> None:
    async with web() as api:
        found = {kind["type"]: kind for kind in (await api.get("/api/event-types")).json()}
    assert found["test.touched"]["personal"] == ["email"]
    assert found["test.touched"]["description"] == "Something was touched."
    assert "email" in json.dumps(found["test.touched"]["schema"])


async def test_live_over_http_is_guarded(web: Open) -> None:
    async with web() as api:
        assert (await api.get("/live")).status_code in (400, 422)
        assert (await api.get("/live?topic=channels")).status_code in (401, 403)
        assert (await api.get("/live?topic=nonsense")).status_code == 422


def test_logs_are_json_lines_without_a_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    from samlad.kernel.telemetry import configure_logging

    before = structlog.get_config()
    try:
        configure_logging(load({}, log_format="json", log_level="info"))
        structlog.get_logger("x").info("hello", number=1, id=KIM.id)
        structlog.get_logger("x").debug("not shown")
        import logging

        logging.getLogger("somebody").warning("careful %s", "there")
        lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    finally:
        structlog.configure(**before)
    assert [line["event"] for line in lines] == ["hello", "careful there"]
    assert lines[0]["id"] == str(KIM.id)


class Collector(BaseHTTPRequestHandler):
    bodies: ClassVar[list[bytes]] = []

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


async def test_traces_go_to_the_collector_as_request_and_transaction(web: Open) -> None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    server = HTTPServer(("127.0.0.1", 0), Collector)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        async with web(otlp_endpoint=f"http://127.0.0.1:{server.server_port}") as api:
            trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            await api.post("/api/test-touch/1", headers={"traceparent": trace})
            await asyncio.sleep(0)
    finally:
        server.shutdown()
    spans = []
    for body in Collector.bodies:
        message = ExportTraceServiceRequest()
        message.ParseFromString(body)
        spans += [s for r in message.resource_spans for scope in r.scope_spans for s in scope.spans]
    by_name = {span.name: span for span in spans}
    request = by_name["POST /api/test-touch/{number}"]
    assert request.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert by_name["transaction"].parent_span_id == request.span_id


def test_nothing_of_opentelemetry_is_loaded_unasked() -> None:
    import subprocess
    import sys

    code = "import sys, samlad.app; print([m for m in sys.modules if m.startswith(('opentelemetry', 'procrastinate'))])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"
