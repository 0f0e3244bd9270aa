"""HTTP as Segment, RudderStack and Jitsu speak it, so that their clients work unchanged.

What each client needs was measured (`knowledge/event-api-wire.md`): an accepted request is answered by exactly ``200
{"success":true}`` after it was stored, since some take 202 for a failure and all lose the body on a redirect; a refused one by
JSON with ``code`` and ``message``, since some try for ever without.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
import structlog
from litestar import HttpMethod, Response, Router, get, route
from litestar.exceptions import HTTPException
from litestar.params import FromPath

from samlad import channels
from samlad.access.api.browser import runtime_of
from samlad.kernel import turns
from samlad.kernel.clock import now
from samlad.kernel.http import AnyRequest, actor_of, database_of
from samlad.kernel.problems import Problem, TooMany
from samlad.tracking import sdk
from samlad.tracking.bodies import LARGEST_BODY, given_key, open_envelope
from samlad.tracking.intake import Intake
from samlad.tracking.known import Known, known
from samlad.tracking.model import NotAllowed, SlowDown, Source, SourceKind, UnknownWriteKey
from samlad.tracking.permissions import WRITE

SUCCESS = b'{"success":true}'
BATCHES = ("/v1/batch", "/v1/b", "/v1/import", "/beacon/v1/batch")
SINGLES = (
    "/v1/identify",
    "/v1/i",
    "/v1/track",
    "/v1/t",
    "/v1/page",
    "/v1/p",
    "/v1/screen",
    "/v1/s",
    "/v1/group",
    "/v1/g",
    "/v1/alias",
    "/v1/a",
)
JITSU = ("/api/s/{kind:str}", "/api/s/s2s/{kind:str}")
PREFLIGHT_SECONDS = 86_400

logger = structlog.get_logger("samlad.tracking")

POST_OR_ASK = [HttpMethod.POST, HttpMethod.OPTIONS]
GET_OR_ASK = [HttpMethod.GET, HttpMethod.OPTIONS]
"""A browser asks before a request with a header of its own, and RudderStack's client sends its key in one."""


HEADERS = "authorization, content-type, x-retry-count, anonymousid, x-write-key"
"""What clients send that browsers ask about; some have more of their own (RudderStack's: sentat, rsa-retry-attempt …)."""
_HEADERS = re.compile(r"[a-z0-9, -]{1,1000}")


def _allowed(request: AnyRequest) -> str:
    """The headers that a browser asks for: each is harmless, as there are no cookies and the key is in the request."""
    wanted = request.headers.get("access-control-request-headers", "").lower()
    return f"{HEADERS}, {wanted}" if _HEADERS.fullmatch(wanted) else HEADERS


def cors(request: AnyRequest) -> dict[str, str]:
    """Headers that let pages of any other site send events and read the answer; there are no cookies to misuse here."""
    origin = request.headers.get("origin")
    if origin is None:
        return {}
    headers = {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Retry-After",
        "Vary": "Origin",
    }
    if request.method == HttpMethod.OPTIONS:
        headers |= {
            "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
            "Access-Control-Allow-Headers": _allowed(request),
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
        }
    return headers


def _asked(request: AnyRequest) -> Response[bytes]:
    """What a browser asks before it sends (CORS preflight)."""
    return Response(b"", status_code=204, headers=cors(request))


async def _take(request: AnyRequest, *, is_batch: bool, route_type: str | None = None) -> Response[bytes]:
    if request.method == HttpMethod.OPTIONS:
        return _asked(request)
    received_at = now()
    database = database_of(request)
    here = await known(database)
    query = request.query_params.get("writeKey")
    by_token = actor_of(request).kind == "key"
    if by_token:  # a token or API key says who it is, and the write key only which source
        _require_write(request)
    admitted = _named if by_token else _admitted
    headers = {"x-write-key": request.headers.get("x-write-key", "")} if by_token else request.headers
    key = given_key(headers, query, None)
    source = None if key is None else admitted(here, key)
    envelope = open_envelope(await request.body(), is_batch=is_batch)
    if source is None:
        source = admitted(here, given_key({}, None, envelope.write_key))
    turns.leave(request.scope)  # who checks out meanwhile goes first
    intake = database.companion(Intake)
    found = await intake.sort_out(here, source, envelope, received_at=received_at, route_type=route_type)
    await intake.take(source, found)
    return Response(SUCCESS, media_type="application/json", headers=cors(request))


