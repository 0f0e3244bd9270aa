"""Who asks: a plain ASGI layer that turns a session's cookie or an API key into an `Actor`.

It costs microseconds when the session or key was verified a moment ago (`samlad.access.recent`), else one statement.
"""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from litestar.types import ASGIApp, Message, Receive, Scope, Send

from samlad.access import csrf, identity
from samlad.access.clerks import is_of_till
from samlad.access.identity import Identity
from samlad.access.kiosks import is_of_kiosk
from samlad.access.problems import WrongKey
from samlad.access.sessions import Session
from samlad.access.tokens import ACCESS_PREFIX, KEY_PREFIX, token_hash
from samlad.kernel.context import GUEST
from samlad.kernel.database import Database
from samlad.kernel.http import ACTOR_SCOPE, AnyRequest
from samlad.kernel.settings import Settings

SESSION_SCOPE = "samlad.session"
"""ASGI scope key under which the session is, also one that still waits for its code."""

OPEN_PATHS = (
    "/webhooks/in/",
    "/v1/",
    "/beacon/v1/",
    "/api/s/",
    "/ucp/",
    "/mcp",
    "/feeds/",
    "/ofrep/",
    "/.well-known/",
    "/oauth/",
)
"""Addresses for machines: cookies count for nothing there, so other sites' pages may post to them."""

_LONGEST_SECRET = 200


def session_of(request: AnyRequest) -> Session | None:
    """The session behind the request's cookie; check its ``state``."""
    return cast("Session | None", cast("dict[str, Any]", request.scope).get(SESSION_SCOPE))


def is_https(scope: Any, settings: Settings) -> bool:
    """Whether browsers reach us by https, so that cookies are Secure and bound to the host."""
    return scope.get("scheme") == "https" or (settings.public_url or "").startswith("https://")


def cookie_name(name: str, https: bool) -> str:
    """``__Host-`` in front by https: no other host, not even a subdomain, can set or replace it."""
    return f"__Host-{name}" if https else name


class Identify:
    """The layer. Litestar makes it per route: ``middleware=[Identify]``."""

    def __init__(self, app: ASGIApp, open_paths: Sequence[str] = OPEN_PATHS) -> None:
        self.app = app
        self.open_paths = tuple(open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identify, check, and go on.

        Raises:
            WrongKey: an API key that is none.
            CrossSite: see `samlad.access.csrf`.
        """
        state = cast("dict[str, Any]", scope)
        if state["type"] != "http" or ACTOR_SCOPE in state:
            await self.app(scope, receive, send)
            return
        runtime = scope["litestar_app"].state.runtime
        headers = dict(scope["headers"])
        state[ACTOR_SCOPE] = GUEST
        if b"authorization" in headers:
            state[ACTOR_SCOPE] = await _of_authorization(runtime.database, headers[b"authorization"])
        elif not scope["path"].startswith(self.open_paths):
            https = is_https(scope, runtime.settings)
            cookies = own_cookies(scope["headers"], https)
            await _identify(state, runtime.database, cookies, scope["path"])
            if state["method"] not in csrf.SAFE:
                own = csrf.origins(scope["scheme"], headers.get(b"host", b""), runtime.settings.public_url)
                csrf.check_site(headers, own, has_cookies=bool(cookies))
                if cookies:
                    receive = await _check_token(headers, cookies, receive)
            send = _with_guest_cookie(state, send, https)
        await self.app(scope, receive, send)


async def _identify(state: dict[str, Any], database: Database, cookies: dict[str, str], path: str) -> None:
    state[csrf.COOKIES_SCOPE] = cookies
    secret = cookies.get(csrf.SESSION_COOKIE)
    found: Identity | None = await identity.of_session(database, token_hash(secret)) if secret else None
    session = found.session if found is not None else None
    if session is not None and session.is_till and not _opens(session, path):
        return  # to whom nothing but a till was opened is a guest elsewhere
    if found is not None:
        state[ACTOR_SCOPE], state[SESSION_SCOPE] = found.actor, found.session


def _opens(session: Session, path: str) -> bool:
    return is_of_till(path) if session.kiosk is None else is_of_kiosk(path)


async def _of_authorization(database: Database, authorization: bytes) -> Any:
    scheme, _, credentials = authorization.decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not credentials.startswith((KEY_PREFIX, ACCESS_PREFIX)):
        return GUEST  # other faces know other schemes (the event API's Basic write keys)
    hashed = token_hash(credentials[:_LONGEST_SECRET])
    is_key = credentials.startswith(KEY_PREFIX)
    found = await (identity.of_key(database, hashed) if is_key else identity.of_token(database, hashed))
    if found is None:
        raise WrongKey("It does not exist, was revoked, or has expired.")
    return found.actor


def own_cookies(headers: Iterable[tuple[bytes, bytes]], https: bool) -> dict[str, str]:
    """Our cookies by their plain names. By https only those that are bound to this host count."""
    prefix = cookie_name("", https)
    found = {}
    for header, text in headers:
        if header != b"cookie" or b"samlad_" not in text:
            continue
        for part in text.decode("latin-1").split(";"):
            name, _, value = part.strip().partition("=")
            if name.startswith(prefix + "samlad_") and len(value) <= _LONGEST_SECRET:
                found[name.removeprefix(prefix)] = value
    return found


async def _check_token(headers: dict[bytes, bytes], cookies: dict[str, str], receive: Receive) -> Receive:
    """Check the token in the header, or peek into a form for it; what was read ahead is given again."""
    secrets = [cookies[name] for name in (csrf.SESSION_COOKIE, csrf.GUEST_COOKIE) if cookies.get(name)][:1]
    given = headers.get(csrf.HEADER)
    if given is not None:
        csrf.check_token(secrets, given.decode("latin-1"))
        return receive
    read: list[Any] = []
    start = b""
    while len(start) < csrf.LONGEST_PEEK:
        message = await receive()
        read.append(message)
        start += cast("dict[str, Any]", message).get("body", b"")
        if not cast("dict[str, Any]", message).get("more_body", False):
            break
    content_type = headers.get(b"content-type", b"").decode("latin-1")
    csrf.check_token(secrets, csrf.token_in_form(content_type, start))

    async def again() -> Any:
        return read.pop(0) if read else await receive()

    return again


def _with_guest_cookie(state: dict[str, Any], send: Send, https: bool) -> Send:
    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start" and csrf.NEW_GUEST_SCOPE in state:
            name = cookie_name(csrf.GUEST_COOKIE, https)
            value = set_cookie(name, state[csrf.NEW_GUEST_SCOPE], https, max_age=30 * 86_400)
            message["headers"] = [*message["headers"], (b"set-cookie", value.encode("latin-1"))]
        await send(message)

    return wrapped


def set_cookie(name: str, value: str, https: bool, *, max_age: int) -> str:
    """The value of a Set-Cookie header: out of reach of scripts and of other sites."""
    secure = "; Secure" if https else ""
    return f"{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}"
