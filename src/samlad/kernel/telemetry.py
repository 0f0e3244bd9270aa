"""What a process tells of itself: structured logs without personal data, and traces if somebody collects them.

Log lines are JSON (or readable in a terminal) on standard error. Each line of a request carries its
``request_id``; the events that it caused carry the same id in their column ``request``.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO
from uuid import UUID

import msgspec
import structlog

from samlad.kernel import cards
from samlad.kernel.settings import Settings

if TYPE_CHECKING:
    from samlad.kernel.database import Database

_QUIET = ("litestar", "granian", "_granian", "httpx", "httpcore", "asyncio", "psycopg.pool", "hpack")
_encoder = msgspec.json.Encoder(enc_hook=str)


def configure_logging(settings: Settings) -> None:
    """Set up logging for this process, ours and that of the libraries; again replaces it."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    is_console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    first: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if is_console:
        # Not the pretty tracebacks: they show the values of variables, which may be anybody's name.
        last: list[Any] = [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(_to_json)]
    last.append(_without_cards)
    global _plain_level
    _plain_level = None if is_console else level
    structlog.configure(
        processors=[*first, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=False,
    )
    _configure_libraries(level, first, last)


_plain_level: int | None = None
"""The level of a log that is JSON; None while it is not set up or for people."""


def log_request(fields: dict[str, Any], request_id: UUID, *, is_quiet: bool) -> None:
    """One line for an answered request: as structlog writes it, at a tenth of the cost, because every request has one.

    ``fields`` are ours, not the caller's: nothing in them can be a card number.
    """
    if _plain_level is None:
        logger = structlog.get_logger("samlad.http")
        (logger.debug if is_quiet else logger.info)("request", **fields)
        return
    level = logging.DEBUG if is_quiet else logging.INFO
    if level < _plain_level:
        return
    fields["event"] = "request"
    fields["request_id"] = request_id
    fields["level"] = "debug" if is_quiet else "info"
    fields["timestamp"] = datetime.now(UTC)
    with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
        sys.stderr.write(_encoder.encode(fields).decode() + "\n")


def _without_cards(_logger: Any, _method: str, line: str) -> str:
    """The line without what looks like a card number, whoever wrote it there."""
    return cards.redact(line)


def _to_stderr(*_: Any) -> structlog.PrintLogger:
    """A logger of the standard error of this moment: what stood there when logging was set up may be closed by now."""
    return structlog.PrintLogger(sys.stderr)


class _StderrHandler(logging.StreamHandler[TextIO]):
    """What libraries log goes to the standard error of this moment too."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _configure_libraries(level: int, first: list[Any], last: list[Any]) -> None:
    handler = _StderrHandler()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*first, structlog.stdlib.add_logger_name],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _to_json(event: MutableMapping[str, Any], **_: Any) -> str:
    return _encoder.encode(dict(event)).decode()


class OpenTelemetry:
    """Spans to an OTLP collector over HTTP."""

    def __init__(self, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        resource = Resource.create({"service.name": "samlad", "process.pid": os.getpid()})
        self._provider = TracerProvider(resource=resource)
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("samlad")

    @contextlib.contextmanager
    def span(self, name: str, attributes: dict[str, Any], *, parent: str | None = None) -> Iterator[Any]:
        """A span while the block runs; an exception marks it as failed."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
        kind = SpanKind.SERVER if name == "request" else SpanKind.INTERNAL
        with self._tracer.start_as_current_span(name, context, kind=kind, attributes=attributes) as span:
            yield span

    def close(self) -> None:
        """Send what waits."""
        self._provider.shutdown()


@contextlib.contextmanager
def tracing(settings: Settings, database: "Database") -> Iterator[OpenTelemetry | None]:
    """Traces of requests and transactions while the block runs, if ``SAMLAD_OTLP_ENDPOINT`` is set.

    Without it OpenTelemetry is not even imported.
    """
    if not settings.otlp_endpoint:
        yield None
        return
    tracer = OpenTelemetry(settings.otlp_endpoint)
    database.around = lambda: tracer.span("transaction", {"db.system.name": "postgresql"})
    try:
        yield tracer
    finally:
        database.around = None
        tracer.close()