def _require_write(request: AnyRequest) -> None:
    """Whoever comes with a token or an API key must be allowed to send events.

    Raises:
        NotAllowed.
    """
    if not actor_of(request).may(WRITE):
        raise NotAllowed(f"This token may not send events: it needs the permission “{WRITE}”.")


def _named(here: Known, key: str | None) -> Source:
    """The source that whoever has a token names: by its id, or by one of its keys.

    Raises:
        UnknownWriteKey, SlowDown.
    """
    try:
        source = here.sources.get(UUID(key or ""))
    except ValueError:
        return _admitted(here, key)
    if source is None or not source.is_on or source.kind is SourceKind.OURS:
        raise UnknownWriteKey("There is no source with this id that takes events.")
    return _counted(here, source)


def _admitted(here: Known, key: str | None) -> Source:
    """The source of a key, if it may send now.

    Raises:
        UnknownWriteKey, SlowDown.
    """
    source = None if key is None else here.source_of(key)
    if source is None:
        raise UnknownWriteKey(
            "Send a write key that is valid, as the user of Basic authentication, as X-Write-Key, as ?writeKey= or as"
            " “writeKey” in the body."
        )
    return _counted(here, source)


def _counted(here: Known, source: Source) -> Source:
    try:
        here.count_request(source)
    except TooMany as error:
        raise SlowDown("This source sends too many requests.", **error.extra) from None
    return source


@route(list(BATCHES), http_method=POST_OR_ASK, status_code=200)
async def take_batch(request: AnyRequest) -> Response[bytes]:
    """Many events."""
    return await _take(request, is_batch=True)


@route(list(SINGLES), http_method=POST_OR_ASK, status_code=200)
async def take_one(request: AnyRequest) -> Response[bytes]:
    """One event, whose type the address names; or a batch, which some clients send here, too."""
    return await _take(request, is_batch=False, route_type=request.url.path.rpartition("/")[2])


@route(list(JITSU), http_method=POST_OR_ASK, status_code=200)
async def take_jitsu(request: AnyRequest, kind: FromPath[str]) -> Response[bytes]:
    """One event of Jitsu's clients; a batch if the address says so."""
    return await _take(request, is_batch=kind == "batch", route_type=kind)


@route("/v1/m", http_method=POST_OR_ASK, status_code=200)
async def take_metrics(request: AnyRequest) -> Response[bytes]:
    """What Segment's browser client tells of itself: answered, so that it is content, and not kept."""
    if request.method == HttpMethod.OPTIONS:
        return _asked(request)
    return Response(SUCCESS, media_type="application/json", headers=cors(request))


@route("/v1/{rest:path}", http_method=POST_OR_ASK, status_code=404)
async def take_nothing(request: AnyRequest, rest: FromPath[str]) -> Response[bytes]:
    """No such address; said as clients of these protocols read it."""
    text = f"There is no /v1{rest} here."
    return _refusal(request, 404, "not-found", text, {})


@route("/v1/projects/{key:str}/settings", http_method=GET_OR_ASK, status_code=200)
async def browser_settings(request: AnyRequest, key: FromPath[str]) -> Response[Any]:
    """What Segment's browser client asks before it sends anything: where to, with which key."""
    if request.method == HttpMethod.OPTIONS:
        return _asked(request)
    _admitted(await known(database_of(request)), key)
    scheme, host = await _reached_at(request)
    settings = {
        "integrations": {
            "Segment.io": {"apiKey": key, "apiHost": f"{host}/v1", "protocol": scheme},
        },
        "metrics": {"sampleRate": 0},
    }
    return Response(settings, headers={"Cache-Control": "no-cache", **cors(request)})


async def _reached_at(request: AnyRequest) -> tuple[str, str]:
    """By which scheme and host browsers reach us.

    What the settings say, because a proxy that nobody told us of asks by http and maybe by a name of its own; the host of a
    webshop that has one stays, so that its pages send where they came from.
    """
    public = runtime_of(request).settings.public_url
    asked = request.headers.get("host", request.base_url.netloc)
    if not public:
        return request.scope["scheme"], asked
    shops = await channels.cached_all(database_of(request))
    hosts = {each.setting("storefront_host") for each in shops}
    parts = urlsplit(public)
    return parts.scheme, asked if asked.partition(":")[0].lower() in hosts else parts.netloc


@route(["/sourceConfig", "/sourceConfig/"], http_method=GET_OR_ASK, status_code=200)
async def rudder_settings(request: AnyRequest) -> Response[Any]:
    """What RudderStack's browser client asks before it sends anything."""
    if request.method == HttpMethod.OPTIONS:
        return _asked(request)
    key = given_key(request.headers, request.query_params.get("writeKey"), None)
    source = _admitted(await known(database_of(request)), key)
    quiet = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    config = {
        "source": {
            "id": str(source.id),
            "name": source.name,
            "writeKey": key,
            "enabled": True,
            "workspaceId": str(source.channel),
            "config": {"statsCollection": quiet},
            "destinations": [],
            "dataplanes": {},
        },
        "updatedAt": source.updated_at.isoformat(),
    }
    return Response(config, headers={"Cache-Control": "no-cache", **cors(request)})


@get("/analytics.js/v1/{key:str}/analytics.min.js", sync_to_thread=False)
def segment_script(request: AnyRequest, key: FromPath[str]) -> Response[bytes]:  # noqa: ARG001 - the page's own
    """Segment's browser client; the same file for every key."""
    return _file(request, sdk.segment())


@get("/analytics-next/bundles/{name:str}", sync_to_thread=False)
def segment_bundle(request: AnyRequest, name: FromPath[str]) -> Response[bytes]:
    """Parts that Segment's browser client loads when they are wanted."""
    return _file(request, sdk.bundle(name))


@get("/p.js", sync_to_thread=False)
def jitsu_script(request: AnyRequest) -> Response[bytes]:
    """Jitsu's browser client."""
    return _file(request, sdk.jitsu())


def _file(request: AnyRequest, file: sdk.Script | None) -> Response[bytes]:
    if file is None:
        return _refusal(request, 404, "not-found", "There is no such file.", {})
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "Cache-Control": f"public, max-age={file.max_age}",
        "ETag": f'"{file.digest}"',
        **cors(request),
        "Vary": "Accept-Encoding, Origin",
    }
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(file.packed if packed else file.plain, media_type="text/javascript", headers=headers)


# -- refusals ------------------------------------------------------------------------------------------------------------


def _refusal(
    request: AnyRequest, status: int, code: str, message: str, headers: Mapping[str, str]
) -> Response[bytes]:
    body = msgspec.json.encode({"code": code, "message": message, "success": False})
    return Response(
        body, status_code=status, media_type="application/json", headers={**cors(request), **headers}
    )


def on_problem(request: AnyRequest, problem: Problem) -> Response[bytes]:
    """A problem, as clients of these protocols read it."""
    headers = {}
    if problem.status in (429, 503):
        headers["Retry-After"] = str(problem.extra.get("retry_after", 1))
    return _refusal(request, problem.status, problem.code, problem.detail or problem.title, headers)


def on_http_exception(request: AnyRequest, error: HTTPException) -> Response[bytes]:
    """What the framework raises: a body that is too large, for one."""
    codes = {413: "body-too-large", 404: "not-found", 405: "method"}
    return _refusal(request, error.status_code, codes.get(error.status_code, "request"), error.detail, {})


def on_error(request: AnyRequest, error: Exception) -> Response[bytes]:
    """Something that nobody foresaw: the client is to send it again."""
    logger.error("unexpected error", path=request.url.path, exc_info=error)
    return _refusal(request, 500, "internal", "It was logged. Send it again.", {})


routes = [
    Router(
        path="/",
        route_handlers=[
            take_batch,
            take_one,
            take_jitsu,
            take_metrics,
            take_nothing,
            browser_settings,
            rudder_settings,
            segment_script,
            segment_bundle,
            jitsu_script,
        ],
        exception_handlers={Problem: on_problem, HTTPException: on_http_exception, Exception: on_error},
        request_max_body_size=LARGEST_BODY,
        include_in_schema=False,
    )
]
